"""The hub's cache on this machine: what was downloaded. Never asks the network."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from momalisa.models.component_check import READ

PREFIX = "models--"
CONFIG = "config.json"
"""What a repository has that holds one part and no whole pipeline."""
HASH_LENGTH = 64
"""Characters of a commit's hash, at most."""


def downloaded(hub_id: str, file: str = "model_index.json") -> Path | None:
    """The folder of a hub model that was downloaded before, and has that file.

    A few file system look-ups, fewer than would tell whether an earlier answer still holds; the
    library makes more of them, which counts with hundreds of models.
    """
    from huggingface_hub import constants

    repository = f"{constants.HF_HUB_CACHE}/{PREFIX}{hub_id.replace('/', '--')}"
    commit = "main"
    with suppress(OSError, ValueError):
        main = os.open(f"{repository}/refs/main", READ)
        try:
            commit = os.read(main, HASH_LENGTH).decode().strip()
        finally:
            os.close(main)
    folder = f"{repository}/snapshots/{commit}"
    return Path(folder) if os.path.isfile(f"{folder}/{file}") else None


def downloaded_ids() -> list[str]:
    """The hub ids of all models in the cache, also of those that are only partly there."""
    from huggingface_hub import constants

    try:
        names = sorted(path.name for path in Path(constants.HF_HUB_CACHE).iterdir())
    except OSError:
        return []
    return ids_of_caches(names)


def ids_of_caches(names: Iterable[str]) -> list[str]:
    """The hub ids of repositories' folders in the cache, by the folders' names."""
    ids = [name.removeprefix(PREFIX).replace("--", "/", 1) for name in names if PREFIX in name]
    return [hub_id for hub_id in ids if "/" in hub_id]


def nested_ids(folder: Path) -> list[str]:
    """The hub ids of checkpoints that lie as owner/name in a folder, where none has an owner's."""
    ids = []
    with suppress(OSError):
        for owner in sorted(path for path in folder.iterdir() if path.is_dir()):
            if owner.name.startswith(PREFIX) or (owner / "model_index.json").exists():
                continue
            with suppress(OSError):
                found = [p.name for p in owner.iterdir() if (p / "model_index.json").is_file()]
                ids += [f"{owner.name}/{name}" for name in sorted(found)]
    return ids
