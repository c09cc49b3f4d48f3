"""Exports in every format, and specs read back from them, also from damaged and hostile files."""

import json
import sys
import tracemalloc
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, get_args
from zipfile import ZIP_DEFLATED, ZIP_LZMA, ZipFile

import imageio.v3 as iio
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from momalisa import limited_process
from momalisa.engine.frame_cache import Frame, FrameCache
from momalisa.errors import BadInput
from momalisa.film import embedded_spec, embedded_text, exports
from momalisa.film.embedded_spec import read_spec
from momalisa.film.encode import decode_gif, encode_gif, encode_png, encode_poster
from momalisa.film.exports import ExportFormat
from momalisa.spec import WalkSpec
from tests.support.walks import walk_spec

KINDS = get_args(ExportFormat)


def spec(**changes: Any) -> WalkSpec:
    credit = {"artist": "Claude Monet", "museum": "Musée d'Orsay", "licence": "Public domain"}
    image = {"digest": "0a" * 32, "crop": {"x": 0.25, "zoom": 2.0}, "credit": credit}
    stops = [
        {"prompt": "Nymphéas, “spät”, 睡蓮 🎨", "seed": 3, "image": image},
        {"prompt": "a 'red' \"square\" \\ on & %20 white", "seed": 4},
    ]
    fields = {"frames": 3, "size": 64, "fps": 7, "loop": "boomerang"}
    return walk_spec(stops=stops, **fields | changes)


def grey(count: int, size: int = 64) -> list[Frame]:
    levels = np.linspace(20, 230, count).round()
    return [np.full((size, size, 3), level, np.uint8) for level in levels]


def gif(walk: WalkSpec, frames: list[Frame]) -> bytes:
    return encode_gif(frames, walk.fps, walk.model_dump_json(), walk.film_order())


def every_file(walk: WalkSpec) -> dict[str, bytes]:
    frames = grey(len(walk.places()))
    exported = {kind: exports.export_walk(kind, walk, frames) for kind in KINDS}
    bare = walk.model_dump_json().encode()
    record = json.dumps({"version": 1, "spec": walk.model_dump(mode="json")}).encode("utf-8-sig")
    png = encode_png(frames[0], walk.model_dump_json())
    return {"gif": gif(walk, frames), "png": png, "bare": bare, "record": record, **exported}


WALK = spec()
FILES = every_file(WALK)


