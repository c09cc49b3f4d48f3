"""What the app shows of a film: as large as it is shown, sharp, without the GIF's dither."""

import weakref
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, get_args
from zipfile import ZipFile

import imageio.v3 as iio
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from momalisa.engine.frame_cache import Frame
from momalisa.film import exports
from momalisa.film.embedded_spec import read_spec
from momalisa.film.embedded_text import read_comment
from momalisa.film.encode import encode_gif, encode_webp
from momalisa.film.enlarge import SHOWN, enlarge
from momalisa.film.exports import ExportFormat
from momalisa.film.shown import encode_shown_film, encode_shown_poster
from momalisa.spec import WalkSpec
from tests.support.walks import walk_spec


def painted(size: int, count: int = 6) -> list[Frame]:
    """Frames with soft areas and a hard edge that moves."""
    noise = np.random.default_rng(3).integers(0, 256, (size, size, 3), np.uint8)
    soft = np.asarray(Image.fromarray(noise).filter(ImageFilter.GaussianBlur(size / 64)))
    soft = (128 + 6 * (soft.astype(float) - soft.mean())).clip(0, 255).astype(np.uint8)
    frames = []
    for number in range(count):
        frame = soft.copy()
        frame[size // 4 : size // 2, size // 8 + number * size // 16 :] = (200, 40, 30)
        frames.append(frame)
    return frames


def shrink(frame: Frame, size: int) -> NDArray[np.float64]:
    picture = Image.fromarray(frame).resize((size, size), Image.Resampling.BOX)
    return np.asarray(picture).astype(float)


def psnr(shown: NDArray[Any], made: NDArray[Any]) -> float:
    return float(10 * np.log10(255**2 / np.square(shown.astype(float) - made).mean()))


def decode(film: bytes) -> list[Frame]:
    with Image.open(BytesIO(film)) as image:
        frames = []
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            frames.append(np.asarray(image.convert("RGB")))
        return frames


@pytest.mark.parametrize(
    ("made", "shown"), [(64, 128), (256, SHOWN), (384, SHOWN), (512, 512), (768, 768)]
)
def test_pictures_are_enlarged_to_twice_their_size_where_they_are_small(
    made: int, shown: int
) -> None:
    frame = painted(made, 1)[0]
    assert enlarge(frame).shape == (shown, shown, 3)
    if made == shown:
        assert enlarge(frame) is frame


def test_enlarged_pictures_are_nearer_to_the_truth_than_a_browsers() -> None:
    """A model's decoder is a little soft, and so is what a browser makes of its pictures."""
    truth = painted(256, 1)[0]
    soft = np.asarray(Image.fromarray(truth).filter(ImageFilter.GaussianBlur(1.5)))
    made = shrink(soft, 128).astype(np.uint8)
    browsers = np.asarray(Image.fromarray(made).resize((256, 256), Image.Resampling.BILINEAR))
    enlarged = enlarge(made)
    assert psnr(enlarged, truth) > psnr(browsers, truth) + 0.5
    steepest = [np.abs(np.diff(p.astype(int), axis=0)).max() for p in (enlarged, browsers, truth)]
    assert steepest[1] < steepest[0] <= steepest[2]


def test_flat_colours_stay_as_they_are() -> None:
    flat = np.full((64, 64, 3), (12, 130, 250), np.uint8)
    assert np.abs(enlarge(flat).astype(int) - (12, 130, 250)).max() <= 1


def test_the_film_that_is_played_is_nearer_to_its_frames_than_the_gif_and_smaller() -> None:
    frames = painted(256)
    spec = walk_spec(frames=len(frames), size=256, fps=10)
    gif, film = encode_gif(frames, 10), encode_shown_film(spec, frames)
    played = decode(film)
    assert played[0].shape == (SHOWN, SHOWN, 3)
    made = [shrink(enlarge(frame), 256) for frame in frames]
    of_film = np.mean([psnr(shrink(p, 256), m) for p, m in zip(played, made, strict=True)])
    of_gif = np.mean([psnr(g, f) for g, f in zip(decode(gif), frames, strict=True)])
    assert of_film > of_gif + 1
    assert len(film) < len(gif) / 3


@pytest.mark.parametrize("loop", ["once", "boomerang", "closed"])
def test_it_shows_the_frames_in_the_films_order_and_carries_the_spec(loop: str) -> None:
    spec = walk_spec(frames=3, size=64, fps=7, loop=loop)
    frames = [np.full((64, 64, 3), 40 + 70 * n, np.uint8) for n in range(len(spec.places()))]
    film = encode_shown_film(spec, frames)
    levels = [round((float(frame.mean()) - 40) / 70) for frame in decode(film)]
    assert levels == list(spec.film_order())
    assert read_spec(film, "film.webp") == spec


def test_the_poster_is_as_large_as_the_film() -> None:
    spec = walk_spec(size=64)
    with Image.open(BytesIO(encode_shown_poster(spec, painted(64)))) as poster:
        assert (poster.format, poster.size) == ("WEBP", (128, 128))


def test_a_poster_carries_the_credits_of_the_films_pictures() -> None:
    """It is the first frame, which may be the work itself, and a browser saves it alone."""
    image = {"digest": "0" * 64, "credit": {"artist": "Mina Loy", "licence": "CC0"}}
    spec = walk_spec(stops=[{"prompt": "", "image": image}, {"prompt": "a sea"}], size=64)
    assert read_spec(encode_shown_poster(spec, painted(64, 1)), "poster.webp") == spec
    assert read_comment(encode_shown_poster(walk_spec(size=64), painted(64, 1))) == ""


def test_the_dither_of_a_gif_is_not_sharpened(tmp_path: Path) -> None:
    """An export of a film whose frames are no longer cached is made from its GIF."""
    rows, columns = np.indices((64, 64))
    dither = np.repeat((120 + 8 * ((rows + columns) % 2))[..., None], 3, 2).astype(np.uint8)
    spec, gif = walk_spec(frames=5, size=64), tmp_path / "film.gif"
    gif.write_bytes(encode_gif([dither] * 5, spec.fps))
    picture = decode(export("webp", spec, gif))[0]
    assert picture.shape == (128, 128, 3)
    assert picture.std() <= dither.std() + 1


@pytest.mark.parametrize("kind", get_args(ExportFormat))
def test_an_export_without_cached_frames_is_nearer_to_them_than_the_gif(
    tmp_path: Path, kind: ExportFormat
) -> None:
    """It is made from the WebP, and as large and long as one of the frames themselves."""
    frames = painted(128)
    spec = walk_spec(frames=len(frames), size=128, loop="boomerang")
    stored = {
        "film.webp": encode_shown_film(spec, frames),
        "film.gif": encode_gif(frames, spec.fps, "", spec.film_order()),
    }
    of_frames = np.stack(read_export(exports.export_walk(kind, spec, frames)))
    nearness = []
    for name, data in stored.items():
        (tmp_path / name).write_bytes(data)
        made = np.stack(read_export(export(kind, spec, tmp_path / name)))
        assert made.shape == of_frames.shape
        nearness.append(psnr(made, of_frames))
    assert nearness[0] > nearness[1] + 0.5


def export(kind: ExportFormat, spec: WalkSpec, film: Path) -> bytes:
    """Export a stored film, none of whose frames are cached."""
    target = film.with_name("exported")
    fields, cache = spec.model_dump(mode="json"), str(film.with_name("frames"))
    exports.write_film(kind, str(target), fields, [], cache, str(film))
    return target.read_bytes()


def read_export(data: bytes) -> list[NDArray[Any]]:
    """The pictures of an export of any kind."""
    if not data.startswith(b"PK"):
        plugin = "pyav" if data[4:8] == b"ftyp" else "pillow"
        return [frame[..., :3] for frame in iio.imiter(data, plugin=plugin)]
    with ZipFile(BytesIO(data)) as archive:
        return [iio.imread(archive.read(name)) for name in archive.namelist() if "png" in name]


class Counted(Sequence[Any]):
    """Frames that are made when they are read, and a count of those that are held."""

    def __init__(self, count: int) -> None:
        self._length, self.held, self.most = count, 0, 0

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: Any) -> Any:
        frame = np.full((32, 32, 3), index, np.uint8)
        self.held += 1
        self.most = max(self.most, self.held)
        weakref.finalize(frame, self._let_go)
        return frame

    def _let_go(self) -> None:
        self.held -= 1


def test_a_film_is_encoded_without_holding_its_frames() -> None:
    frames = Counted(60)
    film = encode_webp(frames, 10)
    assert len(decode(film)) == 60
    assert frames.most <= 6


def test_frames_that_hardly_differ_are_shown_all_the_same() -> None:
    """libwebp's own animations leave them out, so that a slow film stumbles."""
    slow = [np.full((64, 64, 3), 100 + number, np.uint8) for number in range(12)]
    levels = [frame.mean() for frame in decode(encode_webp(slow, 10, quality=40))]
    assert levels == pytest.approx(range(100, 112), abs=1.5)
    assert len(set(levels)) > 6
