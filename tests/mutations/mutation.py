"""A promise, the edits that break it, and the test that keeps it."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Edit:
    """A text that occurs exactly once in a file, and what stands there instead."""

    path: str
    """Relative to the project's root."""
    old: str
    new: str


@dataclass(frozen=True)
class Mutation:
    """A promise that is kept by code, and by a test that fails without that code."""

    promise: str
    test: str
    """A test's node id, as pytest takes it; it passes as long as nothing is edited."""
    edits: tuple[Edit, ...]


def apply_edits(edits: tuple[Edit, ...], root: Path) -> dict[str, str]:
    """The edited files' texts, by path; ValueError if a text does not occur exactly once."""
    texts: dict[str, str] = {}
    for edit in edits:
        text = texts.get(edit.path) or (root / edit.path).read_text(encoding="utf-8")
        if (count := text.count(edit.old)) != 1:
            raise ValueError(f"{edit.path} holds {edit.old!r} {count} times, not once")
        texts[edit.path] = text.replace(edit.old, edit.new)
    return texts