def make_zip(files: Mapping[str, bytes | str], compression: int = ZIP_DEFLATED) -> bytes:
    data = BytesIO()
    with ZipFile(data, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


def spec_or_message(data: bytes) -> WalkSpec | str:
    """The spec in a file, or the message of the BadInput."""
    try:
        return read_spec(data, "film")
    except BadInput as problem:
        return str(problem)


def error_message(data: bytes, name: str = "film.gif") -> str:
    """The message of the BadInput that reading a spec raises."""
    with pytest.raises(BadInput) as caught:
        read_spec(data, name)
    return str(caught.value)


@pytest.mark.parametrize("kind", FILES)
def test_every_format_carries_the_spec(kind: str) -> None:
    assert read_spec(FILES[kind], "film") == WALK


@pytest.mark.parametrize("loop", ["once", "boomerang", "closed"])
@pytest.mark.parametrize("count", [2, 3, 5])
def test_a_film_shows_each_frame_of_its_walk_in_order(loop: str, count: int) -> None:
    walk = spec(loop=loop, frames=count)
    frames = grey(len(walk.places()))
    shown = decode_gif(gif(walk, frames), walk.fps)
    for kind in ("mp4", "webp"):
        pictures = _pictures(exports.export_walk(kind, walk, frames))
        assert len(pictures) == len(shown) == len(walk.film_order())
        for picture, place in zip(pictures, walk.film_order(), strict=True):
            assert picture.shape == (128, 128, 3)
            assert np.abs(picture.astype(int) - frames[place][0, 0]).mean() < 4


def _pictures(data: bytes) -> list[Frame]:
    plugin = "pyav" if data[4:8] == b"ftyp" else "pillow"
    return [frame[..., :3] for frame in iio.imiter(data, plugin=plugin)]


def test_the_archive_holds_each_frame_once_with_its_exact_pixels() -> None:
    frames = grey(len(WALK.places()))
    with ZipFile(BytesIO(FILES["zip"])) as archive:
        assert archive.namelist() == ["walk.json", "0001.png", "0002.png", "0003.png"]
        for name, frame in zip(archive.namelist()[1:], frames, strict=True):
            data = archive.read(name)
            assert np.array_equal(_pictures(data)[0], frame)
            assert read_spec(data, name) == WALK


@pytest.fixture
def cache(tmp_path: Path) -> FrameCache:
    return FrameCache(tmp_path)


def fill_cache(cache: FrameCache, frames: list[Frame]) -> list[list[Any]]:
    """Cache frames; returns the walk's progress column."""
    keys = [f"{number:064x}" for number in range(len(frames))]
    for key, frame in zip(keys, frames, strict=True):
        cache.put(key, frame)
    return [[place, key] for place, key in enumerate(keys)]


def fail_on_read() -> bytes:
    raise AssertionError("the GIF is not needed")


def test_frames_are_exact_while_the_cache_has_them(cache: FrameCache) -> None:
    frames = grey(3)
    progress = [*reversed(fill_cache(cache, frames)), [0, "f" * 64, True]]
    found, origin = exports.load_frames(WALK, progress, cache, fail_on_read)
    assert np.array_equal(found, frames)
    assert origin == "cache"


@pytest.mark.parametrize("lost", [slice(0, 3), slice(0, 1), slice(2, 3)])
def test_frames_come_from_the_gif_when_one_is_not_cached(cache: FrameCache, lost: slice) -> None:
    frames = grey(3)
    progress = fill_cache(cache, frames)
    for _, key in progress[lost]:
        cache.path(key).unlink()
    again, _ = exports.load_frames(WALK, progress, cache, lambda: gif(WALK, frames))
    assert np.abs(np.stack(again).astype(int) - frames).max() <= 8


def test_frames_of_a_walk_without_progress_come_from_the_gif(cache: FrameCache) -> None:
    assert len(exports.load_frames(WALK, [], cache, lambda: FILES["gif"])[0]) == 3


def test_a_damaged_gif_is_bad_input(cache: FrameCache) -> None:
    with pytest.raises(BadInput):
        exports.load_frames(WALK, [], cache, lambda: FILES["gif"][:-200])
    with pytest.raises(BadInput, match="lost frames"):
        exports.load_frames(WALK, [], cache, lambda: encode_gif(grey(2), WALK.fps))


def test_a_walk_that_would_fill_the_memory_is_not_exported(cache: FrameCache) -> None:
    with pytest.raises(BadInput, match="too long"):
        exports.load_frames(spec(frames=240, size=1024), [], cache, fail_on_read)


def foreign_gif(*hundredths: int) -> bytes:
    """A GIF without a comment whose frames have these delays."""
    first, *others = [Image.fromarray(frame) for frame in grey(len(hundredths))]
    data, milliseconds = BytesIO(), [10 * delay for delay in hundredths]
    first.save(data, "GIF", save_all=True, append_images=others, duration=milliseconds)
    return data.getvalue()


@pytest.mark.parametrize(
    ("delays", "fps", "levels"),
    [
        ((10, 20, 10), 10, [20, 125, 125, 230]),
        ((4, 4), 25, [20, 230]),
        ((2, 2), 50, [20, 230]),
        ((300, 200), 1, [20, 20, 20, 230, 230]),
    ],
)
def test_a_film_of_another_program_is_converted_as_it_plays(
    delays: tuple[int, ...], fps: int, levels: list[int]
) -> None:
    data = exports.convert_gif("mp4", foreign_gif(*delays))
    assert iio.immeta(data, plugin="pyav")["fps"] == fps
    assert [picture.mean() for picture in _pictures(data)] == pytest.approx(levels, abs=4)


@pytest.mark.parametrize(
    ("kind", "gif", "sentence"),
    [
        ("zip", foreign_gif(10, 20), "Another program made this film"),
        ("mp4", foreign_gif(10, 20)[:60], "damaged"),
        ("webp", b"<html>", "damaged"),
        ("mp4", foreign_gif(20_000, 20_000), "too long"),
    ],
)
def test_a_film_of_another_program_that_cannot_be_converted_is_bad_input(
    kind: ExportFormat, gif: bytes, sentence: str
) -> None:
    with pytest.raises(BadInput, match=sentence):
        exports.convert_gif(kind, gif)


def test_a_film_of_another_program_that_would_fill_the_memory_is_not_converted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(exports, "FRAMES_LIMIT", 64 * 64 * 3)
    with pytest.raises(BadInput, match="too long"):
        exports.convert_gif("webp", foreign_gif(10, 20))


@pytest.mark.parametrize("kind", FILES)
@settings(deadline=None)
@given(data=st.data())
def test_a_truncated_file_gives_its_spec_or_bad_input(kind: str, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(FILES[kind]) - 1))
    outcome = spec_or_message(FILES[kind][:cut])
    assert outcome == WALK or str(outcome).endswith(".")


