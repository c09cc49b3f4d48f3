"""What tells one model's weights from another's. Imports no torch: the web process asks, too."""

import hashlib
from pathlib import Path

from momalisa.errors import ModelBroken, ModelNotFound
from momalisa.models import registry

SAMPLED_BYTES = 64 * 2**20
"""Weight files up to this size are hashed whole, larger ones by samples of it."""


def digest_of(name: str) -> str:
    """The digest of a model by its name, folder or hub id; blank where it is not here."""
    try:
        return folder_digest(Path(registry.find(name).source))
    except (ModelNotFound, ModelBroken, OSError):
        return ""


def folder_digest(folder: Path) -> str:
    """64 hex digits of a pipeline's configuration and weights."""
    digest = hashlib.sha256()
    wanted = [*folder.rglob("*.json"), *folder.rglob("*.safetensors"), *folder.rglob("*.txt")]
    for path in sorted(wanted):
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(_content(path))
    return digest.hexdigest()


def _content(path: Path) -> bytes:
    """A file's hash; of a very large one that of its size and of sixteen samples."""
    size = path.stat().st_size
    if size <= SAMPLED_BYTES:
        return hashlib.sha256(path.read_bytes()).digest()
    samples, piece = hashlib.sha256(str(size).encode()), SAMPLED_BYTES // 16
    with path.open("rb") as file:
        for number in range(16):
            file.seek((size - piece) * number // 15)
            samples.update(file.read(piece))
    return samples.digest()
