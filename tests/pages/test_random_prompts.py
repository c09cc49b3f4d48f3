"""Random pairs of prompts."""

import re
from random import Random

from momalisa.settings import CHECKOUT
from momalisa.ui.create import random_prompts
from tests.support.pages import spec

WORD = re.compile(r"[a-z'-]+")


def test_pairs_are_varied_and_valid() -> None:
    pairs = {random_prompts.random_pair(Random(seed)) for seed in range(5_000)}
    assert len(pairs) > 4_500
    assert all(spec(*pair).title() for pair in list(pairs)[:500])


def test_a_pair_is_reproducible_from_its_seed() -> None:
    assert (
        random_prompts.random_pair(Random(7))
        == random_prompts.random_pair(Random(7))
        != random_prompts.random_pair(Random(8))
    )


def test_both_prompts_of_a_pair_share_a_colour() -> None:
    for seed in range(500):
        here, there = random_prompts.random_pair(Random(seed))
        assert any(colour in here and colour in there for colour in random_prompts.GROUNDS)
        assert "{" not in here + there


def test_prompts_use_only_words_of_the_shipped_models_training() -> None:
    folder = CHECKOUT / "momalisa" / "atelier"
    texts = (
        path.read_text().lower() for kind in ("py", "txt") for path in folder.rglob(f"*.{kind}")
    )
    learned = {word for text in texts for word in re.findall(r"[a-z'-]+", text)}
    said = " ".join(
        text for seed in range(2_000) for text in random_prompts.random_pair(Random(seed))
    )
    assert set(WORD.findall(said)) <= learned
