"""Which checkpoints were distilled to few steps, and to which: told by their own files.

Imports no torch.
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from momalisa.errors import ModelBroken
from momalisa.models.cards import FAMILIES
from momalisa.models.component_check import class_named_by, read_config
from momalisa.models.folder_check import hub_id_of
from momalisa.models.hub_cards import HUB_MODELS
from momalisa.spec import GUIDANCE, STEPS

DISTILLATION = "distillation.json"
"""The file of a checkpoint that was distilled to few steps: `{"steps": 4, "guidance": 1.0}`."""


class UsualSettings(NamedTuple):
    """The steps and the guidance that a checkpoint is used with; guidance of 1 is none."""

    steps: int
    guidance: float
    distilled: bool = True
    doubt: str = ""
    """Why they may not fit, in sentences, and how to say which do; "" where they are certain."""


_FAMILIES = {
    "LatentConsistencyModelPipeline": UsualSettings(4, 8.5),
    "SanaSprintPipeline": UsualSettings(2, 4.5),
}
"""Families of which every checkpoint is distilled."""
_SCHEDULERS = {"LCMScheduler", "TCDScheduler"}
"""Those that only distilled checkpoints have."""
CONSISTENCY_STEPS = 50
"""The most that their schedulers take, where the configuration says nothing."""
_WORDS = {"turbo", "lightning", "lcm", "tcd", "dmd", "dmd2", "distilled", "distill", "hypersd"}
"""Words in the names of checkpoints that are distilled."""
_MAYBE = re.compile("turbo|lightning|lcm|tcd|dmd|distil|hyper|schnell|klein|sprint", re.IGNORECASE)
"""What is in all names that tell something."""
_PRECISIONS = {"fp16", "bf16", "fp32", "diffusers"}
_STEPS = re.compile(r"(?<!\d)(\d{1,2})[ _-]?steps?(?![a-z])", re.IGNORECASE)
_UNDONE = re.compile(r"(un|de|non|not)[ _-]?distil", re.IGNORECASE)
_HOW_TO_SAY = (
    f"Its page on the hub may tell; a file {DISTILLATION} in its folder says it here: "
    '{"steps": 4, "guidance": 1.0}.'
)
_GUESSED_STEPS = 6
"""Between the four that most are distilled to and the eight that mixtures of them are used with."""


def read_usual_settings(
    folder: Path, index: Mapping[str, Any], network: Mapping[str, Any], title: str
) -> UsualSettings:
    """What a checkpoint was distilled to, or else its family's settings.

    `index` is its model_index.json, `network` the configuration of its network, `title` its hub id
    or its folder's name. Raises ModelBroken for a `distillation.json` that makes no sense.
    """
    family = class_named_by(index)
    path = f"{folder}/{DISTILLATION}"
    if os.path.exists(path):
        return _told(read_config(path))
    by_configuration = _FAMILIES.get(family) or _by_configuration(family, index, network)
    found = by_configuration or next(_by_names(family, index, title), None)
    if found:
        return found
    steps, guidance = FAMILIES[family].steps, FAMILIES[family].guidance
    doubt = ""
    if _is_spaced_as_distilled(folder, index):
        doubt = (
            "Its scheduler is set as those of many distilled models are, and nothing says whether "
            f"it is one: the usual {steps} steps at guidance {guidance:g} may not fit. "
            f"{_HOW_TO_SAY}"
        )
    return UsualSettings(steps, guidance, distilled=False, doubt=doubt)


def read_most_steps(folder: Path, index: Mapping[str, Any]) -> int:
    """The steps that a pipeline's scheduler has at most: those of consistency models have few."""
    if _scheduler(index) not in _SCHEDULERS:
        return STEPS[1]
    most: Any = None
    with suppress(ModelBroken):
        config = read_config(f"{folder}/scheduler/scheduler_config.json")
        most = config.get("original_inference_steps", CONSISTENCY_STEPS)
    return most if _is_number(most, int, STEPS) else STEPS[1]