@pytest.mark.parametrize("kind", FILES)
@settings(deadline=None)
@given(changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=20))
def test_a_damaged_file_gives_a_spec_or_bad_input(
    kind: str, changes: list[tuple[float, int]]
) -> None:
    damaged = bytearray(FILES[kind])
    for where, byte in changes:
        damaged[int(where * (len(damaged) - 1))] = byte
    outcome = spec_or_message(bytes(damaged))
    assert isinstance(outcome, WalkSpec) or outcome.endswith(".")


@pytest.mark.parametrize("head", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"RIFF    WEBP", b"PK\3\4",
                                  b"    ftypisom", b"{", b'{"stops": ['])  # fmt: skip
def test_a_megabyte_of_random_bytes_is_bad_input(head: bytes) -> None:
    rubbish = np.random.default_rng(1).bytes(2**20)
    message = error_message(head + rubbish, "photo.gif")
    assert message.startswith("“photo.gif”: ")
    assert message.endswith(".")


HOSTILE = {
    "deep": (b'{"stops": ' + b"[" * 200_000, "no settings"),
    "long": (b'{"stops": "' + b"a" * 2**21 + b'"}', "far too long"),
    "a bomb": (make_zip({"walk.json": "{" + " " * 2**23}), "far too long"),
    "a bomb of a kind that unpacks at once": (make_zip({"walk.json": "{}"}, ZIP_LZMA), "damaged"),
    "many files": (make_zip({"walk.json": "{}"}) + b"PK\1\2" * 10_001, "too many files"),
    "an archive of other things": (make_zip({"a.txt": "a"}), "damaged"),
    "another program's JSON": (b'{"workflow": {"nodes": []}}', "no settings"),
    "a record of a film without a spec": (b'{"version": 1, "spec": {}}', "no settings"),
    "a spec that is a list": (b'{"spec": [1]}', "no settings"),
    "a picture with another comment": (encode_gif(grey(2), 10, "made with GIMP"), "no settings"),
    "a picture without a comment": (encode_poster(grey(1)[0]), "no settings"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_and_foreign_files_are_bad_input(case: str) -> None:
    data, sentence = HOSTILE[case]
    assert sentence in error_message(data)


def test_a_zip_bomb_is_not_decompressed() -> None:
    bomb = HOSTILE["a bomb"][0]
    tracemalloc.start()
    error_message(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**22


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits a process's memory")
def test_a_file_from_outside_is_read_within_limits_of_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "film"
    path.write_bytes(FILES["gif"])
    assert embedded_spec.read_spec_from_file(path, "film.gif") == WALK
    monkeypatch.setattr(embedded_spec, "READ_MEMORY", 2**20 - limited_process._OWN_MEMORY)
    with pytest.raises(BadInput, match="more memory or time"):
        embedded_spec.read_spec_from_file(path, "film.gif")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits a process's memory")
def test_an_export_is_made_within_limits_of_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film, target = tmp_path / "film.gif", tmp_path / "film.webp"
    film.write_bytes(FILES["gif"])

    def export() -> None:
        exports.export_film(
            "webp", target, spec=WALK, progress=[], cache=tmp_path / "frames", film=film
        )

    export()
    assert target.exists()
    monkeypatch.setattr(exports, "EXPORT_MEMORY", 2**20 - limited_process._OWN_MEMORY)
    with pytest.raises(BadInput, match="more memory or time"):
        export()


def test_a_file_beyond_the_size_limit_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_text, "FILE_LIMIT", len(FILES["gif"]) - 1)
    assert "larger than" in error_message(FILES["gif"])


def changed_spec(**fields: Any) -> bytes:
    return json.dumps(WALK.model_dump(mode="json") | fields).encode()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"frames": 10**9}, "Frames a leg"),
        ({"sampler": "euler"}, "no setting named “sampler”"),
        ({"stops": [{"prompt": "<script>"}, {"prompt": "b"}]}, "<script>"),
        ({"pacing": "wild"}, "Pacing must be one of"),
        ({"stops": 5}, "Stops must be a list."),
        ({"stops": [{"prompt": "a"}, "b"]}, "At stop 2: It must be an object with"),
    ],
)
def test_invalid_settings_are_named_in_the_message(fields: dict[str, Any], sentence: str) -> None:
    assert sentence in error_message(changed_spec(**fields))


def test_the_file_name_in_the_message_is_cut_and_printable() -> None:
    assert error_message(b"x", "a\n\x1b[31m" + "b" * 500).startswith("“a[31m" + "b" * 55 + "”")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("wrap", [lambda old: old, lambda old: {"spec": old}])
def test_specs_without_a_mode_are_exact(wrap: Callable[[Any], Any], encoding: str) -> None:
    old = WALK.model_dump(mode="json", exclude={"mode", "without"})
    walk = read_spec(json.dumps(wrap(old)).encode(encoding), "walk.json")
    assert (walk.mode, walk.without) == ("exact", ())
