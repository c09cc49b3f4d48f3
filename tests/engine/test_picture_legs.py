"""Laws of legs from and to pictures: the film begins with the work, and ends with the model's own.

The weights are random: what holds for them holds for any.
"""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from momalisa.engine import frame_cache
from momalisa.engine.frame_cache import Frame, FrameCache, frame_key
from momalisa.engine.guided_legs import Guide
from momalisa.engine.picture_legs import PictureSampler
from momalisa.engine.picture_settings import level_of_noise, remaining_detail, share_of_end
from momalisa.engine.runner import ModelRunner
from momalisa.engine.walk import frames, stills
from momalisa.engine.works import Work, add_detail
from momalisa.errors import BadInput
from momalisa.spec import Place, WalkSpec
from momalisa.stop_pictures import StopPicture, take_in_bytes
from tests.support.walks import walk_spec

SIDE = 64
SEA = {"prompt": "a stormy sea", "seed": 8}


@pytest.fixture(scope="module")
def works() -> list[StopPicture]:
    """Two pictures that are no squares."""
    random = np.random.default_rng(3)
    made = []
    for shape in ((6, 8, 3), (9, 5, 3)):
        image = Image.fromarray(random.integers(0, 255, shape, np.uint8))
        data = BytesIO()
        image.resize((shape[1] * 16, shape[0] * 16), Image.Resampling.BICUBIC).save(data, "PNG")
        made.append(take_in_bytes(data.getvalue()))
    return made


@pytest.fixture
def cache(tmp_path: Path, works: list[StopPicture]) -> FrameCache:
    cache = FrameCache(tmp_path / "frames")
    for work in works:
        cache.put_file(work.digest, work.data)
    return cache


def stop(work: StopPicture, **fields: Any) -> dict[str, Any]:
    image = {"digest": work.digest} | fields.pop("image", {})
    return {"image": image, "prompt": "", "seed": 7, **fields}


def walk(*stops: dict[str, Any], **fields: Any) -> WalkSpec:
    settings = {"frames": 5, "steps": 3, "size": SIDE, "mode": "exact"}
    return walk_spec(stops=list(stops), **settings | fields)


def film(spec: WalkSpec, runner: ModelRunner, cache: FrameCache, **how: Any) -> list[Frame]:
    found = [one for one in frames(spec, runner, cache, **how) if one.finished]
    return [one.frame for one in sorted(found, key=lambda one: one.index)]


def cropped(work: StopPicture, box: tuple[float, float, float, float]) -> Frame:
    with Image.open(BytesIO(work.data)) as image:
        part = image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS, box=box)
        return np.asarray(part)


def test_a_film_begins_and_ends_with_the_works_themselves(
    works: list[StopPicture], tiny: ModelRunner, cache: FrameCache
) -> None:
    corner = {"crop": {"x": 0.0, "y": 0.0, "zoom": 2.0}}
    spec = walk(stop(works[0]), SEA, stop(works[1], image=corner))
    made = film(spec, tiny, cache)
    assert np.array_equal(made[0], cropped(works[0], (16, 0, 112, 96)))
    assert np.array_equal(made[-1], cropped(works[1], (0, 0, 40, 40)))


@pytest.mark.parametrize("interpolation", ["lerp", "slerp", "attention", "predictions"])
def test_at_a_prompt_it_is_the_models_own_frame(
    interpolation: str, works: list[StopPicture], tiny: ModelRunner, cache: FrameCache
) -> None:
    spec = walk(stop(works[0]), SEA, interpolation=interpolation)
    plain = walk({"prompt": "a red square", "seed": 7}, SEA, interpolation=interpolation)
    end, digest = Place(0, 1.0), tiny.model.digest
    assert frame_key(spec, end, digest) == frame_key(plain, end, digest)
    (own,) = stills(plain, [end], tiny, FrameCache(cache.folder.with_name("other")))
    made = film(spec, tiny, cache)
    assert np.abs(made[-1].astype(int) - own.frame).max() <= 1
    near = stills(spec, [Place(0, 0.999)], tiny, cache)[0].frame
    assert np.abs(near.astype(int) - own.frame).mean() < 3


