"""From a spec to a stored film, and from the command line."""

import json
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any
from weakref import ref

import imageio.v3 as iio
import numpy as np
import pytest

from momalisa.cloud.endpoint import Endpoint
from momalisa.engine import cached_frames
from momalisa.engine.frame_cache import Frame, FrameCache
from momalisa.engine.runner import ModelRunner
from momalisa.errors import BadInput, Cancelled
from momalisa.render import (
    Progress,
    RenderedFrames,
    render,
    render_frames,
    render_live,
    render_still,
)
from momalisa.spec import Place, WalkSpec
from momalisa.storage import LocalStorage

SPEC = WalkSpec.model_validate(
    {"stops": [{"prompt": "square"}, {"prompt": "sea"}], "frames": 4, "steps": 2, "size": 64}
)


@pytest.fixture
def stores(tmp_path: Path) -> dict[str, Any]:
    return {"cache": FrameCache(tmp_path / "frames"), "storage": LocalStorage(tmp_path / "store")}


def test_a_film_is_stored_with_its_poster_and_record(
    tiny: ModelRunner, stores: dict[str, Any]
) -> None:
    spec, storage = SPEC.model_copy(update={"mode": "exact"}), stores["storage"]
    done = render(spec, walk_id="w1", runner=tiny, **stores).result
    gif, webp = (list(iio.imiter(storage.get(done.files[kind]))) for kind in ("gif", "webp"))
    assert (len(gif), len(webp)) == (len(SPEC.film_order()),) * 2
    record = json.loads(storage.get(done.files["json"]))
    assert WalkSpec.model_validate(record["spec"]) == spec
    assert (record["result"]["sha256"], record["result"]["files"]) == (done.sha256, done.files)
    counts = done.frames, done.frames_computed, done.unet_samples, len(done.distances)
    assert counts == (4, 4, 4 * 2 * 2, 3)


def test_a_second_attempt_leaves_what_is_stored(tiny: ModelRunner, stores: dict[str, Any]) -> None:
    first = render(SPEC, walk_id="w1", runner=tiny, **stores).result
    record = stores["storage"].get(first.files["json"])
    again = render(SPEC, walk_id="w1", runner=tiny, **stores).result
    assert (again.files, again.sha256, again.frames_computed) == (first.files, first.sha256, 0)
    assert stores["storage"].get(first.files["json"]) == record


def test_progress_names_the_frames_as_they_come(tiny: ModelRunner, stores: dict[str, Any]) -> None:
    reports: list[Progress] = []
    render(SPEC, walk_id="w1", runner=tiny, on_progress=reports.append, **stores)
    assert [p.stage for p in reports] == ["frames"] * (len(reports) - 2) + ["film", "storing"]
    assert [index for index, _ in reports[-1].ready] == [0, 3, 1, 2]
    for earlier, later in pairwise(reports):
        assert later.ready[: len(earlier.ready)] == earlier.ready
    assert all(stores["cache"].path(key).exists() for _, key in reports[-1].ready)


@pytest.mark.parametrize("pacing", ["linear", "even"])
def test_previews_go_as_their_frames_become_ready(
    tiny: ModelRunner, stores: dict[str, Any], pacing: str
) -> None:
    reports: list[Progress] = []
    spec = WalkSpec.model_validate(SPEC.model_dump() | {"pacing": pacing, "frames": 6})
    render(spec, walk_id="w1", runner=tiny, on_progress=reports.append, **stores)
    assert any(progress.previews for progress in reports)
    for progress in reports:
        assert not dict(progress.previews).keys() & dict(progress.ready).keys()


