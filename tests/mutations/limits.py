"""How much a visitor may ask for: the promises, and the edits that break them."""

from tests.mutations.mutation import Edit, Mutation

IMPORT, STILLS_ROUTE = "momalisa/ui/gallery/import_film.py", "momalisa/ui/http/stills.py"
STILLS, QUEUE_LIMITS = "db/stills.py", "db/queue_limits.py"
SUBMIT, COST = "momalisa/ui/submit.py", "momalisa/walk_cost.py"
PAGES, RATE = "momalisa/ui/http/open_pages.py", "momalisa/ui/http/message_rate.py"
SHARED, WORKER = "momalisa/ui/http/shared_calls.py", "momalisa/worker/worker.py"
TESTS_OF_UPLOADS, TESTS_OF_STILLS = "tests/pages/test_uploads.py", "tests/db/test_stills.py"
TESTS_OF_LIMITS = "tests/db/test_queue_limits.py"
TESTS_OF_SUBMIT, TESTS_OF_SCRUB = "tests/pages/test_submit.py", "tests/pages/test_scrub.py"
TESTS_OF_PAGES, TESTS_OF_RATE = "tests/pages/test_open_pages.py", "tests/pages/test_message_rate.py"
TESTS_OF_DOWNLOADS, TESTS_OF_CACHE = (
    "tests/pages/test_downloads.py",
    "tests/worker/test_cache_trim.py",
)

UPLOADS = (
    Mutation(
        "A file that is dropped arrives before it takes one of the slots for reading",
        f"{TESTS_OF_UPLOADS}::test_slow_uploads_keep_nobody_waiting",
        (
            Edit(
                IMPORT,
                "            await _receive_in_time(request, path, upload)\n",
                "            async with LIMITER:\n"
                "                await _receive_in_time(request, path, upload)\n",
            ),
        ),
    ),
    Mutation(
        "An upload that takes too long is ended",
        f"{TESTS_OF_UPLOADS}::test_one_byte_after_the_other_is_ended_too",
        (Edit(IMPORT, "with upload.scope, fail_after(UPLOAD_SECONDS):", "with upload.scope:"),),
    ),
    Mutation(
        "An upload of which no byte comes is ended",
        f"{TESTS_OF_UPLOADS}::test_an_upload_without_a_byte_for_long_is_ended",
        (Edit(IMPORT, "with fail_after(IDLE_SECONDS):", "with fail_after(UPLOAD_SECONDS):"),),
    ),
    Mutation(
        "An upload that comes byte by byte is ended",
        f"{TESTS_OF_UPLOADS}::test_an_upload_below_the_least_rate_is_ended",
        (Edit(IMPORT, " and upload.rate < LEAST_RATE:", " and not upload.size:"),),
    ),
    Mutation(
        "Slow uploads make room for newcomers",
        f"{TESTS_OF_UPLOADS}::test_slow_uploads_make_room_for_newcomers",
        (Edit(IMPORT, "    _make_room(upload.address)\n", ""),),
    ),
    Mutation(
        "It is the slowest upload that makes room",
        f"{TESTS_OF_UPLOADS}::test_the_slowest_upload_makes_room",
        (
            Edit(
                IMPORT,
                "key=lambda upload: (upload.rate, upload.began)",
                "key=lambda upload: upload.began",
            ),
        ),
    ),
    Mutation(
        "Only so many files of one address wait to be read",
        f"{TESTS_OF_UPLOADS}::test_only_so_many_files_of_one_address_wait_to_be_read",
        (Edit(IMPORT, " or _READ[address] >= UPLOADS_EACH:", ":"),),
    ),
    Mutation(
        "Only so many files wait to be read, of however many addresses",
        f"{TESTS_OF_UPLOADS}::test_only_so_many_files_wait_to_be_read",
        (Edit(IMPORT, "if _READ.total() >= UPLOADS or ", "if "),),
    ),
)
"""Files that are dropped."""

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
        (Edit(STILLS, "        (limits.each, _group_of(Still) == maker[:_GROUP_LENGTH]),\n", ""),),
    ),
    Mutation(
        "Visitors whose address is unknown do not fill all places for pictures",
        f"{TESTS_OF_STILLS}::test_makers_of_unknown_address_share_a_part_of_the_queue",
        (Edit(STILLS, "    if maker.startswith(_LOCAL):\n", "    if not maker:\n"),),
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
        (Edit(STILLS, "(_digest(group) if group else _LOCAL + own[1:])", "own"),),
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
                "            name_walk()\n            self._trim_cache()\n",
                "            name_walk()\n",
            ),
        ),
    ),
    Mutation(
        "Frames of a worker that died are trimmed by the next",
        f"{TESTS_OF_CACHE}::test_frames_of_a_worker_that_died_are_trimmed_by_the_next",
        (Edit(WORKER, "self._last_trim = -TRIM_SECONDS", "self._last_trim = 10.0**9"),),
    ),
    Mutation(
        "Pictures between frames do not fill the cache",
        f"{TESTS_OF_CACHE}::test_stills_do_not_fill_the_cache",
        (
            Edit(
                WORKER,
                "if time.monotonic() - self._last_trim > TRIM_SECONDS:",
                "if self._last_trim < 0:",
            ),
        ),
    ),
)
"""Walks."""