def _is_spaced_as_distilled(folder: Path, index: Mapping[str, Any]) -> bool:
    """Whether a scheduler is set as that of SD-Turbo and its kin; some others are, too."""
    if not _scheduler(index).startswith("Euler"):
        return False
    try:
        config = read_config(f"{folder}/scheduler/scheduler_config.json")
    except ModelBroken:
        return False
    return config.get("timestep_spacing") == "trailing" and not config.get("rescale_betas_zero_snr")


def _scheduler(index: Mapping[str, Any]) -> str:
    entry = index.get("scheduler")
    return str(entry[-1]) if isinstance(entry, list) and entry else ""


def _by_configuration(
    family: str, index: Mapping[str, Any], network: Mapping[str, Any]
) -> UsualSettings | None:
    """FLUX.1 schnell reads no guidance; FLUX.2 klein says that it is distilled; LCMs read it."""
    four_steps = UsualSettings(4, 1.0)
    if family == "FluxPipeline":
        return None if network.get("guidance_embeds") else four_steps
    if family == "Flux2KleinPipeline":
        return four_steps if index.get("is_distilled") else None
    if network.get("time_cond_proj_dim"):
        return _FAMILIES["LatentConsistencyModelPipeline"]
    return four_steps if _scheduler(index) in _SCHEDULERS else None


def _by_names(family: str, index: Mapping[str, Any], title: str) -> Iterator[UsualSettings]:
    """What the names of a checkpoint, and of what it was saved from, tell; the surest first."""
    path = str(index.get("_name_or_path", ""))[:1000]
    if not _MAYBE.search(title) and not _MAYBE.search(path):
        return  # as of most, of which there may be hundreds
    saved_from = Path(path)
    names = [hub_id.rpartition("/")[2] for hub_id in (title, hub_id_of(saved_from))]
    names.append(saved_from.name)
    listed = [card for card in HUB_MODELS if card.family == family and card.distilled]
    for name in names:
        for card in listed:
            if _plain(name) in (_plain(card.name), _plain(card.source.rpartition("/")[2])):
                yield UsualSettings(card.steps, card.guidance)
    for name in names:
        words = {word.lower() for word in _words(name)} & _WORDS
        if words and not _UNDONE.search(name):
            told = _STEPS.search(name)
            if told and int(told.group(1)) and "cfg" not in name.lower():
                yield UsualSettings(int(told.group(1)), 1.0)
            alike = [card.steps for card in listed if words & set(_words(card.name))]
            yield _guess(max(_GUESSED_STEPS, *alike, 0))


def _guess(steps: int) -> UsualSettings:
    doubt = (
        "Its name says that it was distilled to few steps, but nothing says to how many: "
        f"{steps} without guidance are a guess. {_HOW_TO_SAY}"
    )
    return UsualSettings(steps, 1.0, doubt=doubt)


def _plain(name: str) -> str:
    """A checkpoint's name without its precision and its punctuation, in small letters."""
    words = re.split(r"[^a-z0-9]+", name.lower())
    return "".join(word for word in words if word not in _PRECISIONS)


def _words(name: str) -> list[str]:
    """The words of a name, also of one like DreamShaperXLTurbo; Hyper-SD counts as one."""
    joined = re.sub("hyper[ _-]?sd", " hypersd ", name, flags=re.IGNORECASE)
    parts = re.split(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", joined)
    return [part for part in parts if part]


def _told(told: dict[str, Any]) -> UsualSettings:
    steps: Any = told.get("steps")
    guidance: Any = told.get("guidance", 1.0)
    if not _is_number(steps, int, STEPS) or not _is_number(guidance, (int, float), GUIDANCE):
        raise ModelBroken(f"its {DISTILLATION} does not tell the steps and the guidance.")
    return UsualSettings(int(steps), float(guidance))


def _is_number(value: Any, kind: Any, limits: tuple[float, float]) -> bool:
    is_number = isinstance(value, kind) and not isinstance(value, bool)
    return is_number and limits[0] <= value <= limits[1]
