"""Laws of attention interpolation: its formula, the model's own ends, and nothing else."""

import gc
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import LCMScheduler
from diffusers.models.attention_processor import Attention
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from momalisa.engine import attention
from momalisa.engine.attention_legs import AttentionSampler
from momalisa.engine.conditioning import Conditioning
from momalisa.engine.frame_cache import Frame, FrameCache
from momalisa.engine.guided_legs import MixedTokens
from momalisa.engine.prediction_mix import Toward
from momalisa.engine.runner import ModelRunner
from momalisa.engine.shortcuts import PROBES
from momalisa.engine.walk import frames, stills
from momalisa.models.registry import load
from momalisa.spec import Place, WalkSpec
from momalisa.walk_cost import count_picture_steps
from tests.support.attention_laws import check_attention
from tests.support.walks import walk_spec

TOLERANCE = 1
"""Of 255 levels: batches of other sizes sum in another order."""

attending = partial(walk_spec, frames=5, steps=4, size=64, mode="exact", interpolation="attention")


@pytest.fixture
def cache(tmp_path: Path) -> FrameCache:
    return FrameCache(tmp_path / "frames")


def painted(spec: WalkSpec, runner: ModelRunner, cache: FrameCache, batch: int = 0) -> list[Frame]:
    """The walk's frames, by their place."""
    found = [frame for frame in frames(spec, runner, cache, batch=batch) if frame.finished]
    return [frame.frame for frame in sorted(found, key=lambda frame: frame.index)]


def largest_difference(one: list[Frame], other: list[Frame]) -> int:
    return int(np.abs(np.stack(one).astype(int) - np.stack(other).astype(int)).max())


class OneLayer(nn.Module):
    """A network of one attention layer: over itself, or over a text."""

    def __init__(self, cross: bool, name: str = "layer") -> None:
        super().__init__()
        self.name = name
        self.layer = Attention(8, cross_attention_dim=6 if cross else None, heads=2, dim_head=4)
        self.cross = cross

    @property
    def attn_processors(self) -> dict[str, Any]:
        return {self.name: self.layer.processor}

    def set_attn_processor(self, processors: dict[str, Any]) -> None:
        self.layer.set_processor(processors[self.name])

    def forward(self, latents: Tensor, _time: Tensor, conditions: Conditioning) -> Tensor:
        pixels = latents.flatten(0, -3)
        answer: Tensor = self.layer(pixels, conditions.tokens if self.cross else None)
        return answer.reshape(latents.shape)


def read(layer: Any, pixels: Tensor, tokens: Tensor) -> Tensor:
    """Multi-head attention of pixels over tokens, written out."""
    parts = layer.to_q(pixels), layer.to_k(tokens), layer.to_v(tokens)
    q, k, v = (x.reshape(len(x), -1, 2, 4).transpose(1, 2) for x in parts)
    joined = scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
    return layer.to_out[0](joined)  # type: ignore[no-any-return]


@pytest.mark.parametrize("cross", [False, True])
@torch.no_grad()
def test_both_ends_are_predicted_for_and_read_by_self_attention(cross: bool) -> None:
    torch.manual_seed(0)
    network, t = OneLayer(cross), torch.tensor([0.25, 0.8])
    ends, own = torch.randn(2, 5, 8), torch.randn(2, 5, 8)
    texts = torch.randn(2, 3, 6)
    start, end = (Conditioning(text[None]).repeat(2) for text in texts)
    attention.attach(network)
    _, tokens = attention.record_tokens(network)(ends, t, Conditioning(texts))
    assert len(tokens) == (0 if cross else 1)
    answer = attention.predict_between(network)(own[:, None], t, start, Toward(t, end), tokens)

    layer: Any = network.layer
    for row, at in enumerate(t):
        frame = own[row : row + 1]
        first, second = (
            read(layer, frame, text[None] if cross else torch.cat([frame, picture[None]], 1))
            for text, picture in zip(texts, ends, strict=True)
        )
        expected = (1 - at) * first + at * second
        torch.testing.assert_close(answer[row], expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("cross", "name"), [(False, "up_blocks.0"), (False, "mid"), (True, "up_blocks.0")]
)
@torch.no_grad()
def test_beside_a_work_upper_layers_alone_read_both_ends_and_no_texts_are_touched(
    cross: bool, name: str
) -> None:
    """To the last bit it is what the layer itself answers to these tokens."""
    torch.manual_seed(0)
    network, time = OneLayer(cross, name), torch.tensor(0)
    latents, texts = torch.randn(4, 1, 5, 8), Conditioning(torch.randn(4, 3, 6))
    plain = network(latents, time, texts)
    expected = plain.clone()
    if name.startswith("up_blocks") and not cross:
        tokens = latents[:, 0].clone()
        tokens[1] = torch.lerp(tokens[2], tokens[3], 0.3)
        expected = read(network.layer, latents[:, 0], tokens)[:, None]
    for _ in range(2):
        attention.attach(network)
    with attention.reading(MixedTokens(0.3)):
        assert torch.equal(network(latents, time, texts), expected)
    assert torch.equal(network(latents, time, texts), plain)


