"""Accession numbers are given once, and short: the promises, and the edits that break them."""

from tests.mutations.mutation import Edit, Mutation

NUMBERS = "tests/db/test_accession_numbers.py::test_"
MARKS = "tests/test_number_marks.py::test_"
CLAIMS = "tests/test_number_claims.py::test_"

MUTATIONS: tuple[Mutation, ...] = (
    Mutation(
        "A restored backup gives no number again that was given since",
        "tests/db/test_backup.py"
        "::test_restored_history_gives_no_number_again_and_brings_no_walk_back",
        (Edit("db/backup.py", "            given,\n", "            [],\n"),),
    ),
    Mutation(
        "A lost history gives no number again that its store knows of",
        f"{MARKS}history_that_was_lost_or_set_back_gives_no_number_again",
        (
            Edit(
                "momalisa/number_marks.py",
                "session, behind or {database_now",
                "session, {database_now",
            ),
        ),
    ),
    Mutation(
        "The store has a mark of the last number that was given",
        f"{MARKS}history_that_was_lost_or_set_back_gives_no_number_again",
        (
            Edit(
                "momalisa/number_marks.py",
                "            _store_mark(storage, year, last)\n",
                "            pass\n",
            ),
        ),
    ),
    Mutation(
        "The app learns of the numbers that were given when it starts",
        "tests/pages/test_first_numbers.py::test_the_app_learns_of_given_numbers_when_it_starts",
        (
            Edit(
                "streamlit_app.py",
                "        exchange_marks(storage, settings().database)\n",
                "        pass\n",
            ),
        ),
    ),
    Mutation(
        "Sync learns of the numbers that were given before films come in",
        "tests/test_sync.py::test_sync_learns_of_given_numbers_before_films_come_in",
        (
            Edit(
                "momalisa/commands/sync.py",
                "        exchange_marks(storage, current.database)  # first",
                "        pass  # first",
            ),
        ),
    ),
    Mutation(
        "A running app keeps the mark in the store up to date",
        "tests/worker/test_courier.py::test_refused_film_does_not_hold_up_the_marks_of_the_numbers",
        (Edit("momalisa/worker/courier.py", "            self._marks.update()\n", ""),),
    ),
    Mutation(
        "A film that fails for good does not hold up the mark in the store",
        "tests/worker/test_courier.py::test_refused_film_does_not_hold_up_the_marks_of_the_numbers",
        (
            Edit("momalisa/worker/courier.py", "            self._marks.update()\n", ""),
            Edit(
                "momalisa/worker/courier.py",
                "                    self._backoff.reset()\n",
                "                    self._backoff.reset(), self._marks.update()\n",
            ),
        ),
    ),
    Mutation(
        "Of two histories on one storage, one has a film with a number",
        f"{CLAIMS}films_of_two_histories_on_one_storage_have_numbers_of_their_own",
        (
            Edit(
                "momalisa/number_claims.py",
                "        return False\n    return True",
                "        pass\n    return True",
            ),
        ),
    ),
    Mutation(
        "A film that waited has its last number in its first record",
        f"{CLAIMS}a_film_s_first_record_has_its_last_number",
        (
            Edit(
                "momalisa/worker/courier.py",
                "            files = with_number(files, number)\n",
                "            pass\n",
            ),
        ),
    ),
    Mutation(
        "A film whose number people may have seen tells it when it gets another one",
        f"{CLAIMS}a_film_that_waited_and_gets_another_number_tells_the_former_one",
        (
            Edit(
                "db/accession_numbers.py",
                "    if walk.state is State.DONE:\n",
                "    if not walk:\n",
            ),
        ),
    ),
    Mutation(
        "Sync leaves a film the number that it has claimed",
        f"{CLAIMS}sync_leaves_a_film_the_number_that_it_has_claimed",
        (
            Edit(
                "momalisa/film_intake.py",
                "            leave_numbers(storage, database, numbers)\n",
                "",
            ),
        ),
    ),
    Mutation(
        "A film that hangs keeps its number, whatever another history has claimed",
        f"{CLAIMS}a_film_that_hangs_keeps_its_number_whatever_is_claimed",
        (
            Edit(
                "momalisa/number_claims.py",
                "or is_made_again\n",
                "\n",
            ),
        ),
    ),
    Mutation(
        "A film of another program gets a number that nobody has claimed",
        f"{CLAIMS}a_film_of_another_program_gets_a_number_that_nobody_has_claimed",
        (Edit("momalisa/number_claims.py", "is_stored and not is_new", "is_stored"),),
    ),
    Mutation(
        "A new history whose store is away begins far above the numbers it may have",
        f"{MARKS}a_history_that_begins_while_its_store_is_away_gives_none_of_its_numbers",
        (Edit("momalisa/number_marks.py", "        begin_far_above(database)\n", ""),),
    ),
    Mutation(
        "A new history whose store does not answer begins far above, too",
        "tests/pages/test_first_numbers.py"
        "::test_a_silent_storage_makes_no_new_history_begin_at_one[0.1]",
        (
            Edit(
                "streamlit_app.py",
                "            await anyio.to_thread.run_sync(begin_far_above, url)\n",
                "            pass\n",
            ),
        ),
    ),
    Mutation(
        "A store's folder that is missing counts as away for a new history",
        f"{MARKS}a_missing_folder_counts_as_away_unless_it_is_beside_the_history",
        (
            Edit(
                "momalisa/number_marks.py",
                "return is_unknown or not may_be_made",
                "return not may_be_made",
            ),
        ),
    ),
    Mutation(
        "A history that has seen its store goes on without a gap while it is away",
        f"{MARKS}a_history_that_has_seen_its_store_goes_on_while_it_is_away",
        (Edit("momalisa/number_marks.py", "if behind or not given:", "if behind:"),),
    ),
    Mutation(
        "A mark far above all films does not use up the year",
        f"{MARKS}a_mark_far_above_all_films_does_not_use_up_the_year[30000]",
        (Edit("momalisa/number_marks.py", "(mark for mark in marks if mark <= ceiling)", "marks"),),
    ),
    Mutation(
        "A mark of a year that has not begun changes nothing",
        f"{MARKS}what_is_no_mark_changes_nothing",
        (Edit("momalisa/number_marks.py", ' and int(mark["year"]) <= utc_now().year + 1:', ":"),),
    ),
    Mutation(
        "A counter that was burnt is set back",
        f"{MARKS}a_counter_that_was_burnt_is_set_back",
        (Edit("momalisa/number_marks.py", "    _set_back(database)\n", ""),),
    ),
    Mutation(
        "Numbers that a record makes up stay short",
        f"{NUMBERS}odd_number_in_a_record_is_replaced_and_the_next_ones_stay_short"
        "[sqlite-999999999]",
        (
            Edit("db/accession_numbers.py", "(?P<last>[0-9]{4,6})", "(?P<last>[0-9]{4,})"),
            Edit(
                "db/accession_numbers.py", "not 0 < last <= min(given + ROOM, LAST)", "not 0 < last"
            ),
            Edit(
                "db/accession_numbers.py", "and last > find_ceiling(session, year):", "and False:"
            ),
            Edit(
                "db/accession_numbers.py",
                "AccessionYear.last < min(last, LAST)",
                "AccessionYear.last < last",
            ),
            Edit("db/accession_numbers.py", "values(last=min(last, LAST))", "values(last=last)"),
            Edit(
                "db/accession_numbers.py",
                "AccessionYear.year == year, AccessionYear.last < LAST)",
                "AccessionYear.year == year)",
            ),
        ),
    ),
    Mutation(
        "A record's number far above those that were given is replaced",
        f"{NUMBERS}odd_number_in_a_record_is_replaced_and_the_next_ones_stay_short[sqlite-10002]",
        (Edit("db/accession_numbers.py", "min(given + ROOM, LAST)", "LAST"),),
    ),
    Mutation(
        "Records whose numbers go a bit further each do not use up the year",
        f"{NUMBERS}records_that_each_go_a_bit_further_do_not_use_up_the_year[sqlite]",
        (Edit("db/accession_numbers.py", "and last > find_ceiling(session, year):", "and False:"),),
    ),
    Mutation(
        "A record's number of a far year is replaced",
        f"{NUMBERS}number_of_a_far_year_is_replaced[sqlite]",
        (Edit("db/accession_numbers.py", "year > database_now(session).year + 1 or ", ""),),
    ),
    Mutation(
        "A number that a walk has is not given to another",
        "tests/db/test_walks.py"
        "::test_adopted_number_is_kept_or_replaced_but_never_given_twice[sqlite]",
        (
            Edit(
                "db/accession_numbers.py", "return not _is_taken(session, accession)", "return True"
            ),
        ),
    ),
    Mutation(
        "The number of a deleted walk is not given to another",
        f"{NUMBERS}number_of_a_deleted_walk_is_not_given_to_another[sqlite]",
        (Edit("db/accession_numbers.py", "for one in (walk, deleted))", "for one in (walk,))"),),
    ),
    Mutation(
        "Numbers of a year that was burnt leave out those that walks have",
        f"{NUMBERS}numbers_of_a_burnt_year_leave_out_those_that_walks_have[sqlite]",
        (
            Edit(
                "db/accession_numbers.py",
                'while number is not None and _is_taken(session, f"ML.{year}.{number:04d}"):',
                "while False:",
            ),
        ),
    ),
    Mutation(
        "A year has no number after the last one of six digits",
        f"{NUMBERS}full_year_is_a_sentence_and_gives_nothing[sqlite]",
        (
            Edit(
                "db/accession_numbers.py",
                "AccessionYear.year == year, AccessionYear.last < LAST)",
                "AccessionYear.year == year)",
            ),
        ),
    ),
    Mutation(
        "A year that an earlier version used up has numbers again",
        f"{NUMBERS}counter_that_an_earlier_version_spoiled_is_set_back[sqlite]",
        (
            Edit(
                "db/accession_numbers.py",
                "        _lower_counter(session, year, LAST)\n",
                "        pass\n",
            ),
        ),
    ),
    Mutation(
        "A counter is never lowered by what a store says",
        f"{NUMBERS}counters_are_raised_and_never_lowered[sqlite]",
        (
            Edit(
                "db/accession_numbers.py",
                "AccessionYear.last < min(last, LAST))",
                "AccessionYear.last >= 0)",
            ),
        ),
    ),
    Mutation(
        "Films whose numbers collided in an earlier version are found apart",
        f"{NUMBERS}migration_parts_walks_whose_numbers_collided[sqlite]",
        (Edit("db/migrations/versions/0004_deletions.py", "    _repair_numbers()\n", ""),),
    ),
)
