"""Tells what paints on this machine, and how much memory it has. Imports no torch."""

import os
import platform
import shutil
import subprocess
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from momalisa.models.fit import Machine

QUERY = ("nvidia-smi", "--query-gpu=memory.total,compute_cap", "--format=csv,noheader,nounits")
SECONDS_TO_ANSWER = 10.0
MIB = 2**20
SHARE_FOR_GPU = 0.75
"""Of an Apple machine's memory that its GPU may use."""
CONTROL_GROUPS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
"""Where a container's limit stands, if it has one."""


def read_machine(device: str = "") -> Machine:
    """The device of that name ("" = the best there is) as the drivers describe it.

    A GPU whose driver does not answer counts as not there.
    """
    kind, _, number = device.partition(":")
    ram = _machine_memory()
    cards = _graphics_cards() if kind in ("", "cuda") else ()
    index = int(number) if number.isdecimal() else 0
    if index < len(cards):
        memory, capability = cards[index]
        return Machine("cuda", memory, ram, bf16=capability >= 8.0)
    apple = platform.system() == "Darwin" and platform.machine() == "arm64"
    if kind == "mps" or (not kind and apple):
        return Machine("mps", int(SHARE_FOR_GPU * ram), ram)
    return Machine("cpu", ram, ram)


@lru_cache(1)
def _machine_memory() -> int:
    """The machine's memory in bytes, or what its container may use of it."""
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for limit in CONTROL_GROUPS:
        with suppress(OSError, ValueError):  # "max": no limit
            total = min(total, int(limit.read_text()))
    return total


@lru_cache(1)
def _graphics_cards() -> tuple[tuple[int, float], ...]:
    """NVIDIA's cards: bytes of memory and compute capability of each."""
    program = shutil.which(QUERY[0])
    if program is None:
        return ()
    try:
        answer = subprocess.run(
            [program, *QUERY[1:]],
            capture_output=True,
            text=True,
            timeout=SECONDS_TO_ANSWER,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ()
    return tuple(_read_cards(answer))


def _read_cards(answer: str) -> list[tuple[int, float]]:
    """The cards of nvidia-smi's lines such as `24576, 8.9`; none where it says something else."""
    cards = []
    for line in answer.splitlines():
        memory, _, capability = line.partition(",")
        try:
            cards.append((int(memory) * MIB, float(capability)))
        except ValueError:
            return []
    return cards
