"""Laws of a prompt for the middle: it changes what is between the stops, and nothing else."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from momalisa.engine.attention_legs import AttentionSampler
from momalisa.engine.frame_cache import Frame, FrameCache, frame_key
from momalisa.engine.runner import ModelRunner
from momalisa.engine.walk import stills
from momalisa.spec import Place, WalkSpec, explain
from tests.support.walks import walk_spec

TOLERANCE = 1
"""Of 255 levels: batches of other sizes sum in another order."""

MIDDLE = "a red sail"

attending = partial(walk_spec, frames=5, steps=4, size=64, mode="exact", interpolation="attention")


def largest_difference(one: Frame, other: Frame) -> int:
    return int(np.abs(one.astype(int) - other.astype(int)).max())


def test_a_walk_without_it_is_what_it_was() -> None:
    plain = attending()
    assert "middle" not in plain.model_dump()
    assert WalkSpec.from_stored(plain.model_dump(mode="json")) == plain
    assert attending(middle="  ").digest() == plain.digest() != attending(middle=MIDDLE).digest()


def test_stops_are_the_same_frames_and_all_between_are_others() -> None:
    plain, led = attending(), attending(middle=MIDDLE)
    keys = {t: [frame_key(walk, Place(0, t), "") for walk in (plain, led)] for t in (0, 0.5, 1)}
    assert [one == other for one, other in keys.values()] == [True, False, True]


def test_it_is_read_in_the_middle_and_less_the_nearer_an_end_is(tiny: ModelRunner) -> None:
    walk = attending(middle=MIDDLE)
    sampler, start, end = AttentionSampler(walk, tiny), *(stop.prompt for stop in walk.stops)
    start_text, middle_text, end_text = (
        tiny.encode([prompt], 64, 64).tokens for prompt in (start, MIDDLE, end)
    )
    places = [Place(0, t) for t in (0.0, 0.125, 0.5, 0.75, 1.0)]
    expected = [
        start_text,
        torch.lerp(start_text, middle_text, 0.25),
        middle_text,
        torch.lerp(middle_text, end_text, 0.5),
        end_text,
    ]
    torch.testing.assert_close(sampler.conditioning_at(places).tokens, torch.cat(expected))


@pytest.mark.parametrize("place", [0.0, 0.5, 1.0])
def test_frames_go_on_to_the_stops_and_through_the_middle(
    tiny: ModelRunner, tmp_path: Path, place: float
) -> None:
    walk, cache = attending(middle=MIDDLE, guidance=1.0), FrameCache(tmp_path)
    beside = [place + step for step in (-1e-5, 1e-5) if 0.0 <= place + step <= 1.0]
    one, *others = (stills(walk, [Place(0, t)], tiny, cache)[0].frame for t in (place, *beside))
    assert all(largest_difference(one, other) <= TOLERANCE for other in others)
    plain = attending(guidance=1.0)
    (without,) = stills(plain, [Place(0, place)], tiny, FrameCache(tmp_path / "plain"))
    assert (largest_difference(one, without.frame) > TOLERANCE) == (place == 0.5)


def test_no_other_interpolation_has_one() -> None:
    with pytest.raises(ValidationError) as caught:
        walk_spec(interpolation="lerp", middle=MIDDLE)
    assert "needs the interpolation attention" in explain(caught.value)["middle"]


def test_its_signs_are_checked_where_signs_weigh_words() -> None:
    with pytest.raises(ValidationError) as caught:
        attending(middle="a (cat", prompt_weights=True)
    assert explain(caught.value)["prompt_weights"].startswith("The prompt for the middle: ")