def test_a_frame_depends_on_its_place_alone(
    works: list[StopPicture], tiny: ModelRunner, cache: FrameCache, tmp_path: Path
) -> None:
    spec = walk(stop(works[0], prompt="lilies"), stop(works[1]), guidance=4.0)
    made = film(spec, tiny, cache)
    other = FrameCache(tmp_path / "other")
    for work in works:
        other.put_file(work.digest, work.data)
    one_by_one = film(spec, tiny, other, batch=1)
    (middle,) = stills(spec, [Place(0, 0.5)], tiny, other)
    assert all(np.array_equal(a, b) for a, b in zip(made, one_by_one, strict=True))
    assert np.array_equal(middle.frame, made[2])
    again = [one for one in frames(spec, tiny, cache) if one.finished]
    assert sum(one.unet_samples for one in again) == 0


@pytest.mark.parametrize("pacing", ["even", "ease"])
def test_any_pacing_takes_frames_from_the_work_to_the_prompt(
    pacing: str, works: list[StopPicture], tiny: ModelRunner, cache: FrameCache
) -> None:
    made = film(walk(SEA, stop(works[1]), pacing=pacing, mode="fast"), tiny, cache)
    assert len(made) == 5
    assert np.array_equal(made[-1], cropped(works[1], (0, 32, 80, 112)))


def test_a_key_holds_picture_and_crop_but_no_credit(works: list[StopPicture]) -> None:
    credit = {"credit": {"artist": "Monet"}}
    images: list[dict[str, Any]] = [{}, credit, {"crop": {"x": 0.1}}]
    stops = [stop(works[0], image=image) for image in images] + [stop(works[1])]
    for t in (0.0, 0.5):
        keys = [frame_key(walk(one, SEA), Place(0, t), "m") for one in stops]
        assert keys[0] == keys[1]
        assert len(set(keys)) == 3


def test_keys_of_frames_beside_works_alone_hold_what_guides_them(
    works: list[StopPicture], monkeypatch: pytest.MonkeyPatch
) -> None:
    with_work, without = walk(stop(works[0]), SEA), walk({"prompt": "a cat", "seed": 7}, SEA)
    places = [(with_work, 0.5), (with_work, 0.0), (with_work, 1.0), (without, 0.5)]
    before = [frame_key(spec, Place(0, t), "m") for spec, t in places]
    monkeypatch.setattr(frame_cache, "GUIDED", ("other",))
    after = [frame_key(spec, Place(0, t), "m") for spec, t in places]
    assert [old == new for old, new in zip(before, after, strict=True)] == [False, *[True] * 3]


def test_between_two_works_colours_and_contrast_are_between_theirs(
    works: list[StopPicture], tiny: ModelRunner, cache: FrameCache
) -> None:
    sampler = PictureSampler(walk(stop(works[0]), stop(works[1])), tiny, cache)
    latents, samples = sampler.sample([Place(0, t) for t in (0.0, 0.25, 1.0)])
    for measure in (torch.mean, torch.std):
        start, found, end = measure(latents, (2, 3))
        assert torch.allclose(found, torch.lerp(start, end, 0.25), atol=1e-3)
    assert samples > len(sampler.plan.sampler.start(latents[:1]).scheduler.timesteps)


def test_a_frame_that_reads_the_works_is_predicted_at_a_work_as_by_the_model(
    works: list[StopPicture], tiny: ModelRunner, cache: FrameCache
) -> None:
    sampler = PictureSampler(walk(stop(works[0]), stop(works[1], prompt="sea")), tiny, cache)
    around = sampler.ends_around(Place(0, 0.5))
    assert around is not None
    level = sampler.schedule.steps[0]
    time = torch.tensor(level.time)
    for t, own in ((0.0, slice(0, 1)), (1.0, slice(1, 2))):
        latents, text = around.at(level)[own], around.texts[own]
        plain = tiny.model.predict(latents, time, text)
        guide = Guide(tiny, around, t)
        assert torch.allclose(guide.predict(latents, time, text, level), plain, atol=1e-4)
        assert guide.samples == 2
        found = Guide(tiny, around, 0.5).predict(latents, time, text, level)
        assert not torch.allclose(found, plain, atol=1e-4)


