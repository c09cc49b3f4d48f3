"""Pages answer though much waits or hangs: the promises, and the edits that break them."""

from tests.mutations.mutation import Edit, Mutation

_HUNG = "tests/pages/test_hung_disks.py"
_LISTS = "tests/db/test_lists.py"
_PACE = "tests/pages/test_queue_pace.py"
_QUERIES = "tests/pages/test_queries.py"

_EVENT_LOOP = f"{_HUNG}::test_the_server_goes_on_while_a_route_reads"
_OFF_THE_LOOP: tuple[Mutation, ...] = (
    Mutation(
        "The server goes on while the disk of a film or frame hangs",
        _EVENT_LOOP,
        (
            Edit(
                "momalisa/ui/http/media.py",
                "await threads.run(_open_file, root, key, discard=_close_file)",
                "_open_file(root, key)",
            ),
        ),
    ),
    Mutation(
        "The server goes on while the history hangs that a picture is asked of",
        _EVENT_LOOP,
        (
            Edit(
                "momalisa/ui/http/stills.py",
                "await HISTORY.run(_enqueue_still, request)",
                "_enqueue_still(request)",
            ),
        ),
    ),
    Mutation(
        "The server goes on while the history hangs that a download is asked of",
        _EVENT_LOOP,
        (
            Edit(
                "momalisa/ui/http/downloads.py",
                "await HISTORY.run(_find_film, walk_id, kind)",
                "_find_film(walk_id, kind)",
            ),
        ),
    ),
    Mutation(
        "The server goes on while the history hangs that the Gallery's posters are read from",
        _EVENT_LOOP,
        (
            Edit(
                "momalisa/ui/http/prerender.py",
                "await _THREADS.run(_prerender, query, seconds=TIMEOUT)",
                "_prerender(query)",
            ),
        ),
    ),
    Mutation(
        "The server goes on while the checks of /readyz hang",
        _EVENT_LOOP,
        (
            Edit(
                "momalisa/ui/http/health.py",
                "await to_thread.run_sync(find_recent, limiter=_limiter)",
                "find_recent()",
            ),
        ),
    ),
    Mutation(
        "The server goes on while the figures of /metrics hang",
        _EVENT_LOOP,
        (
            Edit(
                "momalisa/ui/http/health.py",
                "await to_thread.run_sync(_open_metrics().text, limiter=_limiter)",
                "_open_metrics().text()",
            ),
        ),
    ),
    Mutation(
        "A film's disk that hangs stops no page, frame or other film",
        f"{_HUNG}::test_a_hung_store_stops_no_other_route",
        (
            Edit(
                "momalisa/ui/http/media.py",
                "_response_from_folder(PROGRAM, EXAMPLE, name)",
                "_response_from_folder(STORE, EXAMPLE, name)",
            ),
        ),
    ),
    Mutation(
        "A call that ends at its very deadline is answered",
        f"{_HUNG}::test_a_call_that_ends_at_its_very_deadline_is_answered",
        (
            Edit(
                "momalisa/ui/http/threads.py",
                "                return future.result()  # it has just ended",
                "                raise  # it has just ended",
            ),
        ),
    ),
    Mutation(
        "Who waits for a disk that hangs is told so after a while",
        f"{_HUNG}::test_waiting_calls_are_forgotten_and_the_others_errors_are_passed_on",
        (
            Edit(
                "momalisa/ui/http/threads.py",
                "with fail_after(self.seconds if seconds is None else seconds):",
                "with fail_after(None):",
            ),
        ),
    ),
)
"""A disk or history that hangs holds up nothing but what needs it."""

