"""The pairs that morphs are measured on: of prompts, or of pictures, as a folder holds them."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

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
    names. Without a folder, so many of the benchmarks' own. Raises BadInput for a picture that is
    damaged.
    """
    if folder is None:
        return [_of_prompts(*pair) for pair in pairs(count)]
    lines = (line for path in sorted(folder.rglob("*.txt")) for line in _lines(path))
    prompts = [
        _of_prompts(start, end, 100 + 2 * number, *middle)
        for number, (start, end, *middle) in enumerate(lines)
    ]
    return [*prompts, *_read_pictures(folder)]


def _of_prompts(start: str, end: str, seed: int, middle: str = "") -> MorphPair:
    stops = [{"prompt": start, "seed": seed}, {"prompt": end, "seed": seed + 1}]
    return MorphPair((start, end), stops, middle=middle)


def _lines(path: Path) -> Iterator[list[str]]:
    """The prompts of each line: of the start, of the end, and perhaps one for the middle."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if "|" in line:
            yield [prompt.strip() for prompt in line.split("|", 2)]


def _read_pictures(folder: Path) -> Iterator[MorphPair]:
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURES)
    for parent, files in groupby(found, key=lambda path: path.parent):
        paths = list(files)
        if len(paths) % 2:
            print(f"{paths[-1]} is left out: it has no other picture beside it\n")
        for one, other in zip(paths[::2], paths[1::2], strict=False):
            pictures = take_in(one), take_in(other)
            stops = [{"image": {"digest": picture.digest}} for picture in pictures]
            start, end = (str(path.relative_to(parent)) for path in (one, other))
            yield MorphPair((start, end), stops, pictures)
