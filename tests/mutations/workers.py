"""Hung and doubled workers, ends of walks, memory: the promises, and the edits that break them."""

from tests.mutations.mutation import Edit, Mutation

_CACHE = "tests/engine/test_frame_cache.py"
_ENDS = "tests/worker/test_end_retries.py"
_HANGS = "tests/worker/test_hangs.py"
_LOCK = "tests/worker/test_home_lock.py"
_RETRIES = "tests/db/test_retries.py"
_SUPERVISOR = "tests/worker/test_supervisor.py"

_HUNG: tuple[Mutation, ...] = (
    Mutation(
        "A walk is given up, and its process ended, where its renderer stands still",
        f"{_HANGS}::test_walk_is_given_up_and_the_process_ended_where_nothing_moves",
        (Edit("momalisa/worker/lease.py", "must_exit = bool(reason) or", "must_exit ="),),
    ),
    Mutation(
        "The walk of a hung renderer goes back to the queue before the process ends",
        f"{_HANGS}::test_walk_is_given_up_and_the_process_ended_where_nothing_moves",
        (
            Edit(
                "momalisa/worker/lease.py",
                "run_with_deadline(lambda: self._let_go(job, reason), LET_GO)",
                "pass",
            ),
        ),
    ),
    Mutation(
        "Cancel works at once on a walk whose renderer hangs",
        f"{_HANGS}::test_cancelling_does_not_wait_until_the_renderer_counts_as_hung",
        (
            Edit(
                "momalisa/worker/lease.py",
                "waited = 0.0 if job is None or job.ending else job.seconds_abandoned",
                "waited = 0.0",
            ),
        ),
    ),
    Mutation(
        "A model whose bytes still come may load for as long as it takes",
        f"{_HANGS}::TestLimits::test_bytes_that_are_read_show_that_a_model_is_loading",
        (
            Edit(
                "momalisa/worker/stall.py",
                'has_moved = self._stage.name == "loading" and self._bytes_have_moved()',
                "has_moved = False",
            ),
        ),
    ),
    Mutation(
        "Loading a model has a limit of its own",
        f"{_HANGS}::TestLimits::test_stage_that_is_interrupted_goes_on",
        (
            Edit(
                "momalisa/worker/stall.py",
                '            case "loading":\n                return limits.loading\n',
                "",
            ),
        ),
    ),
    Mutation(
        "The first frames of a model may take longer than later ones",
        f"{_HANGS}::TestLimits::test_first_frames_of_a_model_may_take_long",
        (
            Edit(
                "momalisa/worker/stall.py",
                "        if stage.name in _PAINTING and stage.kind not in self._painted:\n"
                "            return limits.first_step\n",
                "",
            ),
        ),
    ),
    Mutation(
        "A model whose steps take long is given the time that they took so far, many times",
        f"{_HANGS}::TestLimits::test_later_ones_as_long_as_the_slowest_step_suggests",
        (
            Edit(
                "momalisa/worker/stall.py",
                "return max(limits.step, min(limits.times_longest * longest, most))",
                "return limits.step",
            ),
        ),
    ),
    Mutation(
        "A machine that slept is not taken for a hung one",
        f"{_HANGS}::TestLimits::test_time_in_which_nothing_ran_counts_for_nothing",
        (Edit("momalisa/worker/stall.py", "min(passed, LONGEST_TICK)", "passed"),),
    ),
    Mutation(
        "A worker that does not answer is killed, and another one started",
        f"{_SUPERVISOR}::test_worker_that_does_not_answer_is_killed_and_another_started",
        (Edit("momalisa/worker/supervisor.py", "if life.look() > limit:", "if False:"),),
    ),
    Mutation(
        "A hung worker that another app left behind is killed",
        f"{_LOCK}::test_hung_worker_of_an_app_that_is_gone_is_killed",
        (Edit("momalisa/worker/supervisor.py", "            self._kill_if_hung()\n", ""),),
    ),
    Mutation(
        "A worker whose own watch stands still gives no sign of life",
        f"{_LOCK}::test_pulse_beats_while_all_is_well",
        (
            Edit(
                "momalisa/worker/sign_of_life.py",
                "            if not self._is_well():\n                continue\n",
                "",
            ),
        ),
    ),
    Mutation(
        "A worker started by hand is replaced when it dies",
        "tests/worker/test_command.py::test_a_worker_that_dies_is_started_again",
        (
            Edit(
                "momalisa/worker/supervisor.py",
                'self.settings.worker == "external" and not self._by_hand',
                'self.settings.worker == "external"',
            ),
        ),
    ),
    Mutation(
        "The page of a walk says that nothing moves",
        "tests/pages/test_walk_shown.py::test_a_walk_that_stands_still_says_so",
        (
            Edit(
                "momalisa/ui/create/progress.py",
                "return still if still > max(STANDS_STILL, 5 * usual) else 0.0",
                "return 0.0",
            ),
        ),
    ),
)
"""A hung renderer is noticed, and its worker replaced."""

