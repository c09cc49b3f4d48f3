"""The hub's cache on this machine: what was downloaded. Never asks the network."""

from pathlib import Path

PREFIX = "models--"
CONFIG = "config.json"
"""What a repository has that holds one part and no whole pipeline."""


def downloaded(hub_id: str, file: str = "model_index.json") -> Path | None:
    """The folder of a hub model that was downloaded before, and has that file.

    A few file system look-ups, fewer than would tell whether an earlier answer still holds.
    """
    from huggingface_hub import try_to_load_from_cache

    index = try_to_load_from_cache(hub_id, file)
    return Path(index).parent if isinstance(index, str) else None


def downloaded_ids() -> list[str]:
    """The hub ids of all models in the cache, also of those that are only partly there."""
    from huggingface_hub import constants

    try:
        names = sorted(path.name for path in Path(constants.HF_HUB_CACHE).iterdir())
    except OSError:
        return []
    ids = [name.removeprefix(PREFIX).replace("--", "/", 1) for name in names if PREFIX in name]
    return [hub_id for hub_id in ids if "/" in hub_id]
