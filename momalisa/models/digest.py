"""Digests of models' folders, to tell one's weights from another's. Imports no torch."""

import hashlib
from functools import lru_cache
from pathlib import Path

from momalisa.errors import ModelBroken
from momalisa.models.cards import FAMILIES
from momalisa.models.component_check import pipeline_class

SAMPLED_BYTES = 64 * 2**20
"""Weight files up to this size are hashed whole, larger ones by samples."""
SAMPLES = 16
MODELS_REMEMBERED = 64

_FileState = tuple[Path, int, int, int, int]
"""A file: path, size in bytes, inode, times of change of content and inode in nanoseconds."""


def folder_digest(folder: Path) -> str:
    """64 hex digits of a pipeline's configuration and weights, and of its family's revision.

    Computed once per state of the files: their names, sizes, inodes and times of change.
    """
    paths = [*folder.rglob("*.json"), *folder.rglob("*.safetensors"), *folder.rglob("*.txt")]
    return _digest(folder, tuple(_state(path) for path in sorted(paths)))


def _state(path: Path) -> _FileState:
    status = path.stat()
    return path, status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns


@lru_cache(MODELS_REMEMBERED)
def _digest(folder: Path, files: tuple[_FileState, ...]) -> str:
    digest = hashlib.sha256()
    for path, size, *_state in files:
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(_content(path, size))
    if (revision := _revision(folder)) != 1:
        digest.update(f"revision {revision}".encode())
    return digest.hexdigest()


def _revision(folder: Path) -> int:
    try:
        return FAMILIES[pipeline_class(folder)].revision
    except ModelBroken:
        return 1


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
