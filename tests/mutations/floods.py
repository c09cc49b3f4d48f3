"""What one client may send or ask for: the promises, and the edits that break them."""

from tests.mutations.mutation import Edit, Mutation

MUTATIONS: tuple[Mutation, ...] = (
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
