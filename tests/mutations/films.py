"""Films that are stored stay: the promises, and the edits that break them."""

from tests.mutations.mutation import Edit, Mutation

MUTATIONS: tuple[Mutation, ...] = (
    Mutation(
        "SQLite syncs its log at every commit",
        "tests/db/test_session.py::test_sqlite_is_set_up_to_last",
        (Edit("db/session.py", "PRAGMA synchronous = FULL", "PRAGMA synchronous = NORMAL"),),
    ),
)
