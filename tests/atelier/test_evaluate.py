"""Evaluation: detectors find what a picture shows, and unrelated pictures score by chance."""

import json
import re
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from momalisa.atelier import __main__ as command
from momalisa.atelier.evaluation.classifier import Classifier, ClassifierConfig
from momalisa.atelier.evaluation.classifier_training import load_or_train, train_classifier
from momalisa.atelier.evaluation.colour import colour_share, count_areas, has_all_colours
from momalisa.atelier.evaluation.eval_prompts import (
    EvalPrompt,
    colour_prompts,
    colours_in,
    count_prompts,
    derangement,
    manner_prompts,
    manners_in,
    place_prompts,
)
from momalisa.atelier.evaluation.manner import worst_manners
from momalisa.atelier.evaluation.memorisation import measure_memorisation
from momalisa.atelier.evaluation.metrics import Metric, compare, format_metrics
from momalisa.atelier.evaluation.picture_generator import PictureGenerator
from momalisa.atelier.evaluation.step_counts import FULL_STEPS, compare_steps
from momalisa.atelier.evaluation.walk_stats import walk_stats
from momalisa.atelier.painter import COLOURS, MANNERS, paint
from momalisa.atelier.recipe import HELD_OUT_SEEDS
from momalisa.engine.frame_cache import Frame
from momalisa.models.registry import load
from tests.support.pipelines import PipelineMaker

CONFIG = ClassifierConfig(
    manners=("swirling-night", "nested-squares"), canvases=64, canvas_size=64, epochs=12, batch=8
)


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return train_classifier(CONFIG)


@pytest.fixture(scope="module")
def folder(make_pipeline: PipelineMaker) -> Path:
    return make_pipeline()


@pytest.fixture(scope="module")
def generator(folder: Path) -> PictureGenerator:
    return PictureGenerator(load(str(folder), "cpu"), steps=2, guidance=4.0)


def plain(colour: str, size: int = 128) -> Frame:
    return np.full((size, size, 3), COLOURS[colour], np.uint8)


