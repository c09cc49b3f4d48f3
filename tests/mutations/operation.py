"""Run by people: the promises, and the edits that break them."""

from tests.mutations.mutation import Edit, Mutation

_DOCTOR = "tests/commands/test_doctor.py"
_HEALTH = "tests/pages/test_health.py"
_LOGS = "tests/test_logs.py"
_QUEUE = "tests/commands/test_queue.py"
_FIGURES = f"{_HEALTH}::test_metrics_tell_queue_workers_and_disk"


def _without_figure(promise: str, line: str) -> Mutation:
    """A line of the figures is missing."""
    return Mutation(promise, _FIGURES, (Edit("momalisa/health/metrics.py", line, ""),))


_HEALTH_ROUTES: tuple[Mutation, ...] = (
    Mutation(
        "A list of less than one walk is refused",
        f"{_QUEUE}::test_a_list_of_less_than_one_walk_is_refused_with_a_sentence",
        (Edit("momalisa/commands/queue.py", "if options.limit < 1:", "if not options:"),),
    ),
    Mutation(
        "/healthz, /readyz and /metrics are routes of the app",
        f"{_HEALTH}::test_the_app_has_these_routes",
        (Edit("streamlit_app.py", "routes=[*health.ROUTES, ", "routes=["),),
    ),
    Mutation(
        "/healthz says that the process answers, whatever the history does",
        f"{_HEALTH}::test_the_process_answers_although_the_history_is_gone",
        (
            Edit(
                "momalisa/ui/http/health.py",
                'return PlainTextResponse("ok", headers=NO_STORE)',
                "return await serve_readiness(_request)",
            ),
        ),
    ),
    Mutation(
        "/readyz names a history that cannot be read",
        f"{_HEALTH}::test_a_history_that_cannot_be_read_is_named",
        (Edit("momalisa/health/readiness.py", '    "history": check_history,\n', ""),),
    ),
    Mutation(
        "/readyz says that no worker is alive",
        f"{_HEALTH}::test_without_a_worker_it_is_not",
        (
            Edit(
                "momalisa/health/readiness.py",
                'return [*ok("history", "The history can be read."), *check_workers(status, '
                "settings)]",
                'return ok("history", "The history can be read.")',
            ),
        ),
    ),
    Mutation(
        "/readyz says that all workers pause after faults",
        f"{_HEALTH}::test_workers_that_all_pause_are_named",
        (
            Edit(
                "momalisa/health/readiness.py",
                "if len(troubled) == len(alive):",
                "if False:",
            ),
        ),
    ),
    Mutation(
        "/readyz names a full disk",
        f"{_HEALTH}::test_a_full_disk_is_named",
        (Edit("momalisa/health/readiness.py", '    "disk": check_disk,\n', ""),),
    ),
    Mutation(
        "/readyz names films that wait long for the storage",
        f"{_HEALTH}::test_films_that_wait_long_are_named",
        (Edit("momalisa/health/readiness.py", '    "outbox": check_outbox,\n', ""),),
    ),
    Mutation(
        "/readyz names a disk that hangs",
        f"{_HEALTH}::test_a_disk_that_hangs_is_named_and_holds_up_no_other_route",
        (
            Edit(
                "momalisa/ui/http/health.py",
                "_runner.run(calls, DEADLINE)",
                "_runner.run(calls, 10 * DEADLINE)",
            ),
        ),
    ),
    _without_figure(
        "The figures tell the queue's length",
        '        ("walks", "walks by state; the queue is `queued`", walks),\n',
    ),
    _without_figure(
        "The figures tell the age of the oldest walk in the queue",
        '                (\n                    "queue_oldest_seconds",\n'
        '                    "age of the oldest queued walk",\n'
        "                    status.oldest_queued_seconds,\n                ),\n",
    ),
    _without_figure(
        "The figures tell the seconds that a frame takes",
        '                ("frame_seconds", "seconds a frame, newest films", '
        "status.seconds_a_frame),\n",
    ),
    _without_figure(
        "The figures tell the faults of a worker in a row",
        '        (\n            "worker_failures",\n'
        '            "faults of its machine in a row",\n'
        "            each(float(worker.failures) for worker in workers),\n        ),\n",
    ),
    _without_figure(
        "The figures tell how long a worker has been silent",
        '        (\n            "worker_silent_seconds",\n'
        '            "seconds since the last heartbeat",\n'
        "            each(worker.silent_seconds for worker in workers),\n        ),\n",
    ),
    _without_figure(
        "The figures tell the age of the oldest film in the outbox",
        '            gauges.append(_single("outbox_oldest_seconds", "age of the oldest of them", '
        "age))\n",
    ),
    _without_figure(
        "The figures tell the size of the frame cache",
        '            gauges.append(_single("frame_cache_bytes", "size of the frame cache", '
        "size))\n",
    ),
    _without_figure(
        "The figures tell the free space of the disks",
        '            gauges.append(("disk_free_bytes", "free space for this folder", disks))\n',
    ),
    Mutation(
        "The figures that can be read are told where the history cannot",
        f"{_HEALTH}::test_metrics_answer_although_the_history_is_gone",
        (
            Edit(
                "momalisa/health/metrics.py",
                "if future.done() and future.exception() is None",
                "if future.done()",
            ),
        ),
    ),
)
"""The app tells machines how it is."""