_MUCH_WAITS: tuple[Mutation, ...] = (
    Mutation(
        "A list of films reads nothing that only a film's own page shows",
        f"{_LISTS}::test_what_only_a_films_page_shows_is_not_listed",
        (Edit("db/walks.py", "if only else _AS_LISTED", "if only else ()"),),
    ),
    Mutation(
        "Films that are looked up by their ids are read like those of a list",
        f"{_LISTS}::test_what_only_a_films_page_shows_is_not_listed",
        (
            Edit(
                "db/walks.py",
                "select(Walk).where(Walk.id.in_(ids), IS_DONE).options(*_AS_LISTED)",
                "select(Walk).where(Walk.id.in_(ids), IS_DONE)",
            ),
        ),
    ),
    Mutation(
        "A list of titles reads titles",
        f"{_LISTS}::test_a_list_of_titles_has_no_more",
        (
            Edit(
                "db/walks.py",
                "(load_only(*only, raiseload=True), _WITHOUT_TAGS) if only else _AS_LISTED",
                "_AS_LISTED",
            ),
        ),
    ),
    Mutation(
        "A list of the walks that wait may end after a few",
        f"{_LISTS}::test_a_limited_list_has_the_oldest_active_walks",
        (
            Edit(
                "db/walks.py",
                "walks.order_by(Walk.created_at, Walk.id).limit(limit)",
                "walks.order_by(Walk.created_at, Walk.id)",
            ),
        ),
    ),
    Mutation(
        "Compare reads no more of the films to choose from than it shows",
        f"{_QUERIES}::test_pages_read_no_more_than_they_show",
        (Edit("momalisa/ui/history.py", "limit=limit, only=shown)", "limit=limit)"),),
    ),
    Mutation(
        "Create reads no more of the films that it estimates by than it needs",
        f"{_QUERIES}::test_pages_read_no_more_than_they_show",
        (Edit("momalisa/ui/create/estimate.py", " only=MEASURED,", ""),),
    ),
    Mutation(
        "Create reads a few of the walks that wait",
        f"{_QUERIES}::test_pages_read_no_more_than_they_show",
        (
            Edit(
                "momalisa/ui/create/progress.py",
                "walks.list_active(session=session, limit=OTHER_WALKS + 1)",
                "walks.list_active(session=session)",
            ),
        ),
    ),
    Mutation(
        "A walk far back in the queue is looked at less often",
        f"{_PACE}::test_the_pace_follows_the_place",
        (
            Edit(
                "momalisa/ui/create/progress.py",
                "look = LOOK_FROM_AFAR if _is_far(walk) else LOOK",
                "look = LOOK",
            ),
        ),
    ),
    Mutation(
        "A walk is looked at every second once its turn is near",
        f"{_PACE}::test_a_look_from_afar_that_finds_the_turn_near_runs_the_page_anew",
        (
            Edit(
                "momalisa/ui/create/progress.py",
                " or (look > LOOK and not _is_far(walk))",
                "",
            ),
        ),
    ),
)
"""Pages read what they show."""

_RESTART = "tests/browser/test_restart.py::test_what_is_typed_survives_a_restart_of_the_server"
_TYPED: tuple[Mutation, ...] = (
    Mutation(
        "A prompt that is being typed while the app is started again is walked",
        _RESTART,
        (
            Edit(
                "momalisa/ui/components/focus.js",
                'target.dispatchEvent(new FocusEvent("focusout", { bubbles: true }))',
                "disabling.disconnect()",
            ),
        ),
    ),
    Mutation(
        "A note that is being typed while the app is started again is stored",
        _RESTART,
        (
            Edit(
                "momalisa/ui/annotations.py",
                "            _save_notes(walk.id, key)\n        st.rerun()",
                "            pass\n        st.rerun()",
            ),
        ),
    ),
    Mutation(
        "What is written while the history cannot be written is stored later",
        "tests/pages/test_annotations.py::test_what_is_written_over_an_outage_is_stored_after_it",
        (
            Edit(
                "momalisa/ui/unsaved.py",
                "                store(key, one.write)",
                "                pass",
            ),
        ),
    ),
)
"""What is typed is kept."""

MUTATIONS: tuple[Mutation, ...] = (*_OFF_THE_LOOP, *_MUCH_WAITS, *_TYPED)