_ENDED: tuple[Mutation, ...] = (
    Mutation(
        "The end of a walk is written again until the history takes it",
        f"{_ENDS}::test_three_refusals_at_the_end_do_not_fail_a_walk_whose_film_is_stored",
        (
            Edit(
                "momalisa/worker/walk_ends.py",
                "            if gives_up or stop.seconds > END_GRACE:\n                raise\n",
                "            raise\n",
            ),
        ),
    ),
    Mutation(
        "The lease is kept while the end of a walk is written again",
        f"{_ENDS}::test_lease_is_renewed_while_the_end_is_retried",
        (
            Edit("momalisa/worker/walk_ends.py", "queue.renew_lease(", "dict("),
            Edit(
                "momalisa/worker/lease.py",
                "if job is None or job.status is LeaseStatus.LOST:",
                "if job is None or job.ending or job.status is LeaseStatus.LOST:",
            ),
        ),
    ),
    Mutation(
        "A worker that is stopped while its film's end is written does not give the film back",
        f"{_ENDS}::test_stopping_does_not_give_a_stored_film_back",
        (
            Edit(
                "momalisa/worker/lease.py",
                "if self._stop.is_set and not job.ending:",
                "if self._stop.is_set:",
            ),
            Edit("momalisa/worker/lease.py", "            and not job.ending\n", ""),
        ),
    ),
    Mutation(
        "A film that is stored already is not rendered again",
        f"{_ENDS}::test_next_worker_finds_a_film_that_is_stored_and_renders_nothing",
        (
            Edit(
                "momalisa/worker/rendering.py",
                "if film := self._find_stored_film(walk.id, spec):",
                "if film := None:",
            ),
        ),
    ),
    Mutation(
        "Deaths of a walk that advanced each time do not fail it",
        f"{_RETRIES}::test_deaths_of_a_walk_that_advanced_each_time_do_not_fail_it",
        (Edit("db/deaths.py", "1 if advanced else walk.deaths + 1", "walk.deaths + 1"),),
    ),
    Mutation(
        "New frames give a walk all its tries again",
        f"{_RETRIES}::test_new_frames_give_a_walk_all_its_tries_again",
        (
            Edit(
                "db/troubles.py",
                "        if any(counts[name] > most[name] for name in most):\n"
                "            kinds = []\n",
                "",
            ),
        ),
    ),
    Mutation(
        "New frames make the pause before a walk's next try short again",
        f"{_RETRIES}::test_new_frames_give_a_walk_all_its_tries_again",
        (
            Edit(
                "db/queue.py",
                "walk.machine_failures = 1 if advanced else walk.machine_failures + 1",
                "walk.machine_failures = walk.machine_failures + 1",
            ),
        ),
    ),
    Mutation(
        "Frames that are read from the cache again are no advance",
        f"{_RETRIES}::test_frames_read_again_from_the_cache_are_no_progress",
        (
            Edit(
                "db/troubles.py",
                "number > max((int(entry.get(name, 0)) for entry in walk.troubles), default=0)",
                "number > 0",
            ),
        ),
    ),
)
"""Ends are written although the history refuses; progress forgives deaths."""