@pytest.mark.parametrize("pacing", ["linear", "even"])
def test_progress_names_every_picture_that_is_left_in_the_cache(
    tiny: ModelRunner, stores: dict[str, Any], pacing: str
) -> None:
    """Previews and pictures of a survey stayed when the film was “gone for good”."""
    reports: list[Progress] = []
    spec = WalkSpec.model_validate(SPEC.model_dump() | {"pacing": pacing, "frames": 6})
    render(spec, walk_id="w1", runner=tiny, on_progress=reports.append, **stores)
    left = {path.stem for path in stores["cache"].folder.rglob("*.png")}
    shown = {key for _, key in reports[-1].ready}
    replaced = {key for _, key in reports[-1].replaced}
    assert replaced
    assert (shown | replaced, shown & replaced) == (left, set())


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"torn")])
def test_frame_that_is_lost_before_the_film_is_made_is_painted_again(
    tiny: ModelRunner,
    stores: dict[str, Any],
    damage: Callable[[Path], object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The walk failed: "A frame was dropped from the cache; please walk again." """
    monkeypatch.setattr(cached_frames, "KEPT_BYTES", 1)
    whole = render(SPEC, walk_id="w1", runner=tiny, **stores).result
    cache = stores["cache"]

    def lose(progress: Progress) -> None:
        if progress.stage == "film":
            for _, key in progress.ready[1:3]:
                damage(cache.path(key))

    again = render(SPEC, walk_id="w2", runner=tiny, on_progress=lose, **stores).result
    assert again.sha256 == whole.sha256


def test_frames_of_a_walk_stay_while_another_worker_trims_the_cache(
    tiny: ModelRunner, stores: dict[str, Any]
) -> None:
    """They were painted again and again, or the walk failed."""
    other = FrameCache(stores["cache"].folder, limit_bytes=0)
    dropped: list[int] = []

    def trim(_progress: Progress) -> None:
        dropped.append(other.trim())

    render(SPEC, walk_id="w1", runner=tiny, on_progress=trim, **stores)
    assert len(dropped) > SPEC.frames
    assert sum(dropped) == 0


def test_few_frames_of_a_long_walk_are_in_memory(
    tiny: ModelRunner, stores: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The film of the largest walk would have needed 9 GB at its end."""
    held: list[ref[Frame]] = []
    most = [0]
    read = FrameCache.get

    def noted(cache: FrameCache, key: str) -> Frame | None:
        frame = read(cache, key)
        if frame is not None:
            held.append(ref(frame))
        most.append(sum(one() is not None for one in held))
        return frame

    monkeypatch.setattr(FrameCache, "get", noted)
    monkeypatch.setattr(cached_frames, "KEPT_BYTES", 1)
    spec = SPEC.model_copy(update={"frames": 40, "steps": 1})
    render(spec, walk_id="w1", runner=tiny, **stores)
    assert len(held) > 80
    assert max(most) < 10


def test_walk_is_cancelled_within_a_frame(tiny: ModelRunner, stores: dict[str, Any]) -> None:
    steps = []

    def stop() -> None:
        steps.append("step")
        if len(steps) == 2:
            raise Cancelled("called off")

    tiny.on_step = stop
    try:
        with pytest.raises(Cancelled):
            render(SPEC, walk_id="w1", runner=tiny, **stores)
    finally:
        tiny.on_step = lambda: None


def test_a_cancelled_walk_keeps_its_frames_and_stores_nothing(
    tiny: ModelRunner, stores: dict[str, Any]
) -> None:
    with pytest.raises(Cancelled):
        render(SPEC, walk_id="w1", runner=tiny, cancelled=lambda: True, **stores)
    assert not list(stores["storage"].list(""))
    assert list(stores["cache"].folder.rglob("*.png"))


@pytest.mark.parametrize("where", ["here", "at an endpoint"])
def test_a_film_that_is_not_its_workers_any_more_gets_no_record(
    tiny: ModelRunner, stores: dict[str, Any], monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """A worker that stalled stored a record of a walk that had been deleted meanwhile."""
    endpoint = Endpoint("http://127.0.0.1:9")

    def paint(spec: WalkSpec, *_asked: Any) -> RenderedFrames:
        return render_frames(spec, tiny, stores["cache"])

    monkeypatch.setattr(endpoint, "render_frames", paint)
    painter: Any = partial(render, runner=tiny) if where == "here" else endpoint.render
    how = {"on_progress": print, "cancelled": lambda: False, "still_mine": lambda: False}
    with pytest.raises(Cancelled):
        painter(SPEC, walk_id="w1", **how, **stores)
    names = [Path(found.key).name for found in stores["storage"].list()]
    assert "poster.webp" in names
    assert "walk.json" not in names, "the record is the last file"
    assert names[0].endswith(".gif")


@pytest.mark.parametrize("loop", ["once", "closed"])
def test_still_is_the_frame_that_the_walk_has_there(
    tiny: ModelRunner, stores: dict[str, Any], loop: str
) -> None:
    spec = SPEC.model_copy(update={"mode": "exact", "loop": loop})
    cache, places = stores["cache"], spec.places()
    stills = [render_still(spec, place, tiny, cache) for place in places[1:3]]
    rendered = render_frames(spec, tiny, cache)
    assert rendered.stats.frames_computed == len(places) - 2
    apart = render_frames(spec, tiny, FrameCache(cache.folder / "apart"))
    for key, number in zip(stills, (1, 2), strict=True):
        np.testing.assert_array_equal(cache.get(key), rendered.frames[number])
        np.testing.assert_allclose(cache.get(key), apart.frames[number], rtol=0, atol=1)


def test_live_pictures_are_the_frames_that_the_walk_has_there(
    tiny: ModelRunner, stores: dict[str, Any]
) -> None:
    """In the order in which they are asked for, whether some are cached or none."""
    spec = SPEC.model_copy(update={"mode": "exact"})
    places, cache = spec.places(), stores["cache"]
    first = render_live(spec, [places[2], places[1]], tiny, cache)
    again = render_live(spec, [places[1], places[3], places[2]], tiny, cache)
    frames = render_frames(spec, tiny, FrameCache(cache.folder / "apart")).frames
    for picture, number in zip([*first, *again], (2, 1, 1, 3, 2), strict=True):
        np.testing.assert_allclose(picture, frames[number], rtol=0, atol=1)


def test_still_is_painted_once(
    tiny: ModelRunner, stores: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = render_still(SPEC, Place(0, 0.4), tiny, stores["cache"])
    monkeypatch.setattr(ModelRunner, "decode", None)
    assert render_still(SPEC, Place(0, 0.4), tiny, stores["cache"]) == first


@pytest.mark.parametrize(
    "place", [Place(-1, 0.5), Place(1, 0.5), Place(0, -0.1), Place(0, 1.1), Place(0, float("nan"))]
)
def test_still_beside_the_walk_is_refused(
    tiny: ModelRunner, stores: dict[str, Any], place: Place
) -> None:
    with pytest.raises(BadInput, match="not on this walk"):
        render_still(SPEC, place, tiny, stores["cache"])
