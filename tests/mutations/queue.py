"""A queue that tells a bad walk from a bad machine: the promises, and the edits that break them."""

from tests.mutations.mutation import Edit, Mutation

_BLAME = "tests/worker/test_blame.py"
_FAULTS = "tests/worker/test_machine_faults.py"
_MACHINE = "tests/worker/test_machine.py"
_OUTAGES = "tests/worker/test_outages.py"
_RETRIES = "tests/db/test_retries.py"

_FAULT_OF_THE_MACHINE: tuple[Mutation, ...] = (
    Mutation(
        "An error of the graphics card is not taken for the walk's own",
        f"{_BLAME}::test_blamed_on_the_device",
        (
            Edit(
                "momalisa/worker/blame.py",
                "    if any(_is_of_the_device(link) for link in chain):\n"
                "        return Blame.DEVICE\n",
                "",
            ),
        ),
    ),
    Mutation(
        "A full disk or a full memory is not taken for the walk's own fault",
        f"{_BLAME}::test_blamed_on_the_machine",
        (
            Edit(
                "momalisa/worker/blame.py",
                "    if any(_is_of_the_machine(link) for link in chain):\n"
                "        return Blame.MACHINE\n",
                "",
            ),
        ),
    ),
    Mutation(
        "An outbox that refuses files is the machine's fault, not an outage without an end",
        f"{_BLAME}::test_blamed_on_the_machine",
        (
            Edit(
                "momalisa/worker/blame.py",
                "return Blame.MACHINE if any(_is_refused_file(link) for link in chain) "
                "else Blame.PASSING",
                "return Blame.PASSING",
            ),
        ),
    ),
    Mutation(
        "A walk whose model is away waits for it",
        f"{_BLAME}::test_blamed_on_the_model",
        (
            Edit(
                "momalisa/worker/blame.py",
                "    if isinstance(error, NotHere):\n        return Blame.MODEL\n",
                "",
            ),
        ),
    ),
    Mutation(
        "A model that is away stops the walks of no other model",
        f"{_OUTAGES}::test_model_that_is_away_fails_no_walk_and_lets_others_pass",
        (
            Edit(
                "momalisa/worker/worker.py",
                "        if fault.blame is Blame.MODEL:\n            return\n",
                "",
            ),
        ),
    ),
    Mutation(
        "A walk is tried again after a fault of the machine",
        f"{_FAULTS}::test_device_that_breaks_in_a_frame_costs_no_frame_and_no_turn",
        (
            Edit(
                "momalisa/worker/worker.py",
                "end = try_again(end.fault, walk.id, self._machine, self._timing)",
                "pass",
            ),
        ),
    ),
    Mutation(
        "The pause before a walk is tried again grows",
        f"{_RETRIES}::test_walk_put_back_waits_longer_each_time_and_lets_others_pass",
        (
            Edit(
                "db/queue.py",
                "seconds = min(first * 4.0 ** min(tries - 1, 60), longest)",
                "seconds = min(first, longest)",
            ),
        ),
    ),
    Mutation(
        "A walk that waits after a fault is not claimed before its time",
        f"{_RETRIES}::test_walk_put_back_waits_longer_each_time_and_lets_others_pass",
        (Edit("db/queue.py", ".where(IS_QUEUED, _is_due(moment))", ".where(IS_QUEUED)"),),
    ),
    Mutation(
        "Faults of one kind use up no tries of another kind",
        f"{_RETRIES}::test_faults_of_another_kind_do_not_count",
        (Edit("db/queue.py", "troubles.count_alike(walk) >= most_tries", "tries >= most_tries"),),
    ),
    Mutation(
        "A walk outlasts an outage of any length",
        f"{_OUTAGES}::test_lone_walk_outlasts_an_outage",
        (
            Edit(
                "momalisa/worker/walk_ends.py",
                "if fault.blame is not Blame.PASSING and tries is None:",
                "if tries is None:",
            ),
        ),
    ),
    Mutation(
        "A walk that alone breaks the machine is given up",
        f"{_FAULTS}::test_walk_that_alone_breaks_the_machine_fails_while_others_succeed",
        (
            Edit(
                "momalisa/worker/walk_ends.py",
                "if fault.blame is not Blame.PASSING and tries is None:",
                "if False:",
            ),
        ),
    ),
    Mutation(
        "A walk is not given up early where other walks fail as well",
        f"{_FAULTS}::test_lasting_fault_that_the_probe_does_not_see_fails_no_walk",
        (
            Edit(
                "momalisa/worker/walk_ends.py",
                "is_alone = machine.is_only_suspect(walk_id)",
                "is_alone = True",
            ),
        ),
    ),
    Mutation(
        "A worker whose device broke ends itself",
        f"{_FAULTS}::test_supervisor_starts_a_worker_with_a_broken_device_anew_without_delay",
        (Edit("momalisa/worker/worker.py", "            self.device_broken = True\n", ""),),
    ),
    Mutation(
        "A worker whose device broke is started anew without delay, however often that happens",
        f"{_FAULTS}::test_supervisor_starts_a_worker_with_a_broken_device_anew_without_delay",
        (Edit("momalisa/worker/supervisor.py", "if code == DEVICE_BROKEN or time", "if time"),),
    ),
    Mutation(
        "A machine with a fault claims no walk until it has proved to be well",
        f"{_FAULTS}::test_cuda_error_at_load_fails_no_walk",
        (
            Edit(
                "momalisa/worker/worker.py",
                "            if self._machine.needs_proof:\n"
                "                return self._prove_machine()\n",
                "",
            ),
        ),
    ),
    Mutation(
        "The proof is a picture that the model paints",
        f"{_FAULTS}::test_cuda_error_at_load_fails_no_walk",
        (
            Edit(
                "momalisa/worker/rendering.py",
                "            if not self._settings.endpoint:\n"
                "                self._paint_probe()\n"
                "            elif self._check_endpoint:",
                "            if self._check_endpoint:",
            ),
        ),
    ),
    Mutation(
        "The proof asks whether the disk of the frames takes files",
        f"{_OUTAGES}::test_probe_looks_at_the_disk_of_the_cache",
        (Edit("momalisa/worker/rendering.py", "check_disk(folder, PROBE_BYTES)", "pass"),),
    ),
    Mutation(
        "A machine with a fault waits before it is tried again",
        f"{_FAULTS}::test_machine_waits_before_it_is_tried_again",
        (
            Edit(
                "momalisa/worker/worker.py",
                "        self._pause(self._machine.seconds_left)\n",
                "",
            ),
        ),
    ),
    Mutation(
        "The pauses of a machine with faults double",
        f"{_MACHINE}::test_pauses_double_up_to_the_longest",
        (
            Edit(
                "momalisa/worker/machine.py",
                "min(self._first * 2.0 ** min(failures - 1, 60), self._longest)",
                "min(self._first, self._longest)",
            ),
        ),
    ),
    Mutation(
        "A restart of the worker forgets no fault",
        f"{_MACHINE}::test_restart_forgets_nothing",
        (
            Edit(
                "momalisa/worker/machine.py",
                "_Record.model_validate_json(path.read_bytes())",
                "_Record()",
            ),
        ),
    ),
    Mutation(
        "A machine that is well again makes the waiting walks by itself",
        f"{_FAULTS}::test_cuda_error_at_load_fails_no_walk",
        (Edit("momalisa/worker/worker.py", "            self._machine.note_proof()\n", ""),),
    ),
    Mutation(
        "A single fault is not told on the pages, three in a row are",
        f"{_MACHINE}::test_single_fault_is_not_shown",
        (
            Edit(
                "momalisa/worker/machine.py",
                'return self.problem if self.failures >= SHOWN_AFTER else ""',
                "return self.problem",
            ),
        ),
    ),
    Mutation(
        "A worker writes down what is wrong with its machine",
        f"{_FAULTS}::test_another_worker_serves_the_queue_meanwhile",
        (
            Edit(
                "momalisa/worker/worker.py",
                "        self._tell_problem()\n        self._pause",
                "        self._pause",
            ),
        ),
    ),
    Mutation(
        "Every page says that no films are made, and why",
        "tests/pages/test_machine_notice.py::test_every_page_tells_of_a_machine_that_is_not_well",
        (Edit("momalisa/ui/shell.py", "        machine_notice.show()", "        pass"),),
    ),
    Mutation(
        "The sentence goes once the machine is well",
        f"{_FAULTS}::test_cuda_error_at_load_fails_no_walk",
        (
            Edit(
                "momalisa/worker/worker.py",
                "            self._machine.note_proof()\n            self._tell_problem()\n",
                "            self._machine.note_proof()\n",
            ),
        ),
    ),
    Mutation(
        "A worker that finds that the one before died at its work proves the machine first",
        "tests/worker/test_deaths.py::test_machine_that_dies_in_its_probe_claims_no_walk",
        (Edit("momalisa/worker/worker.py", "            self._machine.note_death()\n", ""),),
    ),
    Mutation(
        "A machine that dies at every walk fails none of them in a hurry",
        "tests/db/test_deaths.py::test_machine_that_dies_at_every_walk_fails_none",
        (
            Edit(
                "db/deaths.py",
                "others_died = walk.deaths >= MAX_DEATHS and _others_died(session, walk)",
                "others_died = False",
            ),
        ),
    ),
    Mutation(
        "A walk that was given up says nothing against the next one that breaks the machine",
        f"{_OUTAGES}::test_two_walks_that_break_the_machine_fail_one_after_the_other",
        (Edit("momalisa/worker/worker.py", "self._machine.forget_suspect(walk_id)", "pass"),),
    ),
    Mutation(
        "Two walks that break the machine at once are given up in the end",
        f"{_MACHINE}::test_walk_is_given_up_after_more_tries_where_others_fail_too",
        (
            Edit(
                "momalisa/worker/walk_ends.py",
                "MOST_TRIES_OTHERWISE if is_alone else MOST_TRIES_AMONG_OTHERS",
                "MOST_TRIES_OTHERWISE if is_alone else None",
            ),
        ),
    ),
    Mutation(
        "A worker that dies after a new frame says nothing against its machine",
        "tests/worker/test_deaths.py::test_death_after_a_new_frame_says_nothing_about_the_machine",
        (
            Edit(
                "momalisa/worker/worker.py",
                "        if job.has_advanced:\n            self._machine.forget_work()\n",
                "",
            ),
        ),
    ),
    Mutation(
        "A worker that works once says what is wrong with its machine, and fails",
        f"{_FAULTS}::test_worker_that_works_once_says_what_is_wrong_with_its_machine",
        (
            Edit(
                "momalisa/worker/worker.py",
                "                if self.device_broken:\n"
                "                    raise MachineFault(self._machine.problem)\n",
                "",
            ),
        ),
    ),
    Mutation(
        "Before the last try of a walk whose workers died, the others go first",
        "tests/db/test_deaths.py::test_others_go_first_before_the_last_try",
        (
            Edit(
                "db/deaths.py",
                "(others_died or _others_wait(session, walk))",
                "others_died",
            ),
        ),
    ),
    Mutation(
        "A model that an error may have damaged in memory is loaded again",
        "tests/worker/test_faults.py::test_model_that_an_error_may_have_damaged_is_loaded_anew",
        (Edit("momalisa/worker/rendering.py", "self.models.release()", "pass"),),
    ),
    Mutation(
        "A graphics card that is gone is told; the processor does not take over",
        "tests/worker/test_last_device.py"
        "::test_where_a_gpu_has_painted_the_processor_does_not_take_over",
        (
            Edit(
                "momalisa/worker/last_device.py",
                "            check_last_device(settings)\n",
                "            pass\n",
            ),
        ),
    ),
    Mutation(
        "A worker asks what device painted last before it loads a model",
        "tests/worker/test_last_device.py"
        "::test_a_worker_says_that_its_gpu_is_gone_before_it_loads_a_model",
        (
            Edit(
                "momalisa/worker/watched_models.py",
                "load_to_share_cores(load_where_before(load, settings))",
                "load_to_share_cores(load)",
            ),
        ),
    ),
)

MUTATIONS: tuple[Mutation, ...] = (*_FAULT_OF_THE_MACHINE,)
