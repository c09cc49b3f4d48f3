"""What curators write is in the films' records: the promises, and the edits that break them."""

from tests.mutations.mutation import Edit, Mutation

RECORDS = "tests/test_records.py::test_"
EDITS = "tests/db/test_edits.py::test_"
VOTES = "tests/db/test_votes.py::test_"

MUTATIONS: tuple[Mutation, ...] = (
    Mutation(
        "A new title, star or note makes the record be written anew",
        f"{EDITS}an_edit_makes_the_record_stale_and_no_change_does_not[sqlite-title]",
        (Edit("db/curation.py", "        edits.mark_edited(session, walk, field)\n", ""),),
    ),
    Mutation(
        "New tags make the record be written anew",
        f"{EDITS}an_edit_makes_the_record_stale_and_no_change_does_not[sqlite-tags]",
        (
            Edit(
                "db/curation.py",
                '        edits.mark_edited(session, walk, "tags")\n',
                "        pass\n",
            ),
        ),
    ),
    Mutation(
        "A vote makes the records of both films be written anew",
        f"{EDITS}a_vote_makes_both_records_stale[sqlite]",
        (Edit("db/votes.py", "        edits.mark_stale(session, walk)\n", "        pass\n"),),
    ),
    Mutation(
        "A finished film's record is written anew, with all that only its row knows",
        f"{EDITS}a_finished_film_lacks_its_record_until_it_is_written[sqlite]",
        (
            Edit(
                "db/edits.py",
                "case((Walk.edited_at > moment, Walk.edited_at), else_=moment)",
                "Walk.edited_at",
            ),
        ),
    ),
    Mutation(
        "An edit during the writing of a record is written next",
        f"{EDITS}an_edit_during_the_writing_is_written_next[sqlite]",
        (
            Edit(
                "db/edits.py",
                "walk.recorded_at, walk.record_stored_at = edited_at, stored_at",
                "walk.recorded_at, walk.record_stored_at = walk.edited_at, stored_at",
            ),
        ),
    ),
    Mutation(
        "Records are written while the app runs",
        f"{RECORDS}edits_are_recorded_while_the_courier_runs",
        (Edit("momalisa/worker/courier.py", "if not self._records.update():", "if True:"),),
    ),
    Mutation(
        "A record holds who made the film",
        f"{RECORDS}rebuilt_history_equals_the_old_one[sqlite]",
        (Edit("momalisa/records.py", '"star", "notes", "maker")', '"star", "notes")'),),
    ),
    Mutation(
        "A record holds the votes on its film",
        f"{RECORDS}rebuilt_history_equals_the_old_one[sqlite]",
        (
            Edit(
                "momalisa/records.py",
                "for vote in rows]\n    ballots = ",
                "for vote in rows[:0]]\n    ballots = ",
            ),
        ),
    ),
    Mutation(
        "A history that is rebuilt from the store has the votes of its records",
        f"{RECORDS}rebuilt_history_equals_the_old_one[sqlite]",
        (Edit("db/votes.py", "        session.execute(insert(Vote), new)\n", "        pass\n"),),
    ),
    Mutation(
        "A remix finds its parent, and a vote its films, whichever is stored last",
        f"{RECORDS}parent_and_votes_come_whatever_the_order",
        (Edit("db/curation.py", "        walk.parent = parent\n", "        pass\n"),),
    ),
    Mutation(
        "Of two histories the later edit wins",
        f"{EDITS}the_later_edit_wins[sqlite-1-theirs]",
        (Edit("db/edits.py", "return 1 if other > one else -1", "return -1"),),
    ),
    Mutation(
        "Of two histories the earlier edit loses",
        f"{EDITS}the_later_edit_wins[sqlite--1-ours]",
        (Edit("db/edits.py", "return 1 if other > one else -1", "return 1"),),
    ),
    Mutation(
        "Of two histories the later edit of each field wins",
        f"{EDITS}the_later_edit_of_each_field_wins[sqlite--1]",
        (
            Edit(
                "db/curation.py",
                "value, own_times.get(name), time)",
                "value, walk.edited_at, time)",
            ),
        ),
    ),
    Mutation(
        "A record that lacks an edit of this history is written anew",
        f"{EDITS}the_later_edit_wins[sqlite--1-ours]",
        (Edit("db/curation.py", "    if lost or votes.count_of", "    if votes.count_of"),),
    ),
    Mutation(
        "A record is replaced only after its later edits were taken in",
        f"{RECORDS}later_edit_of_two_histories_wins",
        (Edit("momalisa/worker/record_writer.py", "        if stored:\n", "        if False:\n"),),
    ),
    Mutation(
        "Sync takes in what another history wrote into a record since",
        f"{RECORDS}later_edit_of_two_histories_wins",
        (
            Edit(
                "momalisa/film_intake.py",
                "if RECORD in folders.get(walk_id, {}) and folders[walk_id][RECORD].updated",
                "if False and folders[walk_id][RECORD].updated",
            ),
        ),
    ),
    Mutation(
        "Of two records written at once none replaces the other unread",
        "tests/storage/test_interface.py::test_what_was_changed_meanwhile_is_not_replaced",
        (
            Edit(
                "momalisa/storage/local.py",
                "                if current != previous:\n",
                "                if False:\n",
            ),
        ),
    ),
    Mutation(
        "An edit is later than the one before, whatever the clock says",
        f"{EDITS}an_edit_is_later_than_the_one_before_whatever_the_clock_says[sqlite]",
        (Edit("db/edits.py", "    if walk.edited_at is not None:\n", "    if False:\n"),),
    ),
    Mutation(
        "Edits are dated by the database's clock, not by the machine's",
        f"{EDITS}edits_have_the_time_of_the_databases_clock",
        (
            Edit(
                "db/edits.py",
                "    moment = database_now(session)\n",
                "    moment = datetime.now(UTC)\n",
            ),
        ),
    ),
    Mutation(
        "An edit that claims to be of the future is not believed",
        f"{RECORDS}edit_that_claims_the_future_is_not_believed",
        (
            Edit("db/edits.py", "name: now if name in future else time", "name: time"),
            Edit("db/edits.py", " and not (name in future and name in own)", ""),
        ),
    ),
    Mutation(
        "A wrong store gets no records",
        f"{RECORDS}wrong_storage_gets_no_records",
        (
            Edit(
                "momalisa/worker/record_writer.py",
                'if walk is not None and not storage.exists(walk.files.get("gif", "")):',
                "if False:",
            ),
        ),
    ),
    Mutation(
        "Lost films hold up the records of no others",
        f"{RECORDS}lost_films_do_not_hold_up_the_records_of_others",
        (
            Edit(
                "momalisa/worker/record_writer.py",
                "if away and not isinstance(error, NotStored):",
                "if away:",
            ),
        ),
    ),
    Mutation(
        "A record of many votes stays short enough to be read back",
        f"{RECORDS}record_of_many_votes_can_be_read_back",
        (Edit("momalisa/records.py", "> RECORD_BYTES and ballots:", "> RECORD_BYTES and False:"),),
    ),
    Mutation(
        "Votes on films that a history does not have stay in the record",
        f"{RECORDS}votes_on_films_that_a_history_lacks_stay_in_the_record",
        (
            Edit(
                "momalisa/records.py",
                "sorted([*ballots, *unknown.votes], key",
                "sorted(ballots, key",
            ),
        ),
    ),
    Mutation(
        "Notes that two curators write at once are both kept",
        f"{EDITS}notes_of_two_curators_are_both_kept[sqlite]",
        (
            Edit(
                "db/curation.py",
                "    others = walk.notes not in (notes, known)\n",
                "    others = False\n",
            ),
        ),
    ),
    Mutation(
        "Notes that are too long are refused, and the stored ones stay",
        f"{EDITS}notes_have_a_limit_and_a_refused_note_changes_nothing[sqlite]",
        (Edit("db/curation.py", "if len(new) > max(NOTES_LENGTH,", "if len(new) > max(10**9,"),),
    ),
    Mutation(
        "Tags that two curators choose at once are both kept",
        "tests/pages/test_film_detail.py::test_tags_that_others_add_meanwhile_stay",
        (
            Edit(
                "db/curation.py",
                "set(before if known is None else known)",
                "set(before)",
            ),
        ),
    ),
    Mutation(
        "Two machines that read the same records at once count each vote once",
        f"{VOTES}records_of_both_films_that_are_read_at_once_double_no_vote[postgresql]",
        (Edit("db/curation.py", "        votes.lock_intake(session)", "        pass"),),
    ),
    Mutation(
        "A maker's second vote on a pair takes the place of the first",
        f"{VOTES}a_second_vote_takes_the_place_of_the_first[sqlite]",
        (
            Edit(
                "db/votes.py",
                "Vote.right == right, Vote.maker == maker))\n    chosen",
                "Vote.right == right, Vote.maker == other))\n    chosen",
            ),
        ),
    ),
)
