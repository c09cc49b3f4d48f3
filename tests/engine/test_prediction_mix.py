"""Laws of the interpolation "predictions": its formula, the model's own ends, its cost."""

from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor

from momalisa.engine.conditioning import Conditioning
from momalisa.engine.frame_cache import FrameCache
from momalisa.engine.prediction_mix import Toward, mix_predictions
from momalisa.engine.runner import ModelRunner
from momalisa.engine.walk import frames, stills
from momalisa.spec import Place
from tests.engine.test_attention import TOLERANCE, largest_difference, painted
from tests.support.walks import walk_spec

mixing = partial(walk_spec, frames=5, steps=4, size=64, mode="exact", interpolation="predictions")


def test_predictions_for_both_ends_are_mixed() -> None:
    def predict(latents: Tensor, time: Tensor, conditions: Conditioning) -> Tensor:
        return latents * conditions.tokens.sum((1, 2)).square().reshape(-1, 1, 1, 1) + time

    random = torch.Generator().manual_seed(0)
    latents = torch.randn(2, 4, 2, 2, generator=random)
    start, end = (Conditioning(torch.randn(2, n, 3, generator=random)) for n in (4, 6))
    t, time = torch.tensor([0.25, 0.8]), torch.tensor(3.0)
    found = mix_predictions(predict, Toward(t, end))(latents, time, start)
    for row, at in enumerate(t):
        first, second = (predict(latents, time, text)[row] for text in (start, end))
        torch.testing.assert_close(found[row], first.lerp(second, at))


@pytest.mark.parametrize("guidance", [1.0, 5.0])
def test_ends_are_the_models_own_and_frames_beside_them_nearly(
    tiny: ModelRunner, tmp_path: Path, guidance: float
) -> None:
    own, walk = FrameCache(tmp_path / "a"), mixing(guidance=guidance)
    plain = painted(mixing(guidance=guidance, interpolation="lerp"), tiny, own)
    mixed = painted(walk, tiny, own)
    assert largest_difference([plain[0], plain[-1]], [mixed[0], mixed[-1]]) == 0
    assert largest_difference(plain[1:-1], mixed[1:-1]) > 0
    beside = stills(walk, [Place(0, 1e-5), Place(0, 1 - 1e-5)], tiny, own)
    found = [frame.frame for frame in beside]
    assert largest_difference(found, [plain[0], plain[-1]]) <= TOLERANCE


@pytest.mark.parametrize("guidance", [1.0, 5.0])
def test_batches_order_and_resuming_change_nothing(
    tiny: ModelRunner, tmp_path: Path, guidance: float
) -> None:
    walk = mixing(guidance=guidance)
    whole = painted(walk, tiny, FrameCache(tmp_path / "whole"), batch=5)
    resumed = FrameCache(tmp_path / "resumed")
    stills(walk, [Place(0, 0.75)], tiny, resumed)
    assert largest_difference(whole, painted(walk, tiny, resumed, batch=1)) <= TOLERANCE


@pytest.mark.parametrize(("guidance", "between"), [(1.0, 2), (5.0, 3)])
def test_a_frame_between_takes_one_prediction_a_step_more(
    tiny: ModelRunner, tmp_path: Path, guidance: float, between: int
) -> None:
    found = list(frames(mixing(guidance=guidance), tiny, FrameCache(tmp_path), batch=2))
    stop = between - 1
    assert sum(frame.unet_samples for frame in found) == 4 * (2 * stop + 3 * between)
