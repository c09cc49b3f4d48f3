"""What `sync` and repairs do to films that hang: the promises, and the edits that break them."""

from tests.mutations.mutation import Edit, Mutation

REPAIR = "tests/test_repair.py::test_"
FOUND = "tests/test_found_films.py::test_"
WAITING = "tests/test_waiting_films.py::test_"
ROWS = "tests/db/test_repair.py::test_"
HOSTILE = "tests/db/test_hostile_records.py::test_"

MUTATIONS: tuple[Mutation, ...] = (
    Mutation(
        "A repair only tells its plan until it is told --yes",
        f"{REPAIR}repair_without_yes_only_tells_its_plan",
        (Edit("momalisa/sync.py", "    if not yes:\n        return\n", ""),),
    ),
    Mutation(
        "A repair is refused where more than a quarter of the films is missing",
        f"{REPAIR}too_many_missing_films_are_refused[8-4]",
        (Edit("momalisa/sync.py", "if repair and not only and doubt:", "if False:"),),
    ),
    Mutation(
        "A store without any of the films is taken for the wrong one",
        f"{REPAIR}too_many_missing_films_are_refused[3-0]",
        (Edit("momalisa/repair.py", "0 < hanging == missing or ", ""),),
    ),
    Mutation(
        "A film counts as there only if its own GIF is, whatever else is in the store",
        f"{REPAIR}wrong_store_with_a_stray_film_takes_nothing_off_the_wall",
        (
            Edit(
                "momalisa/repair.py",
                "if not has_film(folders.get(row.id, {}))]",
                "if not folders]",
            ),
        ),
    ),
    Mutation(
        "Films that are named are made again whatever else is missing",
        f"{REPAIR}films_that_are_named_are_made_again_whatever_is_missing",
        (Edit("momalisa/sync.py", "if repair and not only and doubt:", "if repair and doubt:"),),
    ),
    Mutation(
        "A repair of a name that no film has changes nothing and says so",
        f"{REPAIR}name_of_no_film_is_bad_input",
        (Edit("momalisa/sync.py", "    _check_names(only, rows, folders)\n", ""),),
    ),
    Mutation(
        "Films of a store in doubt do not come into the Gallery",
        f"{REPAIR}films_of_a_wrong_store_are_not_taken_in",
        (Edit("momalisa/sync.py", "        new = {}\n", ""),),
    ),
    Mutation(
        "A store in doubt changes no film that hangs",
        f"{FOUND}store_in_doubt_changes_no_row",
        (Edit("momalisa/sync.py", "only if doubt else None", "None"),),
    ),
    Mutation(
        "A store in doubt has no records written anew",
        f"{FOUND}store_in_doubt_changes_no_row",
        (
            Edit(
                "momalisa/sync.py",
                "    if not doubt:  # else",
                "    if True:  # else",
            ),
        ),
    ),
    Mutation(
        "A film whose GIF is there is never rendered again by a repair",
        f"{REPAIR}lost_poster_is_made_from_the_film",
        (
            Edit(
                "momalisa/repair.py",
                "    if row.gif not in keys:\n",
                "    if set(row.files.values()) - set(keys):\n",
            ),
            Edit("momalisa/repair.py", "if storage.exists(row.gif):", "if False:"),
        ),
    ),
    Mutation(
        "A film whose GIF comes back during a repair is not rendered again",
        f"{REPAIR}film_that_comes_back_during_the_repair_is_not_made_again",
        (Edit("momalisa/repair.py", "if storage.exists(row.gif):", "if False:"),),
    ),
    Mutation(
        "A lost poster is made from the film",
        f"{REPAIR}lost_poster_is_made_from_the_film",
        (Edit("momalisa/repair.py", 'if "poster" in missing:', "if False:"),),
    ),
    Mutation(
        "A lost record is made from the history",
        f"{REPAIR}lost_record_is_made_from_the_row",
        (Edit("momalisa/repair.py", 'if "json" in missing:', "if False:"),),
    ),
    Mutation(
        "A lost record is written anew without a repair, too",
        f"{FOUND}record_that_is_lost_is_written_anew",
        (
            Edit(
                "momalisa/sync.py",
                "        mark_stale([step.row.id for step in steps "
                "if step.repair is Repair.RECORD], database)",
                "        pass",
            ),
        ),
    ),
    Mutation(
        "A lost film of another program keeps its place until its file is back",
        f"{REPAIR}lost_film_of_another_program_hangs_again_when_its_file_is_back",
        (
            Edit(
                "momalisa/repair.py",
                "Repair.MAKE_AGAIN if row.digest else Repair.NOTHING",
                "Repair.MAKE_AGAIN",
            ),
        ),
    ),
    Mutation(
        "A film that is made again keeps its files until the new film is stored",
        f"{REPAIR}lost_film_is_queued_again_and_keeps_its_files",
        (
            Edit(
                "db/repair.py",
                '            error="",\n        )\n        .r',
                '            error="",\n            files={},\n        )\n        .r',
            ),
        ),
    ),
    Mutation(
        "A film that cannot be made again hangs as before",
        f"{ROWS}film_hangs_as_before_when_it_could_not_be_made_again[sqlite-fail]",
        (
            Edit(
                "db/queue.py",
                "case((HAS_FILM, literal(State.DONE, kind)), else_=literal(state, kind))",
                "literal(state, kind)",
            ),
        ),
    ),
    Mutation(
        "A film whose workers die while it is made again hangs as before",
        f"{ROWS}film_hangs_as_before_when_it_could_not_be_made_again[sqlite-die_three_times]",
        (Edit("db/deaths.py", "State.DONE if has_film else state", "state"),),
    ),
    Mutation(
        "Curators never wait behind films that are made again",
        f"{ROWS}curators_do_not_wait_behind_films_that_are_made_again[sqlite]",
        (Edit("db/repair.py", "turn=0 if last_turn is None else last_turn + 1", "turn=0"),),
    ),
    Mutation(
        "A film that is made again gets a record of its own",
        "tests/storage/test_outbox.py"
        "::test_record_of_a_lost_film_makes_room_for_that_of_the_new_one",
        (
            Edit(
                "momalisa/storage/outbox.py",
                "elif _film",
                "elif False and _film",
            ),
        ),
    ),
    Mutation(
        "A film that an earlier repair gave up hangs again once its file is found",
        f"{FOUND}film_that_an_earlier_repair_gave_up_hangs_again",
        (Edit("momalisa/film_intake.py", 'return row.sha256 != "" or (', "return ("),),
    ),
    Mutation(
        "A film that was made after the backup hangs once the backup is restored",
        "tests/test_sync.py::test_queued_walk_whose_film_is_stored_hangs_with_its_edits",
        (
            Edit(
                "momalisa/film_intake.py",
                "row.state in (State.QUEUED, State.FAILED) and",
                "row.state is State.FAILED and",
            ),
        ),
    ),
    Mutation(
        "A film whose walk failed at its very end hangs",
        f"{FOUND}film_of_a_walk_that_failed_at_its_very_end_is_hung",
        (
            Edit(
                "momalisa/film_intake.py",
                "row.state in (State.QUEUED, State.FAILED) and",
                "row.state is State.QUEUED and",
            ),
        ),
    ),
    Mutation(
        "A film that was made again under another name hangs in the place of the lost one",
        f"{FOUND}film_under_another_name_hangs_in_the_place_of_the_lost_one",
        (
            Edit(
                "momalisa/film_intake.py",
                "return row.hangs and row.gif not in",
                "return row.gif in",
            ),
        ),
    ),
    Mutation(
        "A film that has reached the store waits no more",
        f"{WAITING}film_that_has_arrived_waits_no_more",
        (Edit("momalisa/film_intake.py", "if _has_arrived(row, files):", "if False:"),),
    ),
    Mutation(
        "A film in the outbox of a lost machine is made again if it is named",
        f"{WAITING}film_in_the_outbox_of_a_lost_machine_is_made_again_if_it_is_named",
        (
            Edit(
                "momalisa/sync.py",
                "{row.id for row in rows} - (named - in_outbox)",
                "{row.id for row in rows}",
            ),
        ),
    ),
    Mutation(
        "A film that waits in this machine's outbox is never made again",
        f"{WAITING}film_in_the_outbox_is_not_lost",
        (Edit("momalisa/sync.py", "(named - in_outbox)", "named"),),
    ),
    Mutation(
        "A file in the place of the store's folder is not taken for an empty store",
        f"{REPAIR}file_in_the_place_of_the_store_is_an_error",
        (
            Edit(
                "momalisa/storage/local.py",
                "            self._check_is_folder()\n            files",
                "            files",
            ),
        ),
    ),
    Mutation(
        "A record with a time that no calendar has is told as damaged",
        f"{HOSTILE}time_of_no_calendar_is_a_sentence",
        (Edit("momalisa/records.py", "except OverflowError:", "except ZeroDivisionError:"),),
    ),
    Mutation(
        "A film has a time between the years 2000 and 2100",
        f"{HOSTILE}time_of_no_calendar_is_a_sentence",
        (Edit("momalisa/records.py", "if not FIRST_MOMENT <= utc < LAST_MOMENT:", "if False:"),),
    ),
    Mutation(
        "A film that the history refuses holds up no other film",
        f"{HOSTILE}film_that_the_database_refuses_is_a_sentence",
        (Edit("momalisa/film_intake.py", "with session.begin_nested():", "if True:"),),
    ),
    Mutation(
        "A film that cannot have a row is told in a sentence",
        f"{HOSTILE}film_of_a_year_without_numbers_is_a_sentence",
        (Edit("momalisa/film_intake.py", "(StatementError, YearFull, ", "(StatementError, "),),
    ),
    Mutation(
        "A film that fails in a way nobody foresaw holds up no other film",
        f"{HOSTILE}film_that_fails_in_an_unforeseen_way_is_a_sentence",
        (
            Edit(
                "momalisa/film_intake.py",
                "    except Exception as error:\n",
                "    except ZeroDivisionError as error:\n",
            ),
        ),
    ),
    Mutation(
        "A record of more than two megabytes is not read",
        "tests/test_sync.py::test_damaged_record_is_reported_and_other_films_are_added"
        "[local-too large]",
        (Edit("momalisa/stored_films.py", "if stored.size > RECORD_BYTES:", "if False:"),),
    ),
)