def test_a_picture_that_is_not_at_hand_is_missed_in_words(
    works: list[StopPicture], tiny: ModelRunner, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match="not at hand"):
        film(walk(stop(works[0]), SEA), tiny, FrameCache(tmp_path / "empty"))


def test_a_slider_over_a_leg_encodes_its_picture_once(
    works: list[StopPicture], tiny: ModelRunner, cache: FrameCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, encoded = walk(stop(works[0]), SEA, size=128), []
    real = type(tiny.model).encode_picture

    def encode_picture(*how: Any) -> Any:
        encoded.append(how)
        return real(*how)

    monkeypatch.setattr(type(tiny.model), "encode_picture", encode_picture)
    for t in (0.2, 0.4, 0.6):
        stills(spec, [Place(0, t)], tiny, cache)
    assert len(encoded) == 1


def test_a_damaged_picture_is_dropped(works: list[StopPicture], cache: FrameCache) -> None:
    path = cache.path(works[0].digest).with_suffix(".webp")
    path.write_bytes(b"RIFF")
    assert cache.get_file(works[0].digest) is None
    assert not path.exists()


def test_a_frame_of_a_film_begins_another(tiny: ModelRunner, cache: FrameCache) -> None:
    red = {"prompt": "a red square", "seed": 7}
    first = walk(red, SEA, interpolation="slerp", guidance=4.0)
    frame = {"between": {"start": red, "end": SEA, "t": 0.3, "interpolation": "slerp"}}
    second = walk(frame, {"prompt": "a night", "seed": 3}, guidance=4.0)
    third = walk({"between": {"start": frame, "end": SEA, "t": 0.5}}, SEA, guidance=4.0)
    places = [Place(0, 0.3), Place(0, 0.0)]
    keys = [frame_key(s, p, "m") for s, p in zip((first, second), places, strict=True)]
    assert keys[0] == keys[1]
    empty = FrameCache(cache.folder.with_name("other"))
    (then,) = stills(first, places[:1], tiny, cache)
    (now,) = stills(second, places[1:], tiny, empty)
    assert np.abs(then.frame.astype(int) - now.frame).max() <= 1
    assert len(film(third, tiny, empty)) == 5


def test_levels_rise_from_a_picture_and_fall_to_one() -> None:
    places = np.linspace(0, 1, 21)
    rise = [level_of_noise(t, start=True, end=False) for t in places]
    assert (rise[0], rise[-1]) == (0.0, 1.0)
    assert np.all(np.diff(rise) > 0)
    assert rise == pytest.approx([level_of_noise(1 - t, start=False, end=True) for t in places])
    assert level_of_noise(0.02, start=True, end=False) < 0.03
    both = [level_of_noise(t, start=True, end=True) for t in places]
    assert both[0] == both[-1] == 0.0
    assert both[10] == max(both) < 1.0
    assert [share_of_end(t) for t in (0.0, 0.25, 0.5, 0.75, 1.0)] == [0.0, 0.0, 0.5, 1.0, 1.0]


def test_detail_goes_octave_by_octave_and_never_shows_on_another_picture() -> None:
    assert set(remaining_detail(0.0)) == {1.0}
    assert not any(remaining_detail(0.5))
    shares = [remaining_detail(t) for t in np.linspace(0, 0.25, 9)]
    assert all(list(share) == sorted(share) for share in shares)
    random = np.random.default_rng(0)
    copy = random.integers(60, 190, (SIDE, SIDE, 3)).astype(np.uint8)
    lost = [random.normal(0, 9, copy.shape).astype(np.int16)]
    work = Work(copy, torch.zeros(1), copy, lost)
    same, other = copy.copy(), copy.copy()
    other[:, SIDE // 2 :] = 255 - copy[:, SIDE // 2 :]
    assert np.abs(add_detail(same, work, [1.0]).astype(int) - copy).mean() > 5
    changed = np.abs(add_detail(other, work, [1.0]).astype(int) - other)
    assert changed[:, -SIDE // 4 :].mean() < 0.1 * changed[:, : SIDE // 4].mean()