CONNECTIONS = (
    Mutation(
        "One address has only so many pages open",
        f"{TESTS_OF_PAGES}::test_one_address_has_only_so_many_pages_and_all_have",
        (Edit(PAGES, ">= settings().pages_address:", ">= 10**6:"),),
    ),
    Mutation(
        "All addresses together have only so many pages open",
        f"{TESTS_OF_PAGES}::test_one_address_has_only_so_many_pages_and_all_have",
        (Edit(PAGES, ">= settings().pages_total", ">= 10**6"),),
    ),
    Mutation(
        "Where all pages are open, the address with most makes room for one with fewer",
        f"{TESTS_OF_PAGES}::test_who_has_many_pages_makes_room_for_who_has_none",
        (
            Edit(
                PAGES,
                "return MANY if self._is_full() and not self._find_richer(address) else",
                "return MANY if self._is_full() else",
            ),
        ),
    ),
    Mutation(
        "A page that would be too many is a sentence, and looks again by itself",
        f"{TESTS_OF_PAGES}::test_where_too_many_are_open_a_page_is_a_sentence",
        (
            Edit(
                PAGES,
                "    if not refusal:\n        return send\n",
                "    if refusal or not refusal:\n        return send\n",
            ),
        ),
    ),
    Mutation(
        "A network of one subscriber counts as one address",
        f"{TESTS_OF_PAGES}::test_a_household_counts_as_one_address",
        (Edit(PAGES, "if is_v6 else host", "if not host else host"),),
    ),
    Mutation(
        "A flood of messages from one page leaves others their turn",
        f"{TESTS_OF_RATE}::test_a_flood_of_messages_leaves_the_event_loop_to_others",
        (Edit(RATE, "        await asyncio.sleep(wait)\n", ""),),
    ),
    Mutation(
        "A page that sends on and on is disconnected",
        f"{TESTS_OF_RATE}::test_a_page_that_sends_on_and_on_is_disconnected",
        (Edit(RATE, "if late > MOST_LATE:", "if late < 0:"),),
    ),
    Mutation(
        "A message that no page sends ends its connection",
        f"{TESTS_OF_RATE}::test_what_no_page_sends_ends_the_connection",
        (Edit(RATE, 'if not is_of_page(message.get("bytes")):', "if not message:"),),
    ),
    Mutation(
        "Equal downloads share one export",
        f"{TESTS_OF_DOWNLOADS}::test_equal_requests_share_one_export",
        (Edit(SHARED, "if key not in self._calls:", "if key not in self._calls or True:"),),
    ),
    Mutation(
        "An export whose visitors are all gone is stopped",
        f"{TESTS_OF_DOWNLOADS}::"
        "test_an_export_whose_clients_are_gone_is_stopped_and_the_next_one_begins",
        (Edit(SHARED, "        shared.stop.set()\n", ""),),
    ),
    Mutation(
        "Only so many requests for exports wait",
        f"{TESTS_OF_DOWNLOADS}::test_only_so_many_requests_wait",
        (Edit(SHARED, "or self._waiting[address] >= most:", "or most < 0:"),),
    ),
    Mutation(
        "Two exports at most are made at a time",
        "tests/pages/test_media.py::test_at_most_two_exports_run_at_a_time",
        (
            Edit(
                "momalisa/ui/http/downloads.py", 'Threads("exports", 2, ', 'Threads("exports", 6, '
            ),
        ),
    ),
)
"""Pages, messages and downloads."""

MUTATIONS: tuple[Mutation, ...] = (*UPLOADS, *PICTURES, *WALKS, *CONNECTIONS)
"""All mutations, in the order in which they are told."""
