"""What the app made when the golden values were recorded, it makes still."""

import json
from typing import Any

import numpy as np
import pytest

from tests.golden import record

GOLDEN = json.loads(record.VALUES.read_text(encoding="utf-8"))
LEVELS = 3
"""Of 255, by which a cell of a frame may differ on another CPU."""

walks = pytest.mark.parametrize("batch", record.BATCHES)
named = pytest.mark.parametrize("name", record.WALKS)


def here() -> bool:
    """Whether this machine computes the very pixels of the one that recorded."""
    return bool(record.machine() == GOLDEN["machine"])


elsewhere = pytest.mark.skipif(not here(), reason=f"recorded on {GOLDEN['machine']}")


@pytest.mark.parametrize("section", sorted(set(record.SECTIONS) - {"rendered"}))
def test_values_are_as_recorded(section: str) -> None:
    assert record.computed(section) == GOLDEN[section]


@elsewhere
def test_a_painted_films_record_is_as_recorded() -> None:
    assert record.computed("rendered") == GOLDEN["rendered"]


def without_pixels(told: dict[str, Any]) -> dict[str, Any]:
    """A record without what depends on the pixels."""
    pixels = {"bytes", "sha256", "distances", "evenness", "sharpness", "files"}
    result = {name: value for name, value in told["record"]["result"].items() if name not in pixels}
    return told | {"record": told["record"] | {"result": result}}


def test_a_painted_films_record_is_as_recorded_but_for_its_pixels() -> None:
    assert without_pixels(record.computed("rendered")) == without_pixels(GOLDEN["rendered"])


@walks
@named
@elsewhere
def test_frames_are_as_recorded_to_the_last_bit(name: str, batch: int) -> None:
    assert record.walked(name, batch)[0] == GOLDEN["walks"][name][f"batch {batch}"]


@walks
@pytest.mark.parametrize("name", sorted(set(record.WALKS) - {"even"}))
def test_frames_have_their_keys_on_any_machine(name: str, batch: int) -> None:
    # Even pacing measures pixels to choose its places: its keys are one machine's.
    now, then = record.walked(name, batch)[0], GOLDEN["walks"][name][f"batch {batch}"]
    assert [(f["key"], f["source"]) for f in now] == [(f["key"], f["source"]) for f in then]


@walks
@named
def test_frames_look_as_recorded(name: str, batch: int) -> None:
    with np.load(record.FRAMES) as golden:
        difference = np.abs(record.walked(name, batch)[1].astype(int) - golden[name])
    assert difference.max() <= LEVELS


def test_every_way_of_making_frames_is_recorded() -> None:
    sources = {
        name: {f["source"] for f in GOLDEN["walks"][name]["batch 1"]} for name in GOLDEN["walks"]
    }
    assert sources["exact"] == {"painted"}
    assert sources["fast"] == {"painted", "glided"}
    assert {"glided", "cache"} <= sources["even"]