def test_a_layer_has_one_processor_around_its_own(tiny: ModelRunner) -> None:
    """Around each other, they cost time at each layer."""
    network: Any = tiny.model.network
    for _ in range(2):
        attention.attach(network)
    readers = network.attn_processors.values()
    assert all(isinstance(reader, attention.TokenReader) for reader in readers)
    assert not any(isinstance(reader.own, attention.TokenReader) for reader in readers)


def test_the_weight_of_the_end_rises_slower_in_the_middle_and_from_0_to_1() -> None:
    t = torch.linspace(0.0, 1.0, 101, dtype=torch.float64)
    weight = attention.weigh_end(t)
    steps = weight.diff()
    assert weight[0] == 0.0
    torch.testing.assert_close(weight + weight.flip(0), torch.ones_like(t))
    assert steps.min() > 0.0
    assert steps[50] < 0.01 < steps[0]


@pytest.mark.parametrize("progress", [0.5, 0.75, 0.95])
def test_in_late_steps_a_text_is_mostly_that_of_the_nearer_end(progress: float) -> None:
    texts = [attention.hasten(n / 100, progress) for n in range(101)]
    assert texts[0] == 0.0
    assert texts[50] == 0.5
    assert texts[100] == 1.0
    assert texts[20] < 0.07
    assert all(high > low for low, high in pairwise(texts))


def test_the_ends_are_the_models_own_pictures(tiny: ModelRunner, tmp_path: Path) -> None:
    """They share keys, too, so that a stop is painted once, whatever leads to it."""
    own = FrameCache(tmp_path / "a")
    plain = painted(attending(interpolation="lerp"), tiny, own)
    ends = painted(attending(), tiny, FrameCache(tmp_path / "b"))
    assert largest_difference([plain[0], plain[-1]], [ends[0], ends[-1]]) <= TOLERANCE
    shared = [frame for frame in frames(attending(), tiny, own) if frame.source == "cache"]
    assert {frame.index for frame in shared} == {0, 4}


@pytest.mark.parametrize("guidance", [1.0, 5.0])
def test_the_laws_of_every_family_hold(tiny: ModelRunner, tmp_path: Path, guidance: float) -> None:
    check_attention(attending(guidance=guidance), tiny, tmp_path)


def test_frames_between_differ_from_those_of_text_alone(tiny: ModelRunner, tmp_path: Path) -> None:
    one, other = (
        painted(attending(interpolation=name), tiny, FrameCache(tmp_path / name))
        for name in ("lerp", "attention")
    )
    assert largest_difference(one[1:-1], other[1:-1]) > 0


def test_in_a_single_step_frames_are_painted_for_their_texts_alone(
    tiny: ModelRunner, tmp_path: Path
) -> None:
    """It has no early part; taken for both ends, it would show two pictures through each other."""
    one, other = (
        painted(attending(steps=1, interpolation=name), tiny, FrameCache(tmp_path / name))
        for name in ("lerp", "attention")
    )
    assert largest_difference(one, other) <= TOLERANCE


def test_early_steps_and_probes_are_taken_once_a_leg(make_pipeline: Any, tmp_path: Path) -> None:
    """Of four steps frames take two; stops take four, the anchor in the middle three.

    Of 24 frames that makes no more than the four a frame that a walk by text alone takes.
    """
    runner, cache = load(str(make_pipeline()), "cpu"), FrameCache(tmp_path / "frames")
    walk = attending(guidance=1.0, frames=24)
    found = list(frames(walk, runner, cache, batch=2))
    spent = sum(frame.unet_samples for frame in found)
    assert spent == 2 * 4 + 3 + (PROBES + 22) * 2 <= 4 * 24
    [still] = stills(walk, [Place(0, 0.3)], runner, cache)
    assert still.unet_samples == 2, "the leg is known already"
    assert still.unet_samples == count_picture_steps(walk, walk.steps)