def stripes(ink: str, ground: str) -> Frame:
    picture = plain(ground)
    picture[np.arange(128) // 8 % 2 == 0] = COLOURS[ink]
    return picture


def test_a_blank_picture_has_one_colour() -> None:
    assert colour_share("blue", plain("blue")) == 1.0
    assert colour_share("red", plain("blue")) == 0.0
    assert count_areas("red", plain("blue")) == 0


@pytest.mark.parametrize("number", range(6))
def test_discs_are_counted(number: int) -> None:
    picture = plain("blue")
    for i in range(number):
        cv2.circle(picture, (20 + 44 * (i % 3), 30 + 60 * (i // 3)), 14, COLOURS["yellow"], -1)
    assert count_areas("yellow", picture) == number


def test_canvases_of_shapes_match_their_prompts() -> None:
    for grounded in (True, False):
        prompts = colour_prompts(24, 128, grounded=grounded)
        assert all(has_all_colours(prompt, prompt.canvas) for prompt in prompts)
    for prompt in count_prompts(30, 128):
        assert count_areas(prompt.colours[0], prompt.canvas) == prompt.count


def test_shape_prompts_name_their_number_and_colours() -> None:
    for prompt in count_prompts(10, 64):
        assert colours_in(prompt.text) == (*prompt.colours, prompt.ground)
    assert [prompt.count for prompt in count_prompts(5, 64)] == [1, 2, 3, 4, 5]
    assert any(prompt.ground in prompt.text for prompt in colour_prompts(9, 64, grounded=True))


def test_pictures_of_other_prompts_pass_seldom() -> None:
    prompts = colour_prompts(60, 64, grounded=True)
    canvases = [prompt.canvas for prompt in prompts]
    metric = compare("both", has_all_colours, prompts, canvases, canvases, bar=0.9)
    assert metric.value == metric.canvases == 1.0
    assert metric.chance is not None
    assert metric.chance < 0.2


@pytest.mark.parametrize("number", [2, 3, 43, 172])
def test_a_derangement_moves_every_item(number: int) -> None:
    items = list(range(number))
    assert sorted(derangement(items)) == items
    assert all(one != other for one, other in zip(items, derangement(items), strict=True))


def test_the_longest_name_of_a_colour_matches() -> None:
    assert colours_in("a light blue cat on dark green, navy blue sky") == (
        "sky blue",
        "dark green",
        "navy",
    )


def test_a_term_matches_all_the_manners_that_have_it() -> None:
    spirals = manners_in("black and white, op art", "op-art-spiral")
    assert {"op-art-spiral", "op-art-bulge", "op-art-lines", "rays"} == spirals
    assert manners_in("a pop art print of a cat", "pop-grid") == {"pop-grid"}
    assert manners_in("dancers in red, the dancer", "dancers") == frozenset()


def test_manner_prompts_name_every_manner() -> None:
    prompts = manner_prompts(len(MANNERS), 64)
    assert [prompt.manner for prompt in prompts] == list(MANNERS)
    assert all(prompt.text and prompt.manner in prompt.allowed_manners for prompt in prompts)
    assert all(set(prompt.colours) <= set(colours_in(prompt.text)) for prompt in prompts)


def test_place_prompts_name_every_place_equally_often() -> None:
    prompts = place_prompts(8, 64)
    assert set(Counter(prompt.place for prompt in prompts).values()) == {1}
    sea = next(prompt.text for prompt in prompts if prompt.place == "sea")
    assert re.search(r"\b(sea|ocean)\b", sea)


def test_a_classifier_learns_two_easy_manners(classifier: Classifier) -> None:
    canvases = [paint(m, HELD_OUT_SEEDS + i, 96) for m in CONFIG.manners for i in range(20)]
    predicted = classifier.predict([canvas.pixels for canvas in canvases]).manners
    manners = [canvas.facts.manner for canvas in canvases]
    assert np.mean(np.array(predicted) == np.array(manners)) > 0.9


def test_a_classifier_is_cached(tmp_path: Path) -> None:
    path = tmp_path / "classifier.pt"
    config = ClassifierConfig(CONFIG.manners, canvases=8, canvas_size=64, epochs=1, batch=4)
    first = load_or_train(config, path)
    written = path.stat().st_mtime_ns
    again = load_or_train(config, path)
    assert path.stat().st_mtime_ns == written
    assert torch.equal(first.training_features, again.training_features)
    assert torch.equal(first.training_features, train_classifier(config).training_features)
    load_or_train(replace(config, canvases=9), path)
    assert path.stat().st_mtime_ns != written


def test_copies_of_training_canvases_fail_the_memorisation_metric(classifier: Classifier) -> None:
    known = [CONFIG.paint_canvas(seed, 128).pixels for seed in range(20)]
    unseen = [CONFIG.paint_canvas(HELD_OUT_SEEDS + seed, 128).pixels for seed in range(20)]
    copies, held_out = classifier.predict(known).features, classifier.predict(unseen).features
    assert measure_memorisation(classifier, copies, held_out, 128).passed is False
    assert measure_memorisation(classifier, held_out, held_out, 128).value == 1.0


def test_the_worst_manners_come_first_with_their_confusions() -> None:
    results = [("drip", "zip", False), ("drip", "drip", True), ("zip", "zip", True)]
    assert worst_manners(results) == [("drip", 0.5, "taken for zip (1)")]


def test_a_fade_is_even_and_soft_and_a_cut_jumps_and_is_sharp() -> None:
    here, there = stripes("black", "white").astype(float), stripes("white", "black").astype(float)
    fade = walk_stats([(here + t * (there - here)).astype(np.uint8) for t in np.linspace(0, 1, 9)])
    cut = walk_stats([(there if i > 4 else here).astype(np.uint8) for i in range(9)])
    assert fade.jump < 1.6
    assert fade.sharpness_between < cut.sharpness_between
    assert cut.sharpness_between == cut.sharpness_softer_end == pytest.approx(1.0)
    assert fade.sharpness_softer_end < 0.3
    assert cut.jump == pytest.approx(8.0)
    assert cut.evenness < 0.2 < fade.evenness
    assert (fade.ghosting, cut.ghosting) == (1.0, 0.0)
    assert fade.directness == pytest.approx(cut.directness, abs=0.1) == pytest.approx(1.0, abs=0.1)
    assert fade.variation < 0.5 < cut.variation


def test_a_threshold_is_a_lower_or_an_upper_bound() -> None:
    assert Metric("share", 0.9, bar=0.9).passed is True
    assert Metric("share", 0.89, bar=0.9).passed is False
    assert Metric("seconds", 0.7, bar=0.6, at_most=True).passed is False
    assert Metric("share", 0.1).passed is None


def test_settings_stand_side_by_side_in_one_table() -> None:
    one = [
        Metric("share", 0.1, 1.0, bar=0.9, pictures=4),
        Metric("  missed: zip", 0.5, note="drip"),
    ]
    other = [Metric("share", 0.95, 1.0, bar=0.9, pictures=4), Metric("seconds", 2.0)]
    assert format_metrics({"a, 4 steps": one, "b, 20 steps": other}).splitlines() == [
        "|  | a, 4 steps | b, 20 steps | canvases | chance | bar | of | note |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        "| share | 0.100 (missed) | 0.950 | 1.000 |  | >= 0.9 | 4 |  |",
        "| missed: zip | 0.500 |  |  |  |  |  | drip |",
        "| seconds |  | 2.000 |  |  |  |  |  |",
    ]


def test_a_picture_depends_only_on_its_prompt_and_seed(generator: PictureGenerator) -> None:
    both = generator.generate(["a red square", "a stormy sea"], first_seed=3)
    alone = generator.generate(["a stormy sea"], first_seed=4)
    assert np.abs(both[1].astype(int) - alone[0]).max() <= 1


def test_the_full_number_of_steps_is_the_reference(
    generator: PictureGenerator, classifier: Classifier
) -> None:
    results = {(one.sampler, one.steps): one for one in compare_steps(generator, classifier, 2)}
    assert results["own", FULL_STEPS].distance == 0.0
    assert results["own", FULL_STEPS].sharpness == 1.0
    assert results["own", 8].distance > 0.0
    assert results["dpm++", FULL_STEPS].distance > 0.0


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
        *("--count", "4", "--pairs", "2", "--steps", "1", "2", "--json", str(report)),
    )
    output, reports = capsys.readouterr().out, json.loads(report.read_text())
    assert [one["steps"] for one in reports] == [1, 2]
    header, _, *rows = output.strip().splitlines()
    assert header.split(" | ")[1:3] == [f"{folder}, 1 steps", f"{folder}, 2 steps"]
    for number, one in enumerate(reports, 1):
        assert [row.split(" | ")[0] for row in rows] == [f"| {m['name']}" for m in one["figures"]]
        assert {m["held"] for m in one["figures"] if m["bar"] is None} == {None}
        assert cv2.imread(str(sheet.with_stem(f"sheet-{number}"))) is not None
    assert {"walk: largest step of all", "walk: double exposures, share of frames"} <= {
        figure["name"] for figure in reports[0]["figures"]
    }


@pytest.mark.parametrize("content", [None, "\n  \n"])
def test_a_missing_or_empty_prompts_file_is_a_usage_error(
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


def test_a_prompt_without_colours_passes() -> None:
    assert has_all_colours(EvalPrompt("anything", plain("red")), plain("blue"))
