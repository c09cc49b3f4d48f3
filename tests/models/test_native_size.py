"""Laws of the size that a checkpoint was trained on, read from its configuration."""

import json
from pathlib import Path
from typing import Any

import pytest

from momalisa.models.native_size import read_native_size, read_network

EIGHTH = {"block_out_channels": [128, 256, 512, 512]}
COARSE = {"encoder_block_out_channels": [128, 256, 512, 512, 1024, 1024]}


def write(folder: Path, **configs: Any) -> Path:
    for name, config in ({"model_index": {}} | configs).items():
        path = folder / ("model_index.json" if name == "model_index" else f"{name}/config.json")
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(config))
    return folder


def read_size(folder: Path, configs: Any) -> int | None:
    return read_native_size(folder, configs.get("model_index", {}), read_network(folder))


@pytest.mark.parametrize(
    ("configs", "size"),
    [
        ({"unet": {"sample_size": 96}, "vae": EIGHTH}, 768),
        ({"transformer": {"sample_size": 64}, "vae": EIGHTH}, 512),
        ({"transformer": {"sample_size": 16}, "vae": COARSE}, 512),
        ({"transformer": {}, "vae": EIGHTH, "model_index": {"default_sample_size": 256}}, 256),
    ],
    ids=["UNet", "transformer", "coarse autoencoder", "named by the pipeline"],
)
def test_it_is_that_of_the_network_in_pixels(tmp_path: Path, configs: Any, size: int) -> None:
    folder = write(tmp_path, **configs)
    assert read_size(folder, configs) == size


@pytest.mark.parametrize(
    "configs",
    [
        {"transformer": {}, "vae": EIGHTH},
        {"transformer": {"sample_size": [64, 64]}, "vae": EIGHTH},
        {"transformer": {"sample_size": 512}, "vae": EIGHTH},
        {"unet": {"sample_size": 65}, "vae": EIGHTH},
        {"unet": {"sample_size": 64}, "vae": {}},
        {"model_index": {"default_sample_size": "256"}},
    ],
    ids=["none", "a pair", "too large", "an odd one", "no autoencoder", "no number"],
)
def test_where_it_is_not_told_or_not_painted_here_there_is_none(
    tmp_path: Path, configs: Any
) -> None:
    folder = write(tmp_path, **configs)
    assert read_size(folder, configs) is None