_COMMANDS: tuple[Mutation, ...] = (
    Mutation(
        "doctor fails where something is wrong",
        f"{_DOCTOR}::test_the_command_tells_faults_in_sentences_and_as_json",
        (
            Edit(
                "momalisa/commands/doctor.py",
                "return SOMETHING_WRONG if faults else ALL_WELL",
                "return ALL_WELL",
            ),
        ),
    ),
    Mutation(
        "doctor says that a graphics card is missing which the settings ask for",
        f"{_DOCTOR}::test_a_device_that_is_not_there_is_a_fault",
        (
            Edit(
                "momalisa/health/machine.py",
                "            open_device(name)\n",
                "            pass\n",
            ),
        ),
    ),
    Mutation(
        "doctor says that the graphics card which painted last is gone",
        f"{_DOCTOR}::test_a_graphics_card_that_has_gone_is_a_fault",
        (
            Edit(
                "momalisa/health/machine.py",
                "name = settings.device or last_device(settings)",
                "name = settings.device",
            ),
        ),
    ),
    Mutation(
        "doctor says that no worker is alive",
        f"{_DOCTOR}::test_no_worker_is_a_fault",
        (Edit("momalisa/health/films.py", "        *check_workers(status, settings),\n", ""),),
    ),
    Mutation(
        "doctor says that films wait long for the storage",
        f"{_DOCTOR}::test_films_and_deletions_that_wait_long_are_faults",
        (Edit("momalisa/health/films.py", "        *check_films(status),\n", ""),),
    ),
    Mutation(
        "doctor says that a disk is full",
        f"{_DOCTOR}::test_a_full_disk_is_a_fault",
        (
            Edit(
                "momalisa/health/readiness.py",
                "if (free := free_bytes(path)) < ROOM_BYTES",
                "if (free := free_bytes(path)) < 0",
            ),
        ),
    ),
    Mutation(
        "doctor answers although one of its checks hangs",
        f"{_DOCTOR}::test_a_check_that_fails_or_hangs_is_a_finding",
        (
            Edit(
                "momalisa/health/deadline.py",
                "wait(futures.values(), seconds)",
                "wait(futures.values())",
            ),
        ),
    ),
    Mutation(
        "doctor calls a store that is no folder by its name, not a fault of the program",
        f"{_DOCTOR}::test_a_home_that_is_a_file_or_below_one_is_a_fault",
        (
            Edit(
                "momalisa/commands/doctor.py",
                "isinstance(error := future.exception(), MomaLisaError | HistoryError)",
                "isinstance(error := future.exception(), HistoryError)",
            ),
        ),
    ),
    Mutation(
        "doctor leaves a history of an earlier release as it is",
        f"{_DOCTOR}::test_a_home_of_an_earlier_release_is_told_and_left_as_it_is",
        (
            Edit(
                "momalisa/health/films.py",
                "        require_newest_schema(settings.database)\n        with reading",
                "        with reading",
            ),
        ),
    ),
    Mutation(
        "queue list says who waits, and why",
        f"{_QUEUE}::test_the_list_says_who_waits_and_why",
        (
            Edit(
                "momalisa/commands/queue.py",
                "            why = _explain_wait(walk, workers, ahead, moment)\n",
                "",
            ),
        ),
    ),
    Mutation(
        "queue retry puts a failed walk into the queue again",
        f"{_QUEUE}::test_failed_walks_are_listed_and_tried_again_by_number",
        (
            Edit(
                "db/operations.py",
                "walk.state, walk.turn = State.QUEUED, turn",
                "walk.turn = turn",
            ),
        ),
    ),
    Mutation(
        "queue cancel cancels queued walks and stops running ones",
        f"{_QUEUE}::test_a_makers_walks_are_cancelled_and_a_running_one_is_asked_to_stop",
        (
            Edit(
                "momalisa/commands/queue.py",
                "if walks.cancel(session=session, walk_id=walk.id):",
                "if True:",
            ),
        ),
    ),
    Mutation(
        "queue fails where it could not do what was asked",
        f"{_QUEUE}::test_what_cannot_be_done_is_said_and_fails",
        (
            Edit(
                "momalisa/commands/queue.py",
                "return DONE if succeeded else FAILED",
                "return DONE",
            ),
        ),
    ),
    Mutation(
        "queue leaves a history of an earlier release as it is",
        f"{_QUEUE}::test_an_old_history_is_not_brought_up_to_date",
        (Edit("momalisa/commands/queue.py", "    require_newest_schema(url)\n", ""),),
    ),
    Mutation(
        "The worker's log rotates while it runs",
        f"{_LOGS}::test_the_log_rotates_while_the_process_runs",
        (
            Edit(
                "momalisa/logs.py",
                "OutputLogHandler(file, int(settings.log_mb * 1e6), settings.log_files)",
                "OutputLogHandler(file, 0, settings.log_files)",
            ),
        ),
    ),
    Mutation(
        "What libraries print follows to the new log file",
        f"{_LOGS}::test_what_is_printed_is_kept_and_follows_to_the_new_file",
        (
            Edit(
                "momalisa/logs.py",
                "        super().doRollover()\n        self._redirect_output()\n",
                "        super().doRollover()\n",
            ),
        ),
    ),
    Mutation(
        "With MOMALISA_LOG=json the log has one JSON object a line, errors included",
        f"{_LOGS}::test_errors_that_nothing_caught_and_warnings_are_json_too",
        (
            Edit(
                "momalisa/logs.py",
                'JsonFormatter() if settings.log == "json" else TextFormatter()',
                "TextFormatter()",
            ),
        ),
    ),
    Mutation(
        "A JSON entry names the walk that it is about",
        f"{_LOGS}::test_json_is_one_object_a_line_with_walk_and_exception",
        (Edit("momalisa/logs.py", "            **_walk.get(),\n", ""),),
    ),
)
"""The app tells people how it is, and does what they ask."""

_UPGRADES: tuple[Mutation, ...] = (
    Mutation(
        "A program of the previous release that runs goes on working after an upgrade",
        "tests/db/test_upgrade.py::test_running_previous_release_works_on_the_new_schema",
        (
            Edit(
                "db/migrations/versions/0004_deletions.py",
                'sa.Integer(), nullable=False, server_default="0")',
                "sa.Integer(), nullable=False)",
            ),
        ),
    ),
    Mutation(
        "A SQLite history on a network disk is refused",
        "tests/db/test_file_system.py::test_sqlite_is_refused_on_a_network_disk",
        (Edit("db/session.py", "    if find_network_file_system(file):\n", "    if False:\n"),),
    ),
)
"""Upgrades and disks."""

MUTATIONS: tuple[Mutation, ...] = (*_HEALTH_ROUTES, *_COMMANDS, *_UPGRADES)
