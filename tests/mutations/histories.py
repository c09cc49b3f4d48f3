"""Histories that are rebuilt, restored or moved keep all films, numbers and edits."""

from tests.mutations.mutation import Edit, Mutation

MUTATIONS: tuple[Mutation, ...] = (
    Mutation(
        "A restored history has no picture of a walk that was deleted since the backup",
        "tests/test_picture_walks.py::test_a_restored_history_walks_from_its_pictures_again",
        (Edit("db/backup.py", "[(digest,) for digest in digests]", "[]"),),
    ),
    Mutation(
        "A film that gets another number has it in its record too",
        "tests/test_film_numbers.py::test_film_that_gets_another_number_keeps_it_in_a_rebuilt_history",
        (
            Edit(
                "db/adoption.py",
                'not in fields or fields.get("accession", "") != number:',
                "not in fields:",
            ),
        ),
    ),
    Mutation(
        "A record that cannot be read is told and written anew",
        "tests/test_found_films.py::"
        "test_record_that_cannot_be_read_is_reported_and_written_anew[damage2]",
        (Edit("momalisa/film_intake.py", "    mark_stale(unreadable, database)\n", ""),),
    ),
    Mutation(
        "A lost history learns the numbers of films whose store has no marks",
        "tests/test_film_numbers.py::"
        "test_history_that_is_lost_learns_the_numbers_of_films_in_a_store_without_marks",
        (Edit("momalisa/number_marks.py", " or _read_numbers(storage, database)", ""),),
    ),
    Mutation(
        "A film waits while the folder that the store's link leads to is away",
        "tests/worker/test_outages.py::"
        "test_film_waits_while_the_disk_of_its_store_is_not_mounted[mnt/disk-link]",
        (
            Edit(
                "momalisa/store_folder.py",
                "folder.resolve().parent == file.resolve().parent",
                "folder.parent == file.parent",
            ),
            Edit("momalisa/store_folder.py", " and not folder.exists():", ":"),
        ),
    ),
    Mutation(
        "A film waits while a disk that is mounted beside the history is away",
        "tests/worker/test_outages.py::"
        "test_film_waits_while_the_disk_of_its_store_is_not_mounted[store-store]",
        (Edit("momalisa/store_folder.py", " and not folder.exists():", ":"),),
    ),
    Mutation(
        "A walk deleted since its PostgreSQL backup stays deleted, whatever release that is of",
        "tests/db/test_postgresql_restore.py::"
        "test_walk_that_was_deleted_since_the_backup_stays_deleted[-1]",
        (Edit("momalisa/__main__.py", "    migrate(settings().database)\n", ""),),
    ),
    Mutation(
        "A worker seen before the clock was put back does not count as alive",
        "tests/db/test_status.py::"
        "test_worker_that_was_seen_before_the_clock_was_put_back_is_not_alive",
        (
            Edit(
                "db/status.py",
                "silent_seconds=abs((moment - row.seen_at).total_seconds())",
                "silent_seconds=_age(moment, row.seen_at)",
            ),
        ),
    ),
    Mutation(
        "A folder of the store that is a link is listed",
        "tests/storage/test_local.py::"
        "test_folder_that_is_a_link_is_listed_and_one_that_leads_back_is_not",
        (Edit("momalisa/storage/local.py", "followlinks=True", "followlinks=False"),),
    ),
    Mutation(
        "A film made before a machine's clock was set can be read back",
        "tests/test_film_numbers.py::"
        "test_film_made_before_the_clock_was_set_comes_back_with_its_number",
        (Edit("momalisa/records.py", "in (1970, 2100))", "in (2000, 2100))"),),
    ),
    Mutation(
        "Two histories on one storage learn of each other's numbers",
        "tests/test_film_numbers.py::"
        "test_two_histories_on_one_storage_learn_of_each_others_numbers",
        (Edit("momalisa/number_marks.py", " or time.monotonic() >= self._look_at:", ":"),),
    ),
    Mutation(
        "An edit made while the clock was ahead is kept",
        "tests/db/test_edits.py::"
        "test_an_edit_made_while_the_clock_was_ahead_is_kept_and_outlasts_no_later_one",
        (Edit("db/edits.py", "(name in future and name in own)", "name in future"),),
    ),
)
