"""Laws of weights of words, on the model that ships here."""

import pytest
import torch
from torch import Tensor

from momalisa.engine.interpolation import EMBEDDING_MIXES
from momalisa.engine.latents import LatentSampler
from momalisa.engine.runner import ModelRunner
from momalisa.models.registry import load
from momalisa.prompt_weights import parse_prompt
from momalisa.spec import Place
from tests.support.walks import walk_spec

SIZE = (256, 256)


@pytest.fixture(scope="module")
def runner() -> ModelRunner:
    return load("atelier-base", "cpu")


def tokens(runner: ModelRunner, prompt: str) -> Tensor:
    """A prompt's embeddings (length, width), where signs weigh words."""
    return runner.encode_weighted(parse_prompt(prompt), *SIZE).tokens[0]


def stock(runner: ModelRunner, prompt: str) -> Tensor:
    return runner.model.encode([prompt], *SIZE).tokens[0]


@pytest.mark.parametrize(
    "prompt",
    [
        *("a red square on white", "a (red square)1.5 on white", "a red++ square", "cat- dog"),
        *("((cat)1.2 dog)1.5", "(a b+ c)2", "3.5 cats, well-known", "", "(red)0 boat"),
        *(r"a \(cat\)1.3", "(cat)1.3dog", "(a cat)  1.3", "--- a +", "()0.5 cat", "(cat)1.3, dog"),
    ],
)
def test_signs_mean_what_they_mean_to_compel(prompt: str) -> None:
    from compel.prompt_parser import PromptParser

    (meant,) = PromptParser().parse_conjunction(prompt).prompts
    expected = [(part.text, round(part.weight, 6)) for part in meant.children]
    found = [(part.text.strip(), part.weight) for part in parse_prompt(prompt)] or [("", 1.0)]
    assert found == expected


@pytest.mark.parametrize("prompt", ["a red square", "a (red)1 square", "((a red)2)0.5 square"])
def test_a_weight_of_one_everywhere_is_the_stock_prompts_embedding(
    runner: ModelRunner, prompt: str
) -> None:
    assert torch.equal(tokens(runner, prompt), stock(runner, "a red square"))


def test_a_weight_near_one_is_near_to_the_stock_prompts_embedding(runner: ModelRunner) -> None:
    plain = stock(runner, "a red square on white")
    for weight in (0.9999, 1.0001):
        near = tokens(runner, f"a (red square){weight} on white")
        assert float((near - plain).norm() / plain.norm()) < 1e-3


def test_a_higher_weight_moves_words_away_from_the_empty_prompt_in_proportion(
    runner: ModelRunner,
) -> None:
    empty, plain = stock(runner, ""), stock(runner, "a red square")
    for weight in (1.5, 2.0, 4.0):
        moved = tokens(runner, f"a (red){weight} square")
        torch.testing.assert_close(moved[2], empty[2] + weight * (plain[2] - empty[2]))
        others = [row for row in range(len(plain)) if row != 2]
        assert torch.equal(moved[others], plain[others])


def test_a_lower_weight_moves_the_prompt_towards_what_it_is_without_the_words(
    runner: ModelRunner,
) -> None:
    gone = tokens(runner, "a (red)0 square")
    ways = [tokens(runner, f"a (red){weight} square") for weight in (0.25, 0.5, 0.75, 1.0)]
    distances = [float((way - gone).norm()) for way in ways]
    assert distances == sorted(distances)
    assert distances[0] > 0.0


def test_a_weight_that_differs_between_stops_is_the_one_in_between_on_the_way(
    runner: ModelRunner,
) -> None:
    """No step in it: the embeddings are mixed, and those of weights above 1 lie on a line."""
    walk = walk_spec("a red square", "a (red)2 square", model="atelier-base", prompt_weights=True)
    sampler = LatentSampler(walk, runner)
    for t in (0.0, 0.25, 0.5, 1.0):
        mixed = sampler.conditioning_at([Place(0, t)]).tokens[0]
        torch.testing.assert_close(mixed, tokens(runner, f"a (red){1 + t} square"))


def test_prompts_of_any_length_are_mixed_and_weighed_as_far_as_they_are_read(
    runner: ModelRunner,
) -> None:
    long = "a (red)1.5 square " + "and a blue moon " * 28 + "(never read)2"
    ends = tokens(runner, long)[None], tokens(runner, "(sea)1.2")[None]
    mixed = EMBEDDING_MIXES["lerp"](ends[0][0], ends[1][0], torch.tensor([0.5]))
    assert mixed.shape == (1, *stock(runner, "").shape)
    assert bool(mixed.isfinite().all())
    shorter = long.replace("(never read)2", "not read")
    assert torch.equal(tokens(runner, shorter), ends[0][0])


@pytest.mark.parametrize(
    "prompt", ["(,)0.5 cat", "( )0.3 a", "(猫)0.5 ☃+", "(é~)0.2", "(<|x|>)0.4 b"]
)
def test_odd_words_can_be_weighed(runner: ModelRunner, prompt: str) -> None:
    assert bool(tokens(runner, prompt).isfinite().all())


def test_the_negative_prompt_is_weighed_likewise(runner: ModelRunner) -> None:
    def negative(text: str, *, weigh: bool) -> Tensor:
        walk = walk_spec(model="atelier-base", negative=text, prompt_weights=weigh)
        found = LatentSampler(walk, runner).guidance_at([Place(0, 0.0)]).negative
        assert found is not None
        return found.tokens[0]

    assert torch.equal(negative("blue++ fog", weigh=True), tokens(runner, "blue++ fog"))
    assert torch.equal(negative("blue++ fog", weigh=False), stock(runner, "blue++ fog"))
    assert not torch.equal(tokens(runner, "blue++ fog"), stock(runner, "blue++ fog"))


def test_without_the_switch_signs_are_text(runner: ModelRunner) -> None:
    walk = walk_spec("a (red)2 square", "a sea", model="atelier-base")
    (found,) = LatentSampler(walk, runner).conditioning_at([Place(0, 0.0)]).tokens
    assert torch.equal(found, stock(runner, "a (red)2 square"))
