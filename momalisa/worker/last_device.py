"""Remembers what kind of device painted last, so that a GPU that is gone is noticed.

Without it the best device there is would be the processor, and walks would take a hundred times as
long without a word: after an update of the driver, or where a card has fallen off its bus.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from momalisa.errors import DeviceNotFound
from momalisa.files import write_atomically
from momalisa.settings import Settings

NAME = "last-device"
CPU = "cpu"
M = TypeVar("M")

log = logging.getLogger(__name__)


def load_where_before(load: Callable[[str, str], M], settings: Settings) -> Callable[[str, str], M]:
    """Wrap the loader of models: DeviceNotFound instead of the processor where a GPU has painted.

    That holds where the settings name no device.
    """

    def load_and_remember(name: str, device: str) -> M:
        before = last_device(settings)
        if not device:
            check_last_device(settings)
        model = load(name, device)
        now = str(getattr(model, "device", "")).partition(":")[0]
        if now and now != before:
            _remember(settings, now)
        return model

    return load_and_remember


def last_device(settings: Settings) -> str:
    """The kind of device that painted last in this home, such as `cuda`; blank if unknown."""
    try:
        return _file(settings).read_text("utf-8").strip()
    except (OSError, ValueError):
        return ""


def check_last_device(settings: Settings) -> None:
    """Raise DeviceNotFound if a GPU painted last in this home, and there is none any more."""
    before = last_device(settings)
    if before in ("", CPU):
        return
    from momalisa.models.device import best_device  # imports PyTorch, which takes seconds

    if best_device() == CPU:
        raise DeviceNotFound(
            f"The GPU that has painted here ({before}) is gone, and the processor would take many "
            "times as long. Please look after its driver (nvidia-smi), or set MOMALISA_DEVICE=cpu "
            "to paint without it."
        )


def _remember(settings: Settings, device: str) -> None:
    try:
        write_atomically(_file(settings), device.encode())
    except OSError as error:  # no reason to stop painting
        log.warning("The device could not be noted: %s", error)


def _file(settings: Settings) -> Path:
    return settings.home / NAME
