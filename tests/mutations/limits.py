"""Walks and pictures that a visitor may ask for: the promises, and the edits that break them."""

from tests.mutations.mutation import Edit, Mutation

STILLS_ROUTE = "momalisa/ui/http/stills.py"
STILLS, QUEUE_LIMITS = "db/stills.py", "db/queue_limits.py"
SUBMIT, COST = "momalisa/ui/submit.py", "momalisa/walk_cost.py"
WORKER, HOUSEKEEPING = "momalisa/worker/worker.py", "momalisa/worker/housekeeping.py"
TESTS_OF_STILLS = "tests/db/test_stills.py"
TESTS_OF_LIMITS = "tests/db/test_queue_limits.py"
TESTS_OF_SUBMIT, TESTS_OF_SCRUB = "tests/pages/test_submit.py", "tests/pages/test_scrub.py"
TESTS_OF_CACHE = "tests/worker/test_cache_trim.py"

PICTURES = (
    Mutation(
        "A picture that nobody waits for any more is not painted",
        f"{TESTS_OF_STILLS}::test_abandoned_stills_do_not_stay_and_are_not_painted",
        (
            Edit(
                STILLS,
                "    _fail_orphans(session)\n    _drop_expired(session)\n",
                "    _fail_orphans(session)\n",
            ),
        ),
    ),
    Mutation(
        "A picture that nobody waits for any more takes no place from others",
        f"{TESTS_OF_STILLS}::test_only_so_many_stills_wait",
        (
            Edit(
                STILLS,
                "    _drop_expired(session)\n    queued = and_(",
                "    queued = and_(",
            ),
        ),
    ),
    Mutation(
        "A picture that a browser waits for is not dropped",
        f"{TESTS_OF_STILLS}::test_still_that_is_asked_for_again_stays",
        (
            Edit(
                STILLS,
                ".values(asked_at=database_now(session))",
                ".values(asked_at=Still.asked_at)",
            ),
        ),
    ),
    Mutation(
        "Only so many pictures wait, of however many visitors",
        f"{TESTS_OF_STILLS}::test_only_so_many_stills_wait",
        (Edit(STILLS, "        (limits.total, Still.id.is_not(None)),\n", ""),),
    ),
    Mutation(
        "Only so many pictures of one address wait, under however many names",
        f"{TESTS_OF_STILLS}::test_only_so_many_stills_of_one_address_wait",
        (Edit(STILLS, "        (limits.each, _group_of(Still) == group_of_maker(maker)),\n", ""),),
    ),
    Mutation(
        "Visitors whose address is unknown do not fill all places for pictures",
        f"{TESTS_OF_STILLS}::test_makers_of_unknown_address_share_a_part_of_the_queue",
        (Edit(STILLS, "    if maker.startswith(LOCAL):\n", "    if not maker:\n"),),
    ),
    Mutation(
        "Pictures are painted for each address in turn",
        f"{TESTS_OF_STILLS}::test_addresses_are_served_in_turn",
        (Edit(STILLS, "order_by(served, Still.created_at", "order_by(Still.created_at"),),
    ),
    Mutation(
        "Nobody drops another visitor's picture by using their name",
        f"{TESTS_OF_STILLS}::"
        "test_a_visitors_still_is_not_dropped_by_who_names_them_at_another_address",
        (Edit(STILLS, "(_digest(group) if group else LOCAL + own[1:])", "own"),),
    ),
    Mutation(
        "The place that a browser claims for its pictures is not believed",
        f"{TESTS_OF_SCRUB}::test_an_address_has_few_pictures_under_however_many_names",
        (
            Edit(
                STILLS_ROUTE,
                "sign_in.visitor_of(request).maker or address_of(request)",
                "sign_in.visitor_of(request).maker",
            ),
        ),
    ),
    Mutation(
        "MOMALISA_STILLS says how many pictures wait at a time",
        f"{TESTS_OF_SCRUB}::test_the_setting_says_how_many_pictures_wait",
        (Edit(STILLS_ROUTE, "total = settings().stills", "total = 40"),),
    ),
    Mutation(
        "Only so many requests for pictures of one address wait",
        f"{TESTS_OF_SCRUB}::test_only_so_many_requests_of_one_address_wait",
        (Edit(STILLS_ROUTE, "if _WAITING[address] >= WAITING_EACH:", "if WAITING_EACH < 0:"),),
    ),
    Mutation(
        "A picture that is much work is refused with a sentence",
        f"{TESTS_OF_SCRUB}::test_a_picture_that_is_much_work_is_refused",
        (Edit(STILLS_ROUTE, "    check_still_cost(spec)\n", ""),),
    ),
    Mutation(
        "Pictures take at most half of a walk's time",
        "tests/worker/test_stills.py::test_a_stream_of_stills_takes_at_most_half_of_a_walks_time",
        (
            Edit(
                "momalisa/worker/time_share.py",
                "return walk_seconds >= still_seconds",
                "return True",
            ),
        ),
    ),
)
"""Pictures between frames."""

