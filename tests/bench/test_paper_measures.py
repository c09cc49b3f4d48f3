"""LPIPS, PPL and FID, by networks that are simple enough to count by hand."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from momalisa.engine.frame_cache import Frame
from tests.bench.paper_measures import Networks, frechet_distance


class MeanLevel(nn.Module):
    """Embeds a picture as its mean level of 255, as the real networks are called."""

    def forward(
        self, pictures: Tensor, return_lpips: bool = False, return_features: bool = False
    ) -> Tensor:
        assert return_lpips or return_features
        return pictures.float().mean((1, 2, 3))[:, None]


@pytest.fixture
def network(tmp_path: Path) -> Path:
    file = tmp_path / "network.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(MeanLevel()).save(str(file))  # type: ignore[no-untyped-call]
    return file


def film(*levels: int) -> list[Frame]:
    return [np.full((4, 4, 3), level, np.uint8) for level in levels]


def test_lpips_is_summed_over_steps_and_ppl_is_by_their_length(network: Path) -> None:
    found = Networks(lpips=network).measure([film(0, 1, 3), film(0, 0, 3)])
    assert found == {"LPIPS": pytest.approx((5 + 9) / 2), "PPL": pytest.approx((10 + 18) / 2)}


def test_fid_is_that_of_frames_between_to_ends(network: Path) -> None:
    same = Networks(inception=network).measure([film(0, 0, 4, 4), film(0, 4, 0, 4)])
    assert same == {"FID": pytest.approx(0.0, abs=1e-6)}
    apart = Networks(inception=network).measure([film(0, 10, 14, 4), film(0, 14, 10, 4)])
    assert apart == {"FID": pytest.approx(100.0)}


def test_distributions_of_other_spread_are_apart() -> None:
    rng = np.random.default_rng(0)
    ones = rng.standard_normal((40_000, 2))
    assert frechet_distance(ones, ones * [3.0, 1.0]) == pytest.approx(4.0, rel=0.05)


def test_without_networks_there_is_nothing() -> None:
    assert Networks().measure([film(0, 1)]) == {}
