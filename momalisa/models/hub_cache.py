"""The hub's cache on this machine: what was downloaded. Never asks the network."""

import os
from collections.abc import Iterable
from contextlib import suppress
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

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
        names = sorted(os.listdir(constants.HF_HUB_CACHE))
    except OSError:
        return []
    return ids_of_caches(names)


def ids_of_caches(names: Iterable[str]) -> list[str]:
    """The hub ids of repositories' folders in the cache, by the folders' names."""
    ids = [name.removeprefix(PREFIX).replace("--", "/", 1) for name in names if PREFIX in name]
    return [hub_id for hub_id in ids if "/" in hub_id]


class Found(NamedTuple):
    """What lies in a folder of models."""

    names: list[str]
    """Folders that may be checkpoints, or links to some."""
    nested: list[str]
    """The hub ids of checkpoints that lie as owner/name, where none has an owner's."""


def find_checkpoints(folder: Path) -> Found:
    """Look through a folder of models, as texts: there may be thousands of other things in it."""
    found = Found([], [])
    for entry in _directories(str(folder)):
        cached = entry.name.startswith(PREFIX)
        if cached or entry.is_symlink() or os.path.exists(f"{entry.path}/model_index.json"):
            found.names.append(entry.name)
        if not cached and not os.path.exists(f"{entry.path}/model_index.json"):
            inside = (one.name for one in _directories(entry.path) if _is_pipeline(one.path))
            found.nested.extend(f"{entry.name}/{name}" for name in inside)
    return found


def _directories(folder: str) -> list[os.DirEntry[str]]:
    """The folders in a folder, by name; links to some too."""
    found: list[os.DirEntry[str]] = []
    with suppress(OSError), os.scandir(folder) as entries:
        found += (entry for entry in entries if entry.is_dir())
    return sorted(found, key=attrgetter("name"))


def _is_pipeline(folder: str) -> bool:
    return os.path.isfile(f"{folder}/model_index.json")
