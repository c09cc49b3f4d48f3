"""Canvases are deterministic, not blank, and match their facts."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from momalisa.atelier.evaluation.colour import count_areas
from momalisa.atelier.painter import (
    COLOURS,
    MANNERS,
    Canvas,
    draw_manner,
    manner_of,
    paint,
    paint_any,
)

SEEDS = range(4)


def lab(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Colours, shape (n, 3), in CIELAB."""
    scaled = np.asarray(rgb, np.float32)[None] / 255
    return np.asarray(cv2.cvtColor(scaled, cv2.COLOR_RGB2LAB)[0], np.float32)


def share_near(canvas: Canvas, colour: str, within: float = 18.0) -> float:
    """The share of pixels within that CIELAB distance of a named colour."""
    pixels = lab(canvas.pixels[::4, ::4].reshape(-1, 3))
    target = lab(np.array([COLOURS[colour]], np.uint8))
    return float((np.linalg.norm(pixels - target, axis=1) < within).mean())


def test_there_are_at_least_24_manners_with_different_names() -> None:
    assert len(MANNERS) == len(set(MANNERS)) >= 24


@pytest.mark.parametrize("manner", MANNERS)
def test_a_seed_determines_the_canvas(manner: str) -> None:
    first, again = paint(manner, 3, 64), paint(manner, 3, 64)
    assert first.pixels.tobytes() == again.pixels.tobytes()
    assert first.facts == again.facts
    assert len({paint(manner, seed, 64).pixels.tobytes() for seed in range(6)}) == 6


@pytest.mark.parametrize("size", [64, 256])
@pytest.mark.parametrize("manner", MANNERS)
def test_every_manner_paints_rgb_with_contrast(manner: str, size: int) -> None:
    canvas = paint(manner, 11, size)
    assert canvas.pixels.shape == (size, size, 3)
    assert canvas.pixels.dtype == np.uint8
    assert canvas.pixels.std(axis=(0, 1)).max() > 8


@pytest.mark.parametrize("manner", MANNERS)
def test_facts_use_known_words(manner: str) -> None:
    for seed in SEEDS:
        facts = paint(manner, seed, 64).facts
        assert facts.manner == manner
        assert {facts.ground, *facts.colours} <= set(COLOURS)
        assert facts.ground not in facts.colours
        assert 1 <= len(facts.colours) <= 4
        assert facts.motif
        assert 1 <= facts.count <= 5
        assert facts.time in ("", "day", "night", "dawn", "dusk")
        assert facts.season in ("", "spring", "summer", "autumn", "winter")


@pytest.mark.parametrize("manner", [m for m in MANNERS if m != "pointillist-landscape"])
def test_the_ground_and_the_first_colour_are_visible(manner: str) -> None:
    for seed in SEEDS:
        canvas = paint(manner, seed, 128)
        ground = share_near(canvas, canvas.facts.ground)
        assert ground > 0.08
        assert share_near(canvas, canvas.facts.colours[0]) > 0.004


@pytest.mark.parametrize(
    "manner", ["suprematist-shapes", "hard-edge", "zip", "naive-sign", "dot-grid", "drip"]
)
def test_a_plain_ground_is_the_largest_colour(manner: str) -> None:
    for seed in range(8):
        canvas = paint(manner, seed, 128)
        ground = share_near(canvas, canvas.facts.ground)
        others = (share_near(canvas, name) for name in canvas.facts.colours)
        assert ground > 0.35
        assert ground >= max(others) * 0.6


def test_texture_does_not_shift_the_colour() -> None:
    for seed in range(12):
        canvas = paint("suprematist-shapes", seed, 256)
        corner = canvas.pixels[:24, :24].reshape(-1, 3).mean(axis=0)
        shift = np.abs(corner - np.array(COLOURS[canvas.facts.ground]))
        assert shift.max() < 6


def test_paint_any_draws_many_manners() -> None:
    manners = {paint_any(seed, 64).facts.manner for seed in range(120)}
    assert len(manners) > len(MANNERS) / 2
    assert paint_any(5, 64).facts == paint_any(5, 64).facts


def test_animals_stand_out_on_plain_grounds_and_in_their_surroundings() -> None:
    canvases = [paint("animal", seed, 128) for seed in range(80)]
    for canvas in canvases:
        facts = canvas.facts
        assert share_near(canvas, facts.ink) > 0.04
        assert facts.weather != "snow" or share_near(canvas, "white") > 0.1
    assert {c.facts.motif for c in canvases} >= {"fox", "elephant", "cat", "dog", "whale", "owl"}
    assert {c.facts.place for c in canvases} == {"", "sea", "field", "hills", "forest", "city"}


def test_shapes_of_a_composition_are_as_many_as_named() -> None:
    compositions = 0
    for seed in range(120):
        canvas = paint("suprematist-shapes", seed, 256)
        arrangement = canvas.facts.arrangement
        if arrangement and arrangement.relation != "inside":
            compositions += 1
            for group in arrangement.groups:
                assert count_areas(group.colour, canvas.pixels) == group.count
    assert compositions > 40


def test_absent_colours_are_not_visible() -> None:
    for manner in MANNERS:
        for seed in SEEDS:
            canvas = paint(manner, seed, 128)
            for name in canvas.facts.absent:
                assert share_near(canvas, name, 12.0) < 0.004


def test_chequerboards_are_straight_or_bulge() -> None:
    forms = [paint("op-art-bulge", seed, 64).facts.form for seed in range(30)]
    assert {"", "bulging"} == set(forms)


def test_many_everyday_things_are_painted_alone_and_in_pairs() -> None:
    facts = [paint("naive-sign", seed, 64).facts for seed in range(250)]
    assert {one.motif for one in facts} >= {"house", "bicycle", "lighthouse", "bridge", "clock"}
    pairs = [one.arrangement for one in facts if one.arrangement]
    assert {pair.relation for pair in pairs} == {"above", "left of", "right of", "and"}
    assert all(len({group.thing for group in pair.groups}) == 2 for pair in pairs)


def test_manners_with_many_subjects_are_drawn_more_often() -> None:
    drawn = [manner_of(seed) for seed in range(3000)]
    assert drawn.count("animal") > 2 * drawn.count("zip") > 0
    assert draw_manner(5, ("zip",)) == "zip"
