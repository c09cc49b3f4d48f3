"""Laws of the command `walk`."""

import json
import os
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import pytest

from momalisa.__main__ import BAD_INPUT, DONE, build_parser, main
from momalisa.commands.walk import build_spec
from momalisa.engine.frame_cache import FrameCache
from momalisa.film.embedded_spec import read_spec
from momalisa.models.distillation import DISTILLATION
from momalisa.models.registry import find
from momalisa.settings import Settings


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings = Settings(home=tmp_path / "home")
    monkeypatch.setattr("momalisa.commands.walk.settings", lambda: settings)
    return tmp_path


def test_the_command_line_makes_a_film_frames_and_a_report(home: Path, make_pipeline: Any) -> None:
    film, report, frames = home / "film.gif", home / "report.json", home / "frames"
    given = ["walk", "a red square on white", "a stormy sea at night", "--frames", "4"]
    given += ["--steps", "2", "--seeds", "7", "8", "--pacing", "ease"]
    given += ["--model", str(make_pipeline()), "--out", str(film)]
    assert main([*given, "--report", str(report), "--frames-dir", str(frames)]) == DONE
    fields = json.loads(report.read_text())
    assert len(iio.imread(film, index=None)) == fields["frames"] == 4
    carried = [read_spec(file.read_bytes(), file.name) for file in frames.glob("*.png")]
    assert [spec.digest() for spec in carried] == [fields["digest"]] * 4
    assert fields["unet_samples"] == 4 * 2 * 2
    assert [stop["seed"] for stop in fields["spec"]["stops"]] == [7, 8]
    assert fields["spec"]["size"] == 64
    assert {"seconds", "seconds_to_load", "frames_computed", "device", "dtype"} <= set(fields)


@pytest.mark.parametrize("model", ["atelier", "atelier-base"])
def test_what_no_option_says_is_the_models_own(model: str) -> None:
    """The interpolation was lerp, whatever the model's own was."""
    options = build_parser().parse_args(["walk", "a", "b", "--model", model])
    own = find(model).new_walk
    assert build_spec(options)[0].model_dump(include=set(own)) == own
    options.interpolation = "slerp"
    assert build_spec(options)[0].interpolation == "slerp"


def test_the_command_line_walks_a_distilled_model_as_it_was_distilled(
    home: Path, make_pipeline: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    model, film, report = make_pipeline(), home / "film.gif", home / "report.json"
    (model / DISTILLATION).write_text('{"steps": 3, "guidance": 1.0}')
    given = ["walk", "a red square", "a sea", "--frames", "3", "--negative", "blur"]
    given += ["--model", str(model), "--out", str(film), "--report", str(report)]
    assert main(given) == DONE
    fields = json.loads(report.read_text())
    assert (fields["spec"]["steps"], fields["spec"]["guidance"]) == (3, 1.0)
    assert fields["unet_samples"] == 3 * 3
    told = capsys.readouterr().err
    assert "negative prompt has no effect" in told
    assert "distilled" not in told
    assert main([*given, "--steps", "4"]) == DONE
    assert "distilled to 3 steps without guidance" in capsys.readouterr().err


def test_the_command_line_keeps_the_frames_until_the_film_is_written(
    home: Path, make_pipeline: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cache was trimmed first: of a film larger than it, frames were painted twice."""
    film, was_written = home / "film.gif", []
    monkeypatch.setattr(FrameCache, "trim", lambda _cache: was_written.append(film.exists()))
    given = ["walk", "a red square on white", "a stormy sea at night", "--frames", "4"]
    assert main([*given, "--steps", "2", "--model", str(make_pipeline()), "--out", str(film)]) == 0
    assert was_written == [True]


def test_the_film_is_of_the_format_that_its_name_tells(home: Path, make_pipeline: Any) -> None:
    """Whatever its name, it was a GIF."""
    given = ["walk", "a red square", "a sea", "--frames", "3", "--steps", "2"]
    given += ["--model", str(make_pipeline())]
    begins = {"gif": b"GIF89a", "webp": b"RIFF", "MP4": b"\0\0\0", "zip": b"PK", "": b"GIF89a"}
    for ending, begin in begins.items():
        film = home / (f"film.{ending}" if ending else "film")
        assert main([*given, "--out", str(film)]) == DONE
        assert film.read_bytes().startswith(begin)


def test_what_a_model_cannot_do_is_said_before_it_is_loaded(
    home: Path, make_pipeline: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """It was loaded, which may take minutes, and refused when its first frame was painted."""
    model = make_pipeline()
    index = json.loads((model / "model_index.json").read_text())
    index["scheduler"] = ["diffusers", "LCMScheduler"]
    (model / "model_index.json").write_text(json.dumps(index))
    given = ["walk", "a red square", "a sea", "--model", str(model), "--steps", "51"]
    assert main([*given, "--out", str(home / "film.gif")]) == BAD_INPUT
    told = capsys.readouterr().err
    assert "paints in at most 50 steps" in told
    assert "painting" not in told


def test_a_film_takes_the_place_of_no_device_or_pipe(home: Path) -> None:
    """With `--out /dev/null`, as root, the film replaced the device for the whole machine."""
    os.mkfifo(home / "pipe")
    assert main(["walk", "a sea", "a city", "--out", str(home / "pipe")]) == BAD_INPUT
    assert (home / "pipe").is_fifo()


@pytest.mark.parametrize(
    "bad",
    [
        ["", "sea"],
        ["sea", "sea"],
        ["sea"],
        ["sea", "x" * 10_000],
        ["sea", "<script>"],
        ["sea", "city", "--frames", "0"],
        ["sea", "city", "--frames", "100000"],
        ["sea", "city", "--seeds", "-1"],
        ["sea", "city", "--seeds", str(2**70)],
        ["sea", "city", "--seeds", "1", "2", "3"],
        ["sea", "city", "--model", "nothing"],
        ["sea", "city", "--device", "abacus"],
        ["sea", "city", "--batch", "-1"],
        ["sea", "city", "--out", "/no/such/folder/film.gif"],
        ["sea", "city", "--out", "film.png"],
    ],
)
def test_bad_input_is_reported_and_nothing_written(
    home: Path, bad: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    out = [] if "--out" in bad else ["--out", str(home / "film.gif")]
    assert main(["walk", *bad, *out]) == BAD_INPUT
    assert capsys.readouterr().err.strip().endswith(".")
    assert not list(home.iterdir())
