"""The pairs that morphs are measured on: of prompts, or of pictures, as a folder holds them."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from momalisa.errors import BadInput
from momalisa.spec import WalkSpec, explain
from momalisa.stop_pictures import StopPicture, take_in
from tests.bench.walks import pairs

PICTURES = {".jpg", ".jpeg", ".png", ".webp"}


class MorphPair(NamedTuple):
    """Two stops that a walk goes between."""

    names: tuple[str, str]
    """Their prompts, or what their pictures' files are called."""
    stops: list[dict[str, Any]]
    """Their fields in a spec."""
    pictures: tuple[StopPicture, ...] = ()
    middle: str = ""
    """A prompt for the middle, for attention."""


def read_pairs(folder: Path | None, count: int) -> list[MorphPair]:
    """Read a folder's pairs: of prompts from its text files, then of pictures, two by two.

    Seeds go on from pair to pair. The pictures of each folder are taken in the order of their
    names. What cannot be walked is left out, and printed with the reason. Without a folder, so many
    of the benchmarks' own.
    """
    if folder is None:
        return [_of_prompts(*pair) for pair in pairs(count)]
    lines = [line for path in _files(folder, {".txt"}) for line in _lines(path)]
    prompts = [
        _of_prompts(start, end, 100 + 2 * number, *middle)
        for number, (start, end, *middle) in enumerate(lines)
    ]
    return [pair for pair in (*prompts, *_read_pictures(folder)) if _can_be_walked(pair)]


def _files(folder: Path, suffixes: set[str]) -> list[Path]:
    found = (path for path in folder.rglob("*") if path.suffix.lower() in suffixes)
    return sorted(path for path in found if path.is_file())


def _of_prompts(start: str, end: str, seed: int, middle: str = "") -> MorphPair:
    stops = [{"prompt": start, "seed": seed}, {"prompt": end, "seed": seed + 1}]
    return MorphPair((start, end), stops, middle=middle)


def _lines(path: Path) -> Iterator[list[str]]:
    """The prompts of each line: of the start, of the end, and perhaps one for the middle."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except ValueError:
        _leave_out(path, "it is no text in UTF-8")
        return
    for line in text.splitlines():
        if "|" in line:
            yield [prompt.strip() for prompt in line.split("|", 2)]


def _read_pictures(folder: Path) -> Iterator[MorphPair]:
    for parent, files in groupby(_files(folder, PICTURES), key=lambda path: path.parent):
        paths = list(files)
        if len(paths) % 2:
            _leave_out(paths[-1], "it has no other picture beside it")
        for one, other in zip(paths[::2], paths[1::2], strict=False):
            names = str(one.relative_to(parent)), str(other.relative_to(parent))
            if pictures := [picture for path in (one, other) for picture in _take_in(path)]:
                stops = [{"image": {"digest": picture.digest}} for picture in pictures]
                yield MorphPair(names, stops, tuple(pictures))


def _take_in(path: Path) -> list[StopPicture]:
    """A picture, or none if it cannot be used."""
    try:
        return [take_in(path)]
    except BadInput as error:
        _leave_out(path, str(error))
        return []


def _can_be_walked(pair: MorphPair) -> bool:
    try:
        WalkSpec.model_validate(
            {"stops": pair.stops, "interpolation": "attention", "middle": pair.middle}
        )
    except ValidationError as error:
        _leave_out(" | ".join(pair.names), " ".join(explain(error).values()))
        return False
    return True


def _leave_out(what: object, why: str) -> None:
    print(f"{what} is left out: {why}\n")