_ONE_WORKER: tuple[Mutation, ...] = (
    Mutation(
        "A worker in another container is not taken for dead",
        f"{_SUPERVISOR}::test_worker_that_is_silent_keeps_its_walk_unless_its_process_"
        "certainly_ended",
        (
            Edit(
                "momalisa/worker/identity.py",
                'self.process_start > 0 and self.boot_id == _read_boot_id() != ""',
                "self.process_start > 0",
            ),
        ),
    ),
    Mutation(
        "A process that was given a dead worker's number is not taken for it",
        f"{_SUPERVISOR}::test_pid_that_was_given_anew_is_another_process",
        (
            Edit(
                "momalisa/worker/identity.py",
                "_read_start(self.pid) != self.process_start",
                "_read_start(self.pid) == 0",
            ),
        ),
    ),
    Mutation(
        "A second app on one home starts no second worker",
        f"{_LOCK}::test_second_app_waits_and_takes_over",
        (
            Edit(
                "momalisa/worker/supervisor.py",
                "if HomeLock(self.settings).is_held():",
                "if False:",
            ),
        ),
    ),
    Mutation(
        "A second worker in one home refuses to work",
        f"{_LOCK}::test_worker_that_works_once_says_that_another_is_there",
        (Edit("momalisa/worker/process.py", "if not lock.acquire():", "if False:"),),
    ),
    Mutation(
        "Two names of one device keep no two workers in a home",
        f"{_LOCK}::test_names_of_one_device_have_one_lock",
        (
            Edit(
                "momalisa/worker/sign_of_life.py",
                'suffix = "" if name in ("0", "-1") else "-cuda-" + re.sub(r"\\W+", "-", name)',
                'suffix = "-" + settings.device if settings.device else ""',
            ),
        ),
    ),
    Mutation(
        "Frames that a walk uses are not dropped from the cache",
        f"{_CACHE}::test_frames_in_use_stay_however_many_they_are",
        (
            Edit(
                "momalisa/engine/frame_cache.py",
                "if excess <= 0 or used_at >= first_used:",
                "if excess <= 0:",
            ),
        ),
    ),
    Mutation(
        "A walk says which frames it uses for as long as it is made",
        "tests/test_render.py::test_frames_of_a_walk_stay_while_another_worker_trims_the_cache",
        (Edit("momalisa/render.py", "    with cache.keep_used():\n", "    if True:\n"),),
    ),
    Mutation(
        "A frame that is missing at the end is painted again",
        "tests/test_render.py::test_frame_that_is_lost_before_the_film_is_made_is_painted_again",
        (
            Edit(
                "momalisa/engine/cached_frames.py",
                "if frame is None and self._make_again is not None:",
                "if False:",
            ),
        ),
    ),
)
"""One worker a home, whose frames stay."""

_MEMORY: tuple[Mutation, ...] = (
    Mutation(
        "A film is written piece by piece",
        "tests/film/test_gif_stream.py::test_no_more_than_a_piece_is_held",
        (
            Edit(
                "momalisa/film/gif_stream.py",
                "    piece = list(islice(shown, PIECE))\n",
                "    piece = list(shown)\n",
            ),
        ),
    ),
    Mutation(
        "The pictures of a film are reduced to their colours one after another",
        "tests/film/test_encode.py::test_few_pictures_of_a_gif_are_in_memory",
        (
            Edit(
                "momalisa/film/encode.py",
                "pictures = map(_quantize, _in_order(frames, order))",
                "pictures = list(map(_quantize, _in_order(frames, order)))",
            ),
        ),
    ),
    Mutation(
        "The frames of a film are read one after another",
        "tests/test_render.py::test_few_frames_of_a_long_walk_are_in_memory",
        (
            Edit(
                "momalisa/render.py",
                "    frames = CachedFrames(cache, keys, lambda: _retry_if_lost(make_frames), "
                "on_read=check)\n",
                "    frames = [*CachedFrames(cache, keys, on_read=check)]\n",
            ),
        ),
    ),
)
"""Making a film needs little memory."""

MUTATIONS: tuple[Mutation, ...] = (*_HUNG, *_ENDED, *_ONE_WORKER, *_MEMORY)
