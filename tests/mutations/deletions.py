"""Films that are deleted stay away: the promises, and the edits that break them."""

from tests.mutations.mutation import Edit, Mutation

TOMBSTONES = "tests/db/test_deletions.py::test_"
MACHINES = "tests/test_deletion.py::test_"
STALLED = "tests/worker/test_stalled_delivery.py::test_"

MUTATIONS: tuple[Mutation, ...] = (
    Mutation(
        "Deleting a film leaves a tombstone in the history",
        f"{TOMBSTONES}deleting_a_walk_leaves_a_tombstone_with_its_number",
        (
            Edit(
                "db/walks.py",
                "    deletions.add(session=session, walk_id=walk_id, accession=walk.accession)\n",
                "",
            ),
        ),
    ),
    Mutation(
        "Sync takes in no film that was deleted, on whichever machine",
        f"{MACHINES}film_deleted_while_the_bucket_was_away_is_not_taken_in_elsewhere",
        (
            Edit(
                "momalisa/film_intake.py",
                "for walk_id in unknown_ids - deleted_ids}",
                "for walk_id in unknown_ids}",
            ),
        ),
    ),
    Mutation(
        "A deleted film gets no row, whoever brings it",
        f"{TOMBSTONES}a_deleted_walk_is_not_adopted",
        (
            Edit(
                "db/adoption.py",
                "return exists or deletions.is_deleted(session=session, walk_id=walk_id)",
                "return exists",
            ),
        ),
    ),
    Mutation(
        "A deleted film that waits on another machine is not delivered",
        f"{MACHINES}film_that_waits_on_another_machine_is_dropped_there",
        (Edit("momalisa/worker/courier.py", "        if deleted:\n", "        if False:\n"),),
    ),
    Mutation(
        "A film that is deleted during its upload is deleted again",
        f"{MACHINES}film_deleted_during_its_upload_does_not_stay",
        (
            Edit(
                "momalisa/worker/courier.py",
                "if deletions.is_deleted(session=session, walk_id=walk_id):",
                "if False:",
            ),
        ),
    ),
    Mutation(
        "Any machine's courier deletes the files that another could not reach",
        f"{MACHINES}courier_of_any_machine_deletes_the_files",
        (
            Edit(
                "momalisa/worker/courier.py",
                "        tasks += [(self._delete_film, walk_id) for walk_id in due]\n",
                "",
            ),
        ),
    ),
    Mutation(
        "A worker asks for its lease right before it stores a record",
        f"{STALLED}walk_of_another_worker_gets_no_record",
        (Edit("momalisa/worker/worker.py", "self._heartbeat.confirm_lease,", "lambda: True,"),),
    ),
    Mutation(
        "No record is stored of a walk that is another worker's by now",
        f"{STALLED}walk_of_another_worker_gets_no_record",
        (
            Edit(
                "momalisa/storage/outbox.py",
                "if name.name == RECORD and not still_mine():",
                "if False:",
            ),
        ),
    ),
    Mutation(
        "A painted film asks for its worker's lease before its record is stored",
        "tests/test_render.py::test_a_film_that_is_not_its_workers_any_more_gets_no_record",
        (Edit("momalisa/render.py", "            still_mine=still_mine,\n", ""),),
    ),
    Mutation(
        "A film painted at an endpoint asks for its worker's lease, too",
        "tests/test_render.py::test_a_film_that_is_not_its_workers_any_more_gets_no_record",
        (Edit("momalisa/cloud/endpoint.py", "            still_mine=still_mine,\n", ""),),
    ),
    Mutation(
        "A walk deleted while its film is stored leaves no film",
        f"{STALLED}deleted_walk_leaves_nothing[after]",
        (Edit("momalisa/worker/worker.py", "(not ended or end.write", "(end.write"),),
    ),
    Mutation(
        "A film of a deleted walk does not wait in the outbox",
        f"{STALLED}film_of_a_deleted_walk_does_not_wait_in_the_outbox",
        (
            Edit(
                "momalisa/deletion.py",
                "            outbox.clear(walk_id)  # first",
                "            # first",
            ),
        ),
    ),
    Mutation(
        "A walk cancelled while its film is stored leaves no film",
        f"{STALLED}cancelled_walk_leaves_nothing",
        (
            Edit(
                "momalisa/worker/worker.py",
                "(not ended or end.write is queue.confirm_cancel)",
                "not ended",
            ),
        ),
    ),
    Mutation(
        "A walk that is cancelled keeps the film it had long before",
        f"{STALLED}film_of_long_before_outlasts_a_cancelled_walk",
        (
            Edit(
                "momalisa/deletion.py",
                "_without_earlier(list_files(walk_id, storage), walk)",
                "list_files(walk_id, storage)",
            ),
        ),
    ),
    Mutation(
        "Files that come after the deletion are deleted again",
        f"{MACHINES}files_that_come_after_the_deletion_are_deleted_again",
        (
            Edit(
                "momalisa/sync.py",
                "        reopen_deletions(storage, folders, deleted, database)\n",
                "        pass\n",
            ),
        ),
    ),
    Mutation(
        "What a stalled worker brings long after the deletion is deleted",
        f"{MACHINES}what_a_worker_brings_long_after_the_deletion_is_deleted",
        (
            Edit(
                "momalisa/deletion.py",
                "_read_number(storage, files) != tombstone.accession or",
                "True or",
            ),
        ),
    ),
    Mutation(
        "A deletion waits for the right store, whatever a wrong one lacks",
        f"{MACHINES}a_wrong_store_for_a_moment_keeps_no_film_that_was_deleted",
        (
            Edit(
                "momalisa/deletion.py",
                "if not (never_had_files or closed or 2 * there > len(samples)):",
                "if False:",
            ),
        ),
    ),
    Mutation(
        "A deletion takes no film of the same name from another gallery's store",
        f"{MACHINES}a_deletion_at_a_wrong_store_takes_no_film_of_the_same_name",
        (
            Edit(
                "momalisa/deletion.py",
                "    elif not _has_film_of(walk, files) and (\n",
                "    elif False and (\n",
            ),
        ),
    ),
    Mutation(
        "Sync at a wrong store deletes no film of the same name as a deleted one",
        f"{MACHINES}a_film_of_the_same_name_in_a_wrong_store_stays",
        (
            Edit(
                "momalisa/film_intake.py",
                "if may_be_that_film(storage, folders[tombstone.walk_id].values(), tombstone)",
                "if True",
            ),
            Edit(
                "momalisa/deletion.py",
                "    elif not _has_film_of(walk, files) and (\n",
                "    elif False and (\n",
            ),
        ),
    ),
    Mutation(
        "A new film may have the name of a deleted one",
        f"{MACHINES}a_new_film_under_the_name_of_a_deleted_one_hangs",
        (
            Edit(
                "momalisa/deletion.py",
                "    if not later:\n        return False\n",
                "    return False\n",
            ),
        ),
    ),
    Mutation(
        "Deletions that an earlier version noted on a machine are done",
        f"{MACHINES}notes_of_an_earlier_version_are_honoured",
        (Edit("momalisa/sync.py", "    take_over_removals(outbox, database)\n", ""),),
    ),
    Mutation(
        "A film deleted while its record is written is deleted again",
        "tests/db/test_edits.py::test_a_deleted_film_whose_record_was_written_is_deleted_again",
        (
            Edit(
                "db/edits.py",
                "        deletions.reopen(session=session, walk_id=walk_id)\n",
                "",
            ),
        ),
    ),
    Mutation(
        "A restored backup brings no film back that was deleted since",
        "tests/db/test_backup.py"
        "::test_restored_history_gives_no_number_again_and_brings_no_walk_back",
        (
            Edit(
                "db/backup.py",
                '    history.executemany("DELETE FROM walks WHERE id = ?", gone)\n',
                "",
            ),
        ),
    ),
    Mutation(
        "A restored backup knows which films were deleted since",
        "tests/db/test_backup.py"
        "::test_restored_history_gives_no_number_again_and_brings_no_walk_back",
        (Edit("db/backup.py", "[row[:-1] for row in deleted],", "[],"),),
    ),
    Mutation(
        "A restored backup of the previous release brings no deleted film back",
        "tests/db/test_backup.py"
        "::test_restoring_a_backup_of_the_previous_release_brings_no_deleted_walk_back",
        (Edit("db/backup.py", "        _migrate_copy(new)\n", ""),),
    ),
    Mutation(
        "A deletion that fails leaves the film on its page",
        "tests/pages/test_film_detail.py::test_a_deletion_that_fails_is_told_beside_the_film",
        (
            Edit(
                "momalisa/ui/film_detail.py",
                "    if pressed:\n        with error_display.errors_as_toasts():\n",
                "    if pressed:\n        if True:\n",
            ),
        ),
    ),
    Mutation(
        "A deleted film leaves no hidden part of a file",
        "tests/storage/test_local.py::test_what_a_killed_process_left_goes_with_the_last_file",
        (
            Edit(
                "momalisa/storage/local.py",
                "if all(is_temporary(one) for one in left):",
                "if not left:",
            ),
        ),
    ),
    Mutation(
        "A deleted film's frames leave the cache",
        "tests/pages/test_film_detail.py::test_a_deletion_takes_the_frames_that_no_other_film_has",
        (Edit("momalisa/deletion.py", "        cache.discard(keys)\n", ""),),
    ),
    Mutation(
        "Frames that another film has stay in the cache",
        "tests/pages/test_film_detail.py::test_a_deletion_takes_the_frames_that_no_other_film_has",
        (Edit("db/frame_keys.py", "        own -= _keys(progress)\n", "        pass\n"),),
    ),
    Mutation(
        "Previews and sampled pictures of a deleted film leave the cache, too",
        "tests/test_render.py::test_progress_names_every_picture_that_is_left_in_the_cache",
        (Edit("momalisa/render.py", "        self.pictures[frame.key] = frame.index\n", ""),),
    ),
    Mutation(
        "So do the pictures of earlier attempts",
        "tests/worker/test_walks.py::test_row_names_the_pictures_of_all_attempts",
        (
            Edit(
                "momalisa/worker/active_job.py",
                "(*self._earlier, *progress.replaced)",
                "progress.replaced",
            ),
        ),
    ),
)