def test_a_curve_is_the_same_to_the_last_bit_whatever_the_batch(
    make_pipeline: Any, tmp_path: Path
) -> None:
    walk, folder = attending(guidance=1.0), str(make_pipeline())
    curves = []
    for batch in (1, 5):
        runner = load(folder, "cpu")
        painted(walk, runner, FrameCache(tmp_path / str(batch)), batch=batch)
        curve = AttentionSampler(walk, runner).leg(0).curve
        curves.append([curve(n / 100) for n in range(101)])
    assert curves[0] == curves[1]
    assert curves[0] != [n / 100 for n in range(101)]


def test_even_pacing_surveys_what_was_probed_and_paints_nothing_twice(
    make_pipeline: Any, tmp_path: Path
) -> None:
    """At most six samples a frame: two for each place beside the probes', until it is even."""
    folder, cache = str(make_pipeline()), FrameCache(tmp_path / "frames")
    walk = attending(guidance=1.0, frames=24, pacing="even")
    walking = frames(walk, load(folder, "cpu"), cache)
    some = [next(walking) for _ in range(20)]
    walking.close()
    whole = list(frames(walk, load(folder, "cpu"), FrameCache(tmp_path / "whole")))
    rest = list(frames(walk, load(folder, "cpu"), cache))
    assert {f.key for f in rest if f.finished} == {f.key for f in whole if f.finished}
    surveyed = {f.key for f in whole if f.source == "survey"}
    spent = sum(f.unet_samples for f in whole)
    assert spent == 2 * 4 + 3 + max(PROBES, len(surveyed)) * 2 <= 6 * 24
    assert sum(f.unet_samples for f in some) > 0
    assert sum(f.unet_samples for f in frames(walk, load(folder, "cpu"), cache)) == 0


def test_a_probe_is_the_frame_at_its_place(tiny: ModelRunner, cache: FrameCache) -> None:
    """A frame is a function of its place, however it was come by."""
    walk = attending(guidance=1.0)
    for place in AttentionSampler(walk, tiny).probed(0)[::10]:
        beside = Place(0, place + 1e-8)
        one, other = (stills(walk, [at], tiny, cache)[0] for at in (Place(0, place), beside))
        assert one.key != other.key
        assert (one.unet_samples, other.unet_samples) == (0, 2)
        assert largest_difference([one.frame], [other.frame]) <= TOLERANCE


def test_a_scheduler_that_adds_noise_takes_all_steps_for_each_frame(
    make_pipeline: Any, tmp_path: Path
) -> None:
    """Its runs cannot branch off: two of four steps are taken for both ends."""
    runner = load(str(make_pipeline(LCMScheduler(steps_offset=1))), "cpu")
    walk = attending(guidance=1.0, frames=9)
    found = list(frames(walk, runner, FrameCache(tmp_path / "frames"), batch=2))
    assert sum(frame.unet_samples for frame in found) == 2 * 4 + 7 * (4 + 2)


def test_a_longer_walk_holds_no_more_tensors(tiny: ModelRunner, tmp_path: Path) -> None:
    """Of a leg its anchors, curve and probes are kept, whatever its number of frames."""
    held = list[int]()
    for count in (9, 9, 49):
        walk = attending(frames=count, guidance=1.0)
        walking = frames(walk, tiny, FrameCache(tmp_path / str(len(held))), batch=4)
        for frame in walking:
            if frame.index == 1 and frame.finished:
                break
        gc.collect()
        held.append(sum(issubclass(type(thing), Tensor) for thing in gc.get_objects()))
        walking.close()
    assert held[2] <= held[1] + 8  # of the batch that is being made


def test_legs_have_ends_of_their_own(tiny: ModelRunner, tmp_path: Path) -> None:
    """A frame depends on its leg alone: the same one in a longer walk is the same frame."""
    three = [{"prompt": text, "seed": 7} for text in ("a red square", "a stormy sea", "a mask")]
    long = painted(attending(stops=three, guidance=1.0), tiny, FrameCache(tmp_path / "a"), batch=5)
    second = painted(attending(stops=three[1:], guidance=1.0), tiny, FrameCache(tmp_path / "b"))
    assert largest_difference(long[4:], second) <= TOLERANCE


def test_walks_by_text_are_untouched_by_a_walk_by_attention(
    make_pipeline: Any, tmp_path: Path
) -> None:
    runner = load(str(make_pipeline()), "cpu")
    plain = attending(interpolation="lerp")
    before = painted(plain, runner, FrameCache(tmp_path / "a"))
    painted(attending(), runner, FrameCache(tmp_path / "b"))
    assert largest_difference(before, painted(plain, runner, FrameCache(tmp_path / "c"))) == 0
