"""Histories that are rebuilt, restored or moved keep all films, numbers and edits."""

from tests.mutations.mutation import Edit, Mutation

MUTATIONS: tuple[Mutation, ...] = (
    Mutation(
        "A film that gets another number has it in its record too",
        "tests/test_film_numbers.py::test_film_that_gets_another_number_keeps_it_in_a_rebuilt_history",
        (
            Edit(
                "db/walks.py",
                'not in fields or fields.get("accession", "") != number:',
                "not in fields:",
            ),
        ),
    ),
    Mutation(
        "A record that cannot be read is told and written anew",
        "tests/test_found_films.py::"
        "test_record_that_cannot_be_read_is_reported_and_written_anew[damage2]",
        (Edit("momalisa/film_intake.py", "    mark_stale(unreadable, database)\n", ""),),
    ),
)
