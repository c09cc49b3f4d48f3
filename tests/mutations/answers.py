"""What answers to strangers hold and tell: the promises, and the edits that break them."""

from tests.mutations.mutation import Edit, Mutation

HEADERS, DETAIL = "momalisa/ui/http/headers.py", "momalisa/ui/film_detail.py"
TESTS_OF_HOSTS, TESTS_OF_ERRORS = "tests/pages/test_hosts.py", "tests/pages/test_errors.py"

MUTATIONS: tuple[Mutation, ...] = (
    Mutation(
        "A page loads and runs nothing from other sites",
        f"{TESTS_OF_ERRORS}::test_every_answer_has_the_headers",
        (Edit(HEADERS, '"default-src": ["\'self\'"],', '"default-src": ["*"],'),),
    ),
    Mutation(
        "A page runs no script that stands in its HTML, but two that are known",
        f"{TESTS_OF_ERRORS}::test_every_answer_has_the_headers",
        (
            Edit(
                HEADERS,
                '            "blob:",\n            "\'wasm',
                '            "blob:",\n            "\'unsafe-inline\'",\n            "\'wasm',
            ),
        ),
    ),
    Mutation(
        "No other site shows the app in a frame",
        f"{TESTS_OF_ERRORS}::test_every_answer_has_the_headers",
        (Edit(HEADERS, "split_list(current.embedders) or [\"'none'\"]", '["*"]'),),
    ),
    Mutation(
        "No other site shows the app in a frame of an old browser",
        f"{TESTS_OF_ERRORS}::test_every_answer_has_the_headers",
        (Edit(HEADERS, '{"X-Frame-Options": "DENY"}', "{}"),),
    ),
    Mutation(
        "Browsers take no file for one of another kind",
        f"{TESTS_OF_ERRORS}::test_every_answer_has_the_headers",
        (Edit(HEADERS, '        "X-Content-Type-Options": "nosniff",\n', ""),),
    ),
    Mutation(
        "Other sites are not told which film a visitor came from",
        f"{TESTS_OF_ERRORS}::test_every_answer_has_the_headers",
        (Edit(HEADERS, '        "Referrer-Policy": "same-origin",\n', ""),),
    ),
    Mutation(
        "Pages can use neither camera nor microphone",
        f"{TESTS_OF_ERRORS}::test_every_answer_has_the_headers",
        (Edit(HEADERS, "camera=(), microphone=(), ", ""),),
    ),
    Mutation(
        "Answers to errors have the security headers",
        "tests/pages/test_errors.py::test_an_error_is_a_sentence_with_the_headers",
        (Edit(HEADERS, 'if started or scope["type"] != "http":', "if scope:"),),
    ),
    Mutation(
        "Every answer of the server has the security headers, refusals included",
        f"{TESTS_OF_HOSTS}::test_the_server_refuses_unknown_names_before_anything_else",
        (Edit("streamlit_app.py", "        Middleware(headers.add_security_headers),\n", ""),),
    ),
    Mutation(
        "Errors of the history name neither a path nor a server to visitors",
        "tests/pages/test_errors.py::test_an_error_of_the_history_names_no_place",
        (
            Edit(
                "momalisa/ui/error_display.py",
                'return _LOCATION.sub("", str(error))',
                "return str(error)",
            ),
        ),
    ),
    Mutation(
        "A password in the query of the history's address is not told",
        "tests/db/test_error_messages.py::test_server_that_is_gone_is_out_of_reach",
        (Edit("db/session.py", ".difference_update_query(SECRETS)", ""),),
    ),
    Mutation(
        "A password in an address that cannot be read is not told",
        "tests/test_settings.py::"
        "test_an_address_of_the_history_that_cannot_be_read_is_told_without_its_password",
        (
            Edit(
                "momalisa/settings.py",
                'shown = re.sub(r"(^|//).*@", r"\\1***@", str(problem["input"]), '
                "flags=re.DOTALL)[:80]",
                'shown = str(problem["input"])[:80]',
            ),
        ),
    ),
    Mutation(
        "A visitor cannot add entries to the log",
        "tests/test_logs.py::test_an_entry_is_one_line_whatever_a_visitor_writes",
        (Edit("momalisa/logs.py", "one if one.isprintable() else", "one if one else"),),
    ),
    Mutation(
        "A deletion that fails is told beside the film",
        "tests/pages/test_film_detail.py::test_a_deletion_that_fails_is_told_beside_the_film",
        (
            Edit(
                DETAIL,
                "    if pressed:\n        with error_display.errors_as_toasts():\n",
                "    if pressed:\n        with suppress():\n",
            ),
        ),
    ),
    Mutation(
        "A click that moves a stop which was just removed is no error",
        "tests/pages/test_create.py::test_a_stop_that_was_just_removed_cannot_be_moved",
        (Edit("momalisa/ui/draft_stops.py", "    if stop_id not in ids:", "    if not ids:"),),
    ),
)
"""All mutations, in the order in which they are told."""
