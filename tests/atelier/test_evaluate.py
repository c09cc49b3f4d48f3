"""Judging a model: what is there is found, what is not is not, and chance stays chance."""

import json
import re
import sys
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from momalisa.atelier import __main__ as command
from momalisa.atelier.evaluation.classifier import Connoisseur, Schooling
from momalisa.atelier.evaluation.classifier_training import kept_connoisseur, teach
from momalisa.atelier.evaluation.colour import has_all, share_of, things
from momalisa.atelier.evaluation.eval_prompts import (
    Commission,
    colours_named,
    manners_named,
    of_colours,
    of_counts,
    of_manners,
    of_places,
    strangers,
)
from momalisa.atelier.evaluation.figures import Figure, compared, line
from momalisa.atelier.evaluation.manner import least_known
from momalisa.atelier.evaluation.memorisation import originality
from momalisa.atelier.evaluation.sampler import Sampler
from momalisa.atelier.evaluation.step_counts import FULL, compare_steps
from momalisa.atelier.evaluation.walks import gait
from momalisa.atelier.painter import COLOURS, MANNERS, paint
from momalisa.atelier.recipe import HELD_OUT_SEEDS
from momalisa.engine.frame_cache import Frame
from momalisa.models.registry import load
from tests.support.pipelines import PipelineMaker

SCHOOLING = Schooling(
    manners=("swirling-night", "nested-squares"), canvases=64, painted=64, rounds=12, batch=8
)


@pytest.fixture(scope="module")
def taught() -> Connoisseur:
    return teach(SCHOOLING)


@pytest.fixture(scope="module")
def folder(make_pipeline: PipelineMaker) -> Path:
    return make_pipeline()


@pytest.fixture(scope="module")
def sampler(folder: Path) -> Sampler:
    return Sampler(load(str(folder), "cpu"), steps=2, guidance=4.0)


def plain(colour: str, size: int = 128) -> Frame:
    return np.full((size, size, 3), COLOURS[colour], np.uint8)


