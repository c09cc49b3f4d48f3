"""Remembers the cards of checkpoints' folders, on disk too, until their files change.

A folder's state takes a few look-ups, its card four times as long. A process that starts finds what
earlier ones have read, and the list of models is there at once. Imports no torch.
"""

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import fields
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from momalisa.files import write_atomically
from momalisa.models.cards import SHIPPED, ModelCard
from momalisa.models.fit import Weights
from momalisa.models.measured import FolderState

FILE = "model-cards.json"
"""Its name in the home."""
CARDS_REMEMBERED = 20_000
_FIELDS = tuple(field.name for field in fields(ModelCard))

_Key = tuple[str, str]
"""A card's name and its folder."""


class _Remembered(NamedTuple):
    state: FolderState
    card: ModelCard


class CardMemory:
    """The cards of folders in a state, in memory and in a file; threads may share it."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._cards: dict[_Key, _Remembered] = {}
        self._is_new = False
        self._lock = Lock()
        with suppress(OSError, ValueError, TypeError, LookupError, RecursionError):
            told = json.loads(file.read_bytes())
            if told["program"] == list(_program_state()):
                for name, folder, state, values in told["cards"]:
                    values["weights"] = values["weights"] and Weights(*values["weights"])
                    remembered = _Remembered(tuple(state), ModelCard(**values))
                    self._cards[name, folder] = remembered

    def recall(
        self, folder: Path, name: str, state: FolderState, read: Callable[[], ModelCard]
    ) -> ModelCard:
        """The card of a folder in a state, which `read` makes where it is not known.

        What is not settled is read each time: files that are cut off grow, while they are copied,
        and their folder does not tell.
        """
        key = (name, str(folder))
        known = self._cards.get(key)
        if known is not None and known.state == state:
            return known.card
        card = read()
        with self._lock:
            self._cards.pop(key, None)
            if card.is_settled:
                self._cards[key] = _Remembered(state, card)
                self._is_new = True
        return card

    def save(self, listed: Iterable[ModelCard]) -> None:
        """Write the cards of this list for the processes to come, if some were read anew."""
        with self._lock:
            if not self._is_new or len(self._cards) > CARDS_REMEMBERED:
                return
            self._is_new = False
            known = [(key, self._cards.get(key)) for key in map(_key_of, listed)]
        cards = [[*key, one.state, _values(one.card)] for key, one in known if one is not None]
        data = json.dumps({"program": _program_state(), "cards": cards}).encode()
        with suppress(OSError):  # no home yet, or none that can be written
            write_atomically(self.file, data)


@cache
def open_card_memory(home: Path) -> CardMemory:
    """The memory of a home, which the process keeps."""
    return CardMemory(home / FILE)


def _key_of(card: ModelCard) -> _Key:
    return card.name, card.source


def _values(card: ModelCard) -> dict[str, Any]:
    return {name: getattr(card, name) for name in _FIELDS}


@cache
def _program_state() -> tuple[str, ...]:
    """What changes with the program that reads cards, and with what it needs for some."""
    files = sorted([*SHIPPED.glob("*.py"), *SHIPPED.parent.glob("*.py")])
    times = (str(file.stat().st_mtime_ns) for file in files)
    return (str(find_spec("scipy") is not None), *(file.name for file in files), *times)
