"""What is measured of a checkpoint's folder, and remembered until its files change.

Imports no torch.
"""

import os
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from momalisa.models.cards import ModelCard
from momalisa.models.weights import measure_weights

FOLDERS_REMEMBERED = 1024
READ = ("distillation.json", "model_index.json")
READ_OF_PARTS = ("unet/config.json", "vae/config.json", "transformer/config.json")
"""The files whose content a card depends on."""

_State = tuple[str, int, int, int]
"""A file or folder: name, size in bytes, times of change of content and inode in nanoseconds."""
FolderState = tuple[_State, ...]


def folder_state(folder: Path) -> FolderState:
    """What changes when a file is added to a checkpoint, or its configuration is written.

    Some ten look-ups, so that two hundred checkpoints are asked in milliseconds.
    """
    states = [_state("", os.stat(folder))]
    with os.scandir(folder) as entries:
        found = {entry.name: entry for entry in entries}
    for name in sorted(found):
        if name in READ or found[name].is_dir():
            states.append(_state(name, found[name].stat()))
    for name in READ_OF_PARTS:
        if name.partition("/")[0] in found:
            try:
                states.append(_state(name, os.stat(f"{folder}/{name}")))
            except OSError:
                continue
    return tuple(states)


def _state(name: str, status: os.stat_result) -> _State:
    return name, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def measure(card: ModelCard) -> ModelCard:
    """The card of a folder that is here, with its weights and their bytes."""
    try:
        return _measure_in_state(card, folder_state(Path(card.source)))
    except OSError:
        return card


@lru_cache(FOLDERS_REMEMBERED)
def _measure_in_state(card: ModelCard, _state: FolderState) -> ModelCard:
    """`measure`, remembered for as long as the folder's files stay in this state."""
    return measure_now(card)


def measure_now(card: ModelCard) -> ModelCard:
    """`measure`, without looking whether it was done before."""
    weights, disk = measure_weights(card.source)
    return replace(card, weights=weights or card.weights, disk=disk)
