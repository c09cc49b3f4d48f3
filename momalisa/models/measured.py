"""What is measured of a checkpoint's folder, and remembered until its files change.

Imports no torch.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from shlex import quote
from typing import Any

from momalisa.errors import ModelBroken
from momalisa.models.cards import ModelCard
from momalisa.models.component_check import check_components, read_config
from momalisa.models.folder_check import LIST, PULL, has_small_parts, is_whole
from momalisa.models.hub_cards import HUB_MODELS
from momalisa.models.weights import CONFIG, measure_weights, parts_named_by, usual_file

FOLDERS_REMEMBERED = 1024
READ = ("distillation.json", "model_index.json")
READ_OF_PARTS = {
    "scheduler": ("scheduler_config.json",),
    **dict.fromkeys(("tokenizer", "tokenizer_2", "tokenizer_3"), ("tokenizer_config.json",)),
}
"""The files of parts without weights whose content a card depends on."""

FolderState = tuple[str | int, ...]
"""Of each file and folder: name, size in bytes, times of change of content and inode in ns."""


def folder_state(folder: Path) -> FolderState:
    """What changes when a file is added to a checkpoint, or a configuration or weights are written.

    Of weights in several files it does not tell. Some twenty look-ups, so that two hundred
    checkpoints are asked in milliseconds.
    """
    states: list[str | int] = [*_state("", os.stat(folder))]
    with os.scandir(folder) as entries:
        found = {entry.name: entry for entry in entries}
    for name in sorted(found):
        if name in READ:
            states += _state(name, found[name].stat())
        elif found[name].is_dir():
            states += _state(name, found[name].stat())
            for file in READ_OF_PARTS.get(name) or (CONFIG, usual_file(name)):
                with suppress(OSError):
                    states += _state(name, os.stat(f"{folder}/{name}/{file}"))
    return tuple(states)


def _state(name: str, status: os.stat_result) -> tuple[str, int, int, int]:
    return name, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def measure(card: ModelCard, folder: Path) -> ModelCard:
    """The card of a folder with its weights and their bytes; not ready if it would not be loaded.

    Remembered while the folder is in the same state, if it is whole: files that are cut off grow,
    while they are copied, and their folder does not tell.
    """
    try:
        state = folder_state(folder)
    except OSError:
        return card
    measured = _measure_in_state(card, folder, state)
    return measured if measured.is_settled else measure_now(card, folder)


@lru_cache(FOLDERS_REMEMBERED)
def _measure_in_state(card: ModelCard, folder: Path, _state: FolderState) -> ModelCard:
    """`measure`, remembered for as long as the folder's files stay in this state."""
    return measure_now(card, folder)


def measure_now(card: ModelCard, folder: Path, index: Mapping[str, Any] | None = None) -> ModelCard:
    """`measure`, without looking whether it was done before; `index` is its model_index.json."""
    try:
        index = index or read_config(f"{folder}/model_index.json")
        parts = parts_named_by(index)
    except ModelBroken:
        return replace(card, ready=False, hint=_explain_part(card))
    found = measure_weights(folder, parts)
    changes: dict[str, Any] = {"weights": found.weights or card.weights, "disk": found.size}
    try:
        check_components(folder, index)
    except ModelBroken as error:
        return replace(card, ready=False, refusal=str(error), **changes)
    if (found.weights is None or not has_small_parts(folder, parts)) and not is_whole(folder):
        return replace(card, ready=False, hint=_explain_part(card), **changes)
    changes["source"] = str(folder)
    if found.weights and found.whole:
        return replace(card, **changes)
    return replace(card, ready=False, damaged=True, hint=_explain_damage(card), **changes)


def _explain_part(card: ModelCard) -> str:
    """Which command helps where files are missing: to bring them, if they are the hub's."""
    if "/" in card.name or any(card.name == listed.name for listed in HUB_MODELS):
        return f"Only a part of it is. To bring the rest: {PULL} {card.name}"
    return f"Only a part of it is. What it lacks: {LIST} check {quote(card.name)}"


def _explain_damage(card: ModelCard) -> str:
    return (
        "A file of it is damaged or not whole. Which one, and what helps: "
        f"{LIST} check {quote(card.name)}"
    )
