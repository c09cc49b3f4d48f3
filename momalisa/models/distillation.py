"""Which checkpoints were distilled to few steps, and to which: told by their own files.

Imports no torch.
"""

import os
from pathlib import Path
from typing import Any, NamedTuple

from momalisa.errors import ModelBroken
from momalisa.models.component_check import read_config
from momalisa.spec import GUIDANCE, STEPS

DISTILLATION = "distillation.json"
"""The file of a checkpoint that was distilled to few steps: `{"steps": 4, "guidance": 1.0}`."""


class Distillation(NamedTuple):
    """The steps and the guidance that a checkpoint was distilled to; guidance of 1 is none."""

    steps: int
    guidance: float


_FAMILIES = {
    "LatentConsistencyModelPipeline": Distillation(4, 8.5),
    "SanaSprintPipeline": Distillation(2, 4.5),
}
"""Families of which every checkpoint is distilled."""


def read_distillation(folder: Path, family: str) -> Distillation | None:
    """What a checkpoint was distilled to; None if nothing says so.

    Raises ModelBroken for a file that makes no sense.
    """
    path = f"{folder}/{DISTILLATION}"
    if os.path.exists(path):
        return _told(read_config(path))
    return _FAMILIES.get(family) or _by_configuration(folder, family)


def _by_configuration(folder: Path, family: str) -> Distillation | None:
    """FLUX.1 schnell reads no guidance; FLUX.2 klein says that it is distilled."""
    four_steps = Distillation(4, 1.0)
    if family == "FluxPipeline":
        transformer = read_config(folder / "transformer" / "config.json")
        return None if transformer.get("guidance_embeds") else four_steps
    if family == "Flux2KleinPipeline":
        index = read_config(folder / "model_index.json")
        return four_steps if index.get("is_distilled") else None
    return None


def _told(told: dict[str, Any]) -> Distillation:
    steps: Any = told.get("steps")
    guidance: Any = told.get("guidance", 1.0)
    if not _is_number(steps, int, STEPS) or not _is_number(guidance, (int, float), GUIDANCE):
        raise ModelBroken(f"its {DISTILLATION} does not tell the steps and the guidance.")
    return Distillation(int(steps), float(guidance))


def _is_number(value: Any, kind: Any, limits: tuple[float, float]) -> bool:
    is_number = isinstance(value, kind) and not isinstance(value, bool)
    return is_number and limits[0] <= value <= limits[1]