def stripes(ink: str, ground: str) -> Frame:
    picture = plain(ground)
    picture[np.arange(128) // 8 % 2 == 0] = COLOURS[ink]
    return picture


def test_a_blank_picture_has_its_colour_and_no_other() -> None:
    assert share_of("blue", plain("blue")) == 1.0
    assert share_of("red", plain("blue")) == 0.0
    assert things("red", plain("blue")) == 0


@pytest.mark.parametrize("number", range(6))
def test_as_many_discs_count_as_are_drawn(number: int) -> None:
    picture = plain("blue")
    for i in range(number):
        cv2.circle(picture, (20 + 44 * (i % 3), 30 + 60 * (i // 3)), 14, COLOURS["yellow"], -1)
    assert things("yellow", picture) == number


def test_every_canvas_of_a_shape_shows_what_its_prompt_asks() -> None:
    for grounded in (True, False):
        assert all(has_all(one, one.canvas) for one in of_colours(24, 128, grounded=grounded))
    assert all(things(one.colours[0], one.canvas) == one.count for one in of_counts(30, 128))


def test_shape_prompts_name_their_number_and_colours() -> None:
    for one in of_counts(10, 64):
        named = (*one.colours, one.ground)
        assert colours_named(one.prompt) == named
    assert [one.count for one in of_counts(5, 64)] == [1, 2, 3, 4, 5]
    assert all(one.ground not in one.prompt for one in of_colours(9, 64, grounded=True)) is False


def test_other_prompts_pass_seldom() -> None:
    asked = of_colours(60, 64, grounded=True)
    canvases = [one.canvas for one in asked]
    figure = compared("both", has_all, asked, canvases, canvases, bar=0.9)
    assert figure.value == figure.canvases == 1.0
    assert figure.chance is not None
    assert figure.chance < 0.2


@pytest.mark.parametrize("number", [2, 3, 43, 172])
def test_no_stranger_stands_where_it_stood(number: int) -> None:
    items = list(range(number))
    assert sorted(strangers(items)) == items
    assert all(one != other for one, other in zip(items, strangers(items), strict=True))


def test_a_longer_name_of_a_colour_is_not_the_shorter_one_too() -> None:
    assert colours_named("a light blue cat on dark green, navy blue sky") == (
        "sky blue",
        "dark green",
        "navy",
    )


def test_words_fit_all_the_manners_that_bear_them() -> None:
    spirals = manners_named("black and white, op art", "op-art-spiral")
    assert {"op-art-spiral", "op-art-bulge", "op-art-lines", "rays"} == spirals
    assert manners_named("a pop art print of a cat", "pop-grid") == {"pop-grid"}
    assert manners_named("dancers in red, the dancer", "dancers") == frozenset()


def test_every_manner_is_asked_for_by_name() -> None:
    asked = of_manners(len(MANNERS), 64)
    assert [one.manner for one in asked] == list(MANNERS)
    assert all(one.prompt and one.manner in one.allowed for one in asked)
    assert all(set(one.colours) <= set(colours_named(one.prompt)) for one in asked)


def test_places_are_asked_for_equally_often_and_by_name() -> None:
    asked = of_places(8, 64)
    assert set(Counter(one.place for one in asked).values()) == {1}
    sea = next(one.prompt for one in asked if one.place == "sea")
    assert re.search(r"\b(sea|ocean)\b", sea)


def test_a_connoisseur_learns_two_easy_manners(taught: Connoisseur) -> None:
    canvases = [paint(m, HELD_OUT_SEEDS + i, 96) for m in SCHOOLING.manners for i in range(20)]
    seen = taught.look([canvas.pixels for canvas in canvases]).manners
    right = [it == canvas.facts.manner for it, canvas in zip(seen, canvases, strict=True)]
    assert np.mean(right) > 0.9


def test_a_connoisseur_is_taught_once(tmp_path: Path) -> None:
    kept = tmp_path / "connoisseur.pt"
    schooling = Schooling(SCHOOLING.manners, canvases=8, painted=64, rounds=1, batch=4)
    first = kept_connoisseur(schooling, kept)
    written = kept.stat().st_mtime_ns
    again = kept_connoisseur(schooling, kept)
    assert kept.stat().st_mtime_ns == written
    assert torch.equal(first.known, again.known)
    assert torch.equal(first.known, teach(schooling).known)
    kept_connoisseur(Schooling(SCHOOLING.manners, canvases=9, painted=64, rounds=1, batch=4), kept)
    assert kept.stat().st_mtime_ns != written


def test_a_copy_is_found_to_be_a_copy(taught: Connoisseur) -> None:
    known = [SCHOOLING.canvas(seed, 128).pixels for seed in range(20)]
    fresh = [SCHOOLING.canvas(HELD_OUT_SEEDS + seed, 128).pixels for seed in range(20)]
    copied, held_out = taught.look(known).features, taught.look(fresh).features
    copier = originality(taught, copied, held_out, 128)
    assert copier.held is False
    assert originality(taught, held_out, held_out, 128).value == 1.0


def test_the_worst_manners_come_first_with_what_they_are_taken_for() -> None:
    verdicts = [("drip", "zip", False), ("drip", "drip", True), ("zip", "zip", True)]
    assert least_known(verdicts) == [("drip", 0.5, "taken for zip (1)")]


def test_a_fade_is_even_and_soft_and_a_cut_jumps_and_is_sharp() -> None:
    here, there = stripes("black", "white").astype(float), stripes("white", "black").astype(float)
    fade = gait([(here + t * (there - here)).astype(np.uint8) for t in np.linspace(0, 1, 9)])
    cut = gait([(there if i > 4 else here).astype(np.uint8) for i in range(9)])
    assert fade.jump < 1.6
    assert fade.softest < cut.softest
    assert cut.softest == cut.softer == pytest.approx(1.0)
    assert fade.softer < 0.3
    assert cut.jump == pytest.approx(8.0)
    assert cut.evenness < 0.2 < fade.evenness


def test_a_bar_is_a_floor_or_a_ceiling() -> None:
    assert Figure("share", 0.9, bar=0.9).held is True
    assert Figure("share", 0.89, bar=0.9).held is False
    assert Figure("seconds", 0.7, bar=0.6, at_most=True).held is False
    assert Figure("share", 0.1).held is None
    assert "NO" in line(Figure("share", 0.1, bar=0.9))


def test_a_picture_depends_on_its_prompt_and_seed_alone(sampler: Sampler) -> None:
    both = sampler.paint(["a red square", "a stormy sea"], first_seed=3)
    alone = sampler.paint(["a stormy sea"], first_seed=4)
    assert np.abs(both[1].astype(int) - alone[0]).max() <= 1


def test_the_full_number_of_steps_is_its_own_measure(sampler: Sampler, taught: Connoisseur) -> None:
    rows = {(row.sampler, row.steps): row for row in compare_steps(sampler, taught, 2)}
    assert rows["own", FULL].distance == 0.0
    assert rows["own", FULL].sharpness == 1.0
    assert rows["own", 8].distance > 0.0
    assert rows["dpm++", FULL].distance > 0.0


def evaluate(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["momalisa.atelier", "evaluate", *arguments])
    command.main()


def test_the_command_prints_what_it_writes(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    prompts, report, sheet = (tmp_path / name for name in ("prompts", "r.json", "sheet.png"))
    prompts.write_text("a red square\n\n  a stormy sea  \n")
    evaluate(
        monkeypatch,
        *("--model", str(folder), "--prompts", str(prompts), "--sheet", str(sheet)),
        *("--section", "colour", "--section", "count", "--section", "walk"),
        *("--count", "4", "--pairs", "2", "--steps", "1", "--json", str(report)),
    )
    printed, written = capsys.readouterr().out, json.loads(report.read_text())
    assert [figure["held"] for figure in written["figures"] if figure["bar"]] == [False, True]
    assert all(figure["name"] in printed for figure in written["figures"])
    with_prompts = cv2.imread(str(sheet))
    assert with_prompts is not None


@pytest.mark.parametrize("content", [None, "\n  \n"])
def test_prompts_that_are_not_there_are_an_answer_not_a_crash(
    content: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "prompts.txt"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SystemExit):
        evaluate(monkeypatch, "--prompts", str(path))
    assert str(path) in capsys.readouterr().err


def test_nothing_named_is_nothing_missing() -> None:
    assert has_all(Commission("anything", plain("red")), plain("blue"))
