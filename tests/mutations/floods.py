"""What one client may send or ask for: the promises, and the edits that break them."""

from tests.mutations.mutation import Edit, Mutation

LIMITS = "momalisa/connection_limits.py"
TESTS_OF_LIMITS = "tests/test_connection_limits.py"

MUTATIONS: tuple[Mutation, ...] = (
    Mutation(
        "No visitor's tags make the Gallery too large for all others",
        "tests/db/test_gallery_query.py"
        "::test_tags_that_are_offered_are_the_most_used_and_the_chosen",
        (
            Edit(
                "db/gallery_query.py",
                "session.scalars(query.limit(MOST_VALUES))",
                "session.scalars(query)",
            ),
        ),
    ),
    Mutation(
        "Of many names that the settings stand for, another one's pages are another site",
        "tests/pages/test_hosts.py"
        "::test_of_many_names_only_the_one_that_was_asked_for_is_the_apps_own",
        (
            Edit(
                "momalisa/ui/http/hosts.py",
                "(name == asked if asked else name in names)",
                "bool(name)",
            ),
        ),
    ),
    Mutation(
        "Another site's link signs nobody out",
        "tests/pages/test_hosts.py::test_a_link_of_another_site_signs_nobody_out",
        (Edit("momalisa/ui/http/hosts.py", " and not path.endswith(SIGN_OUT)", ""),),
    ),
    Mutation(
        "A film's file is saved under no other kind of name",
        "tests/pages/test_media.py::test_a_download_keeps_its_kind_whatever_name_is_requested",
        (
            Edit(
                "momalisa/ui/http/media.py",
                "download.removesuffix(suffix) + suffix",
                "download",
            ),
        ),
    ),
    Mutation(
        "A request whose head does not end is closed before it fills the memory",
        f"{TESTS_OF_LIMITS}::test_an_endless_head_is_closed",
        (
            Edit(
                LIMITS,
                "if connection.head_bytes > HEAD_BYTES or len(",
                "if len(",
            ),
            Edit(
                LIMITS,
                "        if connection.head_bytes <= HEAD_BYTES:\n            method",
                "        method",
            ),
        ),
    ),
    Mutation(
        "A request whose head comes byte by byte is closed at a deadline",
        f"{TESTS_OF_LIMITS}::test_what_comes_byte_by_byte_is_closed_at_the_deadline[a head]",
        (Edit(LIMITS, "loop.call_later(HEAD_SECONDS,", "loop.call_later(10**6,"),),
    ),
    Mutation(
        "A connection that asks for nothing is closed at a deadline",
        f"{TESTS_OF_LIMITS}::test_what_comes_byte_by_byte_is_closed_at_the_deadline[nothing]",
        (Edit(LIMITS, " = 0, None\n    _start_clock(connection)\n", " = 0, None\n"),),
    ),
    Mutation(
        "The deadline of a head closes no connection whose answer takes longer",
        f"{TESTS_OF_LIMITS}::test_the_deadline_is_for_heads_alone",
        (Edit(LIMITS, "        connection.head_clock.cancel()\n", ""),),
    ),
    Mutation(
        "A request of thousands of headers is refused",
        f"{TESTS_OF_LIMITS}::test_a_head_that_is_too_long_is_told_so",
        (Edit(LIMITS, " or len(connection.headers or ()) > HEADERS:", ":"),),
    ),
    Mutation(
        "A flood of frames that are no messages ends its connection",
        f"{TESTS_OF_LIMITS}::test_a_flood_of_frames_is_closed",
        (Edit(LIMITS, "if connection.frames_paid_until <= now:", "if now:"),),
    ),
    Mutation(
        "A message is refused at the size that it announces",
        f"{TESTS_OF_LIMITS}::test_a_message_is_refused_at_the_size_that_it_announces",
        (Edit(LIMITS, "    connection.conn.max_message_size = MESSAGE_BYTES\n", ""),),
    ),
    Mutation(
        "A message that does not end is ended at a deadline",
        f"{TESTS_OF_LIMITS}::test_a_message_that_is_late_ends_its_connection",
        (Edit(LIMITS, "loop.call_later(MESSAGE_SECONDS,", "loop.call_later(10**6,"),),
    ),
    Mutation(
        "The deadline of a message closes no connection of many messages",
        f"{TESTS_OF_LIMITS}::test_many_messages_may_take_longer_than_one",
        (
            Edit(
                LIMITS,
                "    _stop_message_clock(connection)\n    method(connection)\n",
                "    method(connection)\n",
            ),
        ),
    ),
    Mutation(
        "What a closed connection had sent takes no memory",
        f"{TESTS_OF_LIMITS}::test_what_a_closed_connection_had_sent_is_dropped_at_once",
        (Edit(LIMITS, "    connection.conn.reader.discard()\n", ""),),
    ),
    Mutation(
        "An answer that no app gives has security headers",
        f"{TESTS_OF_LIMITS}::test_an_answer_before_the_app_is_asked_is_never_taken_for_a_page",
        (Edit(LIMITS, '    "x-content-type-options: nosniff\\r\\n"\n', ""),),
    ),
    Mutation(
        "A message is no longer than what pages send",
        "tests/pages/test_page_messages.py::test_a_message_of_more_than_a_page_can_hold_is_refused",
        (
            Edit(
                "momalisa/ui/http/page_messages.py",
                "data is None or len(data) > MESSAGE_BYTES:",
                "data is None:",
            ),
        ),
    ),
    Mutation(
        "The app limits its connections",
        "tests/pages/test_page_messages.py"
        "::test_no_message_makes_the_server_look_into_the_checkout_or_name_upload_addresses",
        (Edit("streamlit_app.py", "    connection_limits.limit_connections()\n", ""),),
    ),
    Mutation(
        "The container limits its connections",
        "tests/cloud/test_limits.py::test_an_endless_request_is_closed",
        (Edit("momalisa/cloud/server.py", "    connection_limits.limit_connections()\n", ""),),
    ),
    Mutation(
        "A page's connection takes only the kinds of messages that pages send",
        "tests/pages/test_page_messages.py::test_every_other_kind_is_ignored",
        (
            Edit(
                "momalisa/ui/http/page_messages.py",
                "Verdict.TAKEN if kind in USED else Verdict.IGNORED",
                "Verdict.TAKEN",
            ),
        ),
    ),
    Mutation(
        "No message holds more widgets than a page",
        "tests/pages/test_page_messages.py::test_a_message_of_more_than_a_page_can_hold_is_refused",
        (
            Edit(
                "momalisa/ui/http/page_messages.py",
                "len(widgets) <= MOST_WIDGETS and all(",
                "all(",
            ),
        ),
    ),
    Mutation(
        "Members alone download the table of films where the gallery is for members",
        "tests/pages/test_policy.py::test_routes_know_who_is_signed_in",
        (
            Edit(
                "momalisa/ui/http/tables.py",
                "permit(Action.VIEW, serve_table)",
                "serve_table",
            ),
        ),
    ),
    Mutation(
        "A table of all films is written row by row",
        "tests/pages/test_tables.py::test_a_table_is_written_row_by_row",
        (
            Edit(
                "momalisa/ui/gallery/table_export.py",
                "enumerate(_rows(filters, stopped)):\n        if number == 0:",
                "enumerate(list(_rows(filters, stopped))):\n        if number == 0:",
            ),
        ),
    ),
    Mutation(
        "No address writes lines of its own into the log",
        "tests/pages/test_tables.py"
        "::test_an_unknown_table_is_not_found_and_writes_one_line_into_the_log",
        (
            Edit(
                "momalisa/ui/http/downloads.py",
                'f"{kind!r} of walk',
                'f"{kind} of walk',
            ),
        ),
    ),
)
