"""Pictures as one drags and types: the promises, and the edits that break them."""

from tests.mutations.mutation import Edit, Mutation

SERVER = "momalisa/worker/live_server.py"
ROUTE = "momalisa/ui/http/live.py"
TESTS_OF_EXPLORING = "tests/worker/test_explored_legs.py"
TESTS_OF_WORKER, TESTS_OF_ROUTE = "tests/worker/test_live.py", "tests/pages/test_live.py"

MUTATIONS = (
    Mutation(
        "Who waits for a film is slowed by half at most, however much others drag",
        f"{TESTS_OF_WORKER}::test_a_stream_of_questions_takes_at_most_half_of_a_walks_time",
        (
            Edit(
                "momalisa/worker/still_painter.py",
                "        if not self._clock.is_due:\n            return\n",
                "",
            ),
        ),
    ),
    Mutation(
        "Of one who drags only the newest place is waited for",
        f"{TESTS_OF_WORKER}::test_of_one_visitor_only_the_newest_question_waits",
        (Edit(SERVER, ".pop(question.maker).pictures.cancel()", ".pop(question.maker)"),),
    ),
    Mutation(
        "One who drags all the time leaves others their turns",
        f"{TESTS_OF_WORKER}::test_those_who_asked_less_come_first",
        (Edit(SERVER, "sorted(fitting, key=turn)", "fitting"),),
    ),
    Mutation(
        "A question ahead of a drag keeps no other waiting",
        f"{TESTS_OF_EXPLORING}::test_a_worker_leaves_a_leg_half_explored_for_another_picture",
        (
            Edit(
                "momalisa/worker/still_painter.py",
                "lambda: self._live.must_give_way(question)",
                "lambda: False",
            ),
        ),
    ),
    Mutation(
        "A question ahead of a drag interrupts no walk, and comes after all others",
        f"{TESTS_OF_EXPLORING}::test_a_question_ahead_of_a_drag_comes_last_and_interrupts_no_walk",
        (Edit(SERVER, " and not waiting.question.ahead)", ")"),),
    ),
    Mutation(
        "A picture ahead of a drag keeps that drag not waiting",
        f"{TESTS_OF_EXPLORING}::test_a_picture_ahead_of_a_drag_gives_way_to_that_drag_too",
        (Edit(SERVER, "and not (question.explores and ", "and not ("),),
    ),
    Mutation(
        "One address has few questions at a time, under however many names",
        f"{TESTS_OF_WORKER}::test_an_address_has_few_questions_under_however_many_names",
        (Edit(SERVER, " or alike >= WAITING_EACH", ""),),
    ),
    Mutation(
        "Silent connections do not cost a worker all its threads",
        f"{TESTS_OF_WORKER}::test_more_connections_than_may_wait_are_closed",
        (Edit(SERVER, "if self.free.acquire(blocking=False):", "if True:"),),
    ),
    Mutation(
        "Other accounts of the machine cannot ask a worker",
        f"{TESTS_OF_WORKER}::test_only_the_owner_may_ask_and_a_worker_that_ends_leaves_no_socket",
        (Edit(SERVER, "    path.parent.chmod(0o700)  # before there is a socket in it\n", ""),),
    ),
    Mutation(
        "The socket of a worker that was killed keeps no new one from listening",
        f"{TESTS_OF_WORKER}::test_a_socket_that_a_killed_worker_left_is_replaced",
        (
            Edit(
                SERVER,
                "    path.unlink(missing_ok=True)  # of a worker that was killed",
                "    pass  # of a worker that was killed",
            ),
        ),
    ),
    Mutation(
        "A home with a long path has pictures as one drags as well",
        f"{TESTS_OF_WORKER}::test_a_home_with_a_long_path_has_a_socket_as_well",
        (
            Edit(
                "momalisa/worker/live_socket.py",
                "if len(os.fsencode(path)) <= LONGEST_NAME:",
                "if True:",
            ),
        ),
    ),
    Mutation(
        "A worker that loads its model says so",
        f"{TESTS_OF_WORKER}::test_while_the_model_is_loaded_the_answer_says_so",
        (Edit(SERVER, "LOADING if is_loading else OTHER_MODEL", "OTHER_MODEL"),),
    ),
    Mutation(
        "A worker that died is not taken for one on another machine",
        f"{TESTS_OF_ROUTE}::test_without_an_answer_the_reason_says_how_the_worker_is",
        (
            Edit(
                "momalisa/ui/http/worker_state.py",
                " if not identity_of(worker).has_ended}",
                "}",
            ),
        ),
    ),
    Mutation(
        "Another site's page cannot keep the worker painting",
        f"{TESTS_OF_ROUTE}::test_cross_site_requests_are_rejected",
        (Edit(ROUTE, '== "cross-site"', '== "nowhere"'),),
    ),
    Mutation(
        "An address waits for few pictures at a time",
        f"{TESTS_OF_ROUTE}::test_an_address_waits_for_few_pictures_at_a_time",
        (Edit(ROUTE, "if _WAITING[address] >= (", "if False and ("),),
    ),
    Mutation(
        "Who may make nothing has nothing painted as they drag",
        "tests/pages/test_policy.py::test_routes_know_who_is_signed_in",
        (Edit(ROUTE, "permit(Action.MAKE, answer_in_time(serve_live))", "serve_live"),),
    ),
)
