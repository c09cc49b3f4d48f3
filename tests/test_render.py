"""From a spec to a stored film, and from the command line."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
import pytest

from momalisa.__main__ import BAD_INPUT, DONE, main
from momalisa.engine.frame_cache import FrameCache
from momalisa.engine.perception import relative_sharpness
from momalisa.engine.runner import ModelRunner
from momalisa.errors import BadInput, Cancelled
from momalisa.render import Progress, render, render_frames, render_still
from momalisa.settings import Settings
from momalisa.spec import Place, WalkSpec
from momalisa.storage import LocalStorage

SPEC = WalkSpec.model_validate(
    {"stops": [{"prompt": "square"}, {"prompt": "sea"}], "frames": 4, "steps": 2, "size": 64}
)


@pytest.fixture
def rooms(tmp_path: Path) -> dict[str, Any]:
    return {"cache": FrameCache(tmp_path / "frames"), "storage": LocalStorage(tmp_path / "store")}


def test_a_film_is_stored_with_its_poster_and_record(
    tiny: ModelRunner, rooms: dict[str, Any]
) -> None:
    spec = SPEC.model_copy(update={"mode": "exact"})
    done = render(spec, walk_id="w1", runner=tiny, **rooms).result
    storage = rooms["storage"]
    assert len(iio.imread(storage.get(done.files["gif"]), index=None)) == len(SPEC.film_order())
    record = json.loads(storage.get(done.files["json"]))
    assert WalkSpec.model_validate(record["spec"]) == spec
    assert record["result"]["sha256"] == done.sha256
    assert (done.frames, done.frames_computed, done.unet_samples) == (4, 4, 4 * 2 * 2)
    assert len(done.distances) == 3


def test_a_second_attempt_leaves_what_is_stored(tiny: ModelRunner, rooms: dict[str, Any]) -> None:
    first = render(SPEC, walk_id="w1", runner=tiny, **rooms).result
    record = rooms["storage"].get(first.files["json"])
    again = render(SPEC, walk_id="w1", runner=tiny, **rooms).result
    assert (again.files, again.sha256, again.frames_computed) == (first.files, first.sha256, 0)
    assert rooms["storage"].get(first.files["json"]) == record


def test_progress_names_the_frames_as_they_come(tiny: ModelRunner, rooms: dict[str, Any]) -> None:
    told: list[Progress] = []
    render(SPEC, walk_id="w1", runner=tiny, on_progress=told.append, **rooms)
    assert [p.stage for p in told] == ["frames"] * (len(told) - 2) + ["film", "storing"]
    assert [index for index, _ in told[-1].ready] == [0, 3, 1, 2]
    for earlier, later in pairwise(told):
        assert later.ready[: len(earlier.ready)] == earlier.ready
    assert all(rooms["cache"].path(key).exists() for _, key in told[-1].ready)


@pytest.mark.parametrize("pacing", ["linear", "even"])
def test_previews_go_as_their_frames_become_ready(
    tiny: ModelRunner, rooms: dict[str, Any], pacing: str
) -> None:
    told: list[Progress] = []
    spec = WalkSpec.model_validate(SPEC.model_dump() | {"pacing": pacing, "frames": 6})
    render(spec, walk_id="w1", runner=tiny, on_progress=told.append, **rooms)
    assert any(progress.previews for progress in told)
    for progress in told:
        assert not dict(progress.previews).keys() & dict(progress.ready).keys()


def test_a_cancelled_walk_keeps_its_frames_and_stores_nothing(
    tiny: ModelRunner, rooms: dict[str, Any]
) -> None:
    with pytest.raises(Cancelled):
        render(SPEC, walk_id="w1", runner=tiny, cancelled=lambda: True, **rooms)
    assert not list(rooms["storage"].list(""))
    assert list(rooms["cache"].folder.rglob("*.png"))


@pytest.mark.parametrize("loop", ["once", "closed"])
def test_still_is_the_frame_that_the_walk_has_there(
    tiny: ModelRunner, rooms: dict[str, Any], loop: str
) -> None:
    spec = SPEC.model_copy(update={"mode": "exact", "loop": loop})
    cache, places = rooms["cache"], spec.places()
    stills = [render_still(spec, place, tiny, cache) for place in places[1:3]]
    painted = render_frames(spec, tiny, cache)
    assert painted.stats.frames_computed == len(places) - 2
    apart = render_frames(spec, tiny, FrameCache(cache.folder / "apart"))
    for key, number in zip(stills, (1, 2), strict=True):
        np.testing.assert_array_equal(cache.get(key), painted.frames[number])
        np.testing.assert_allclose(cache.get(key), apart.frames[number], rtol=0, atol=1)


@pytest.mark.parametrize("loop", ["once", "closed"])
def test_sharpness_is_that_of_each_leg_between_its_own_stops(
    tiny: ModelRunner, rooms: dict[str, Any], loop: str
) -> None:
    stops = [{"prompt": prompt} for prompt in ("a red square", "grey fog", "a busy city")]
    told = SPEC.model_dump() | {"stops": stops, "frames": 3, "loop": loop}
    painted = render_frames(WalkSpec.model_validate(told), tiny, rooms["cache"])
    legs = [(0, 1, 2), (2, 3, 4)] + ([(4, 5, 0)] if loop == "closed" else [])
    assert painted.stats.sharpness == min(
        relative_sharpness([painted.frames[n] for n in leg]) for leg in legs
    )


def test_still_is_painted_once(
    tiny: ModelRunner, rooms: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = render_still(SPEC, Place(0, 0.4), tiny, rooms["cache"])
    monkeypatch.setattr(ModelRunner, "decode", None)
    assert render_still(SPEC, Place(0, 0.4), tiny, rooms["cache"]) == first


@pytest.mark.parametrize(
    "place", [Place(-1, 0.5), Place(1, 0.5), Place(0, -0.1), Place(0, 1.1), Place(0, float("nan"))]
)
def test_still_beside_the_walk_is_refused(
    tiny: ModelRunner, rooms: dict[str, Any], place: Place
) -> None:
    with pytest.raises(BadInput, match="not on this walk"):
        render_still(SPEC, place, tiny, rooms["cache"])


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    kept = Settings(home=tmp_path / "home")
    monkeypatch.setattr("momalisa.__main__.settings", lambda: kept)
    return tmp_path


def test_the_command_line_makes_a_film_frames_and_a_report(home: Path, make_pipeline: Any) -> None:
    film, report, frames = home / "film.gif", home / "report.json", home / "frames"
    given = ["walk", "a red square on white", "a stormy sea at night", "--frames", "4"]
    given += ["--steps", "2", "--seeds", "7", "8", "--pacing", "ease"]
    given += ["--model", str(make_pipeline()), "--out", str(film)]
    assert main([*given, "--report", str(report), "--frames-dir", str(frames)]) == DONE
    told = json.loads(report.read_text())
    assert len(iio.imread(film, index=None)) == told["frames"] == 4
    assert len(list(frames.glob("*.png"))) == 4
    assert told["unet_samples"] == 4 * 2 * 2
    assert [stop["seed"] for stop in told["spec"]["stops"]] == [7, 8]
    assert told["spec"]["size"] == 64
    assert {"seconds", "seconds_to_load", "frames_computed", "device", "dtype"} <= set(told)


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
    ],
)
def test_bad_input_is_told_and_nothing_written(
    home: Path, bad: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    out = [] if "--out" in bad else ["--out", str(home / "film.gif")]
    assert main(["walk", *bad, *out]) == BAD_INPUT
    assert capsys.readouterr().err.strip().endswith(".")
    assert not list(home.iterdir())


def test_models_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == DONE
    assert "atelier" in capsys.readouterr().out