WALKS = (
    Mutation(
        "One maker has only so many walks in the queue",
        f"{TESTS_OF_LIMITS}::test_one_maker_has_only_so_many_walks_in_the_queue",
        (Edit(QUEUE_LIMITS, "Walk.maker == maker) >= limits.each", "Walk.maker == maker) < 0"),),
    ),
    Mutation(
        "One address has only so many walks in the queue, in however many sessions",
        f"{TESTS_OF_LIMITS}::test_new_sessions_from_one_address_share_a_limit",
        (Edit(QUEUE_LIMITS, "if origin and _count(", "if not origin and _count("),),
    ),
    Mutation(
        "All makers together have only so many walks in the queue",
        f"{TESTS_OF_LIMITS}::test_all_makers_together_have_a_limit",
        (Edit(QUEUE_LIMITS, "IS_QUEUED) >= limits.total", "IS_QUEUED) < 0"),),
    ),
    Mutation(
        "Walks that are submitted at the same time do not slip through the limits",
        f"{TESTS_OF_LIMITS}::test_tabs_at_the_same_time_do_not_slip_through",
        (
            Edit(
                "db/walks.py",
                "    accession = accession_numbers.assign_next(session, moment.year)\n    if",
                "    if",
            ),
            Edit(
                "db/walks.py",
                "origin=origin)\n    walk = Walk(",
                "origin=origin)\n"
                "    accession = accession_numbers.assign_next(session, moment.year)\n"
                "    walk = Walk(",
            ),
        ),
    ),
    Mutation(
        "MOMALISA_WALKS_EACH says how many walks one visitor has in the queue",
        f"{TESTS_OF_SUBMIT}::test_the_settings_say_how_many_walks_are_taken",
        (Edit(SUBMIT, "each=settings().walks_each", "each=10**6"),),
    ),
    Mutation(
        "MOMALISA_WALKS_ADDRESS says how many walks one address has in the queue",
        f"{TESTS_OF_SUBMIT}::test_the_settings_say_how_many_walks_are_taken",
        (Edit(SUBMIT, "address=settings().walks_address", "address=10**6"),),
    ),
    Mutation(
        "MOMALISA_WALKS_TOTAL says how many walks all visitors have in the queue",
        f"{TESTS_OF_SUBMIT}::test_the_settings_say_how_many_walks_are_taken",
        (Edit(SUBMIT, "total=settings().walks_total", "total=10**6"),),
    ),
    Mutation(
        "A walk that is too large is not queued, whatever the form let pass",
        f"{TESTS_OF_SUBMIT}::test_a_walk_that_is_too_large_is_not_queued",
        (Edit(SUBMIT, "        check_cost(spec, settings().largest_walk)\n", ""),),
    ),
    Mutation(
        "The form says of a walk that is too large what would fit",
        "tests/pages/test_create.py::test_a_walk_that_is_too_large_is_told_what_would_fit",
        (Edit("momalisa/ui/draft.py", "        check_cost(spec, settings().largest_walk)\n", ""),),
    ),
    Mutation(
        "What a refusal says would fit does fit",
        "tests/test_walk_cost.py::test_what_the_sentence_offers_fits",
        (
            Edit(
                COST,
                "return fitting[-1] if fitting else None",
                "return values[-1] if values else None",
            ),
        ),
    ),
    Mutation(
        "The largest walk that can be described is refused unless a setting allows it",
        "tests/test_walk_cost.py::test_the_largest_walk_that_a_spec_allows_is_refused_by_default",
        (
            Edit(
                "momalisa/settings.py",
                "        1000,\n        gt=0,",
                "        10**9,\n        gt=0,",
            ),
        ),
    ),
    Mutation(
        "A visitor submits no walk with a model that visitors may not name",
        f"{TESTS_OF_SUBMIT}::test_a_visitor_walks_no_folder_by_its_path",
        (Edit(SUBMIT, "            find_for_visitor(spec.model)\n", "            pass\n"),),
    ),
    Mutation(
        "The frame cache is trimmed whatever ends a walk",
        f"{TESTS_OF_CACHE}::test_a_walk_that_ends_badly_leaves_no_full_cache",
        (
            Edit(
                WORKER,
                "            name_walk()\n            self._housekeeping.trim_cache()\n",
                "            name_walk()\n",
            ),
        ),
    ),
    Mutation(
        "Frames of a worker that died are trimmed by the next",
        f"{TESTS_OF_CACHE}::test_frames_of_a_worker_that_died_are_trimmed_by_the_next",
        (Edit(HOUSEKEEPING, "self._last_trim = -TRIM_SECONDS", "self._last_trim = 10.0**9"),),
    ),
    Mutation(
        "Pictures between frames do not fill the cache",
        f"{TESTS_OF_CACHE}::test_stills_do_not_fill_the_cache",
        (
            Edit(
                HOUSEKEEPING,
                "if time.monotonic() - self._last_trim > TRIM_SECONDS:",
                "if self._last_trim < 0:",
            ),
        ),
    ),
)
"""Walks."""

MUTATIONS: tuple[Mutation, ...] = (*PICTURES, *WALKS)
"""All mutations, in the order in which they are told."""
