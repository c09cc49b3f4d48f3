"""Digests of models' folders, to tell one's weights from another's. Imports no torch."""

import hashlib
from functools import lru_cache
from pathlib import Path

SAMPLED_BYTES = 64 * 2**20
"""Weight files up to this size are hashed whole, larger ones by samples."""
SAMPLES = 16
MODELS_REMEMBERED = 64

_FileState = tuple[Path, int, int]
"""A file, its size in bytes, and when it was changed, in nanoseconds."""


def folder_digest(folder: Path) -> str:
    """64 hex digits of a pipeline's configuration and weights.

    Computed once per state of the files: their names, sizes and times of change.
    """
    wanted = [*folder.rglob("*.json"), *folder.rglob("*.safetensors"), *folder.rglob("*.txt")]
    states = []
    for path in sorted(wanted):
        found = path.stat()
        states.append((path, found.st_size, found.st_mtime_ns))
    return _digest(folder, tuple(states))


@lru_cache(MODELS_REMEMBERED)
def _digest(folder: Path, files: tuple[_FileState, ...]) -> str:
    digest = hashlib.sha256()
    for path, size, _changed in files:
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(_content(path, size))
    return digest.hexdigest()


def _content(path: Path, size: int) -> bytes:
    """A file's hash; of a very large one that of its size and of samples."""
    if size <= SAMPLED_BYTES:
        return hashlib.sha256(path.read_bytes()).digest()
    samples, piece = hashlib.sha256(str(size).encode()), SAMPLED_BYTES // SAMPLES
    with path.open("rb") as file:
        for number in range(SAMPLES):
            file.seek((size - piece) * number // (SAMPLES - 1))
            samples.update(file.read(piece))
    return samples.digest()
