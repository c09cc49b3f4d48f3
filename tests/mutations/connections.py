"""Uploads, pages, messages and downloads: the promises, and the edits that break them."""

from tests.mutations.mutation import Edit, Mutation

RECEIVE, SHARED = "momalisa/ui/http/uploads.py", "momalisa/ui/http/shared_calls.py"
PAGES, RATE = "momalisa/ui/http/open_pages.py", "momalisa/ui/http/message_rate.py"
TESTS_OF_UPLOADS = "tests/pages/test_uploads.py"
TESTS_OF_DOWNLOADS = "tests/pages/test_downloads.py"
TESTS_OF_PAGES = "tests/pages/test_open_pages.py"
TESTS_OF_RATE = "tests/pages/test_message_rate.py"

UPLOADS = (
    Mutation(
        "A file that is dropped arrives before it takes one of the slots for reading",
        f"{TESTS_OF_UPLOADS}::test_slow_uploads_keep_nobody_waiting",
        (
            Edit(
                RECEIVE,
                "            await _receive_in_time(request, path, upload)\n",
                "            async with LIMITER:\n"
                "                await _receive_in_time(request, path, upload)\n",
            ),
        ),
    ),
    Mutation(
        "An upload that takes too long is ended",
        f"{TESTS_OF_UPLOADS}::test_one_byte_after_the_other_is_ended_too",
        (Edit(RECEIVE, "with upload.scope, fail_after(UPLOAD_SECONDS):", "with upload.scope:"),),
    ),
    Mutation(
        "An upload of which no byte comes is ended",
        f"{TESTS_OF_UPLOADS}::test_an_upload_without_a_byte_for_long_is_ended",
        (Edit(RECEIVE, "with fail_after(IDLE_SECONDS):", "with fail_after(UPLOAD_SECONDS):"),),
    ),
    Mutation(
        "An upload that comes byte by byte is ended",
        f"{TESTS_OF_UPLOADS}::test_an_upload_below_the_least_rate_is_ended",
        (Edit(RECEIVE, " and upload.rate < LEAST_RATE:", " and not upload.size:"),),
    ),
    Mutation(
        "Slow uploads make room for newcomers",
        f"{TESTS_OF_UPLOADS}::test_slow_uploads_make_room_for_newcomers",
        (Edit(RECEIVE, "    _make_room(upload.address)\n", ""),),
    ),
    Mutation(
        "It is the slowest upload that makes room",
        f"{TESTS_OF_UPLOADS}::test_the_slowest_upload_makes_room",
        (
            Edit(
                RECEIVE,
                "key=lambda upload: (upload.rate, upload.began)",
                "key=lambda upload: upload.began",
            ),
        ),
    ),
    Mutation(
        "Only so many files of one address wait to be read",
        f"{TESTS_OF_UPLOADS}::test_only_so_many_files_of_one_address_wait_to_be_read",
        (Edit(RECEIVE, " or _READ[address] >= UPLOADS_EACH:", ":"),),
    ),
    Mutation(
        "Only so many files wait to be read, of however many addresses",
        f"{TESTS_OF_UPLOADS}::test_only_so_many_files_wait_to_be_read",
        (Edit(RECEIVE, "if _READ.total() >= UPLOADS or ", "if "),),
    ),
)
"""Files that are dropped."""

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
        "tests/pages/test_addresses.py::test_a_household_counts_as_one_address",
        (
            Edit(
                "momalisa/ui/http/addresses.py",
                "str(IPv6Network((int(address), 64), strict=False))",
                "str(address)",
            ),
        ),
    ),
    Mutation(
        "A flood of messages from one page leaves others their turn",
        f"{TESTS_OF_RATE}::test_a_flood_of_messages_leaves_the_event_loop_to_others",
        (Edit(RATE, "            await asyncio.sleep(wait)\n", ""),),
    ),
    Mutation(
        "Pages of one address begin no more runs at a time than others can bear",
        f"{TESTS_OF_RATE}::test_pages_of_one_address_begin_no_more_runs_than_the_server_can_take",
        (
            Edit(
                RATE,
                "            await asyncio.sleep("
                'address.take(cost + len(data or b"") // COUNTED_BYTES))\n',
                "",
            ),
        ),
    ),
    Mutation(
        "What a browser sends is read in small parts, so that others have their turn",
        f"{TESTS_OF_RATE}::test_what_a_browser_sends_is_read_in_small_parts",
        (
            Edit(
                RATE,
                "_SelectorTransport.max_size = READ_BYTES",
                "_SelectorTransport.max_size = 2**18",
            ),
        ),
    ),
    Mutation(
        "Long messages of an address come more slowly than short ones",
        f"{TESTS_OF_RATE}::test_a_long_message_counts_as_many",
        (Edit(RATE, 'cost + len(data or b"") // COUNTED_BYTES', "cost"),),
    ),
    Mutation(
        "A client that goes is no error in the log",
        f"{TESTS_OF_RATE}::test_a_client_that_goes_is_no_error_and_starts_nothing_more",
        (Edit(RATE, "_noting_the_end(send, gone))", "send)"),),
    ),
    Mutation(
        "What a client sent that is gone starts nothing",
        f"{TESTS_OF_RATE}::test_a_client_that_goes_is_no_error_and_starts_nothing_more",
        (Edit(RATE, "if gone.is_set():", "if not message:"),),
    ),
    Mutation(
        "A page that sends on and on is disconnected",
        f"{TESTS_OF_RATE}::test_a_page_that_sends_on_and_on_is_disconnected",
        (Edit(RATE, "if late > MOST_LATE:", "if late < 0:"),),
    ),
    Mutation(
        "A message that no page sends ends its connection",
        f"{TESTS_OF_RATE}::test_what_no_page_sends_ends_the_connection",
        (Edit(RATE, "if verdict is Verdict.REFUSED:", "if not message:"),),
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
        "A download's files are made and deleted off the event loop",
        "tests/pages/test_downloads.py::test_results_are_taken_and_discarded_off_the_event_loop",
        (
            Edit(
                SHARED,
                "await self._disk.run(take, shared.future.result())",
                "take(shared.future.result())",
            ),
        ),
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

MUTATIONS: tuple[Mutation, ...] = (*UPLOADS, *CONNECTIONS)
"""All mutations, in the order in which they are told."""
