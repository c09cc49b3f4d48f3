"""Every mutation can still be made: its text is there once, its test exists."""

from pathlib import Path

import pytest

from tests.mutations.catalogue import MUTATIONS
from tests.mutations.mutation import Mutation, apply_edits

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: one.promise)
def test_a_mutation_fits_the_code_and_names_a_test(mutation: Mutation) -> None:
    for path, text in apply_edits(mutation.edits, ROOT).items():
        if path.endswith(".py"):
            compile(text, path, "exec")
    name, function = mutation.test.split("[")[0].split("::", 1)
    assert f"def {function.split('::')[-1]}(" in (ROOT / name).read_text(encoding="utf-8")


def test_no_promise_is_listed_twice() -> None:
    promises = [one.promise for one in MUTATIONS]
    assert len(promises) == len(set(promises))
