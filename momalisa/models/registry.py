"""Which models there are, and where. Imports no torch until one is loaded."""

import importlib
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from momalisa.errors import ModelBroken, ModelNotFound

if TYPE_CHECKING:
    from momalisa.models.sd import StableDiffusion

SHIPPED = Path(__file__).parent
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
FAMILIES = {"StableDiffusionPipeline": "momalisa.models.sd"}
"""The pipeline classes of diffusers that can be walked, and the module that adapts each."""


@dataclass(frozen=True)
class ModelCard:
    """What a curator chooses a model by."""

    name: str
    title: str
    source: str
    """A folder's path or a hub id."""
    size: int
    """Pixels of a side that it was trained on."""
    steps: int
    guidance: float
    ready: bool = True
    hint: str = ""
    """How to bring it, where it is not ready."""


HUB_MODELS = (
    ModelCard(
        "sd-1.5",
        "Stable Diffusion 1.5",
        "stable-diffusion-v1-5/stable-diffusion-v1-5",
        512,
        20,
        7.5,
    ),
    ModelCard("sd-1.4", "Stable Diffusion 1.4", "CompVis/stable-diffusion-v1-4", 512, 20, 7.5),
    ModelCard("sd-2.1", "Stable Diffusion 2.1", "stabilityai/stable-diffusion-2-1", 768, 20, 7.5),
    ModelCard("sd-turbo", "SD-Turbo", "stabilityai/sd-turbo", 512, 2, 0.0),
)
ATELIER = ModelCard(
    "atelier", "Atelier, shipped with MOMA Lisa", str(SHIPPED / "atelier"), 256, 16, 4.0
)


def available() -> list[ModelCard]:
    """Every model by name, the shipped one first; those of the hub say whether they are here."""
    return [ATELIER, *(_checked(card) for card in HUB_MODELS)]


def find(name: str) -> ModelCard:
    """The card of a registry name, a pipeline's directory, or a hub id that was downloaded.

    Raises ModelNotFound with the command that brings it, ModelBroken for a foreign directory.
    """
    known = {card.name: card for card in available()}
    card = known.get(name) or _from_folder(name) or _from_hub(name)
    if card is None:
        names = ", ".join(known)
        raise ModelNotFound(
            f"There is no model “{name}” here. Choose one of {names}, the folder of a Stable "
            "Diffusion pipeline, or a hub id such as owner/name."
        )
    if not card.ready:
        raise ModelNotFound(f"The model “{name}” is not on this machine. {card.hint}")
    return card


def load(name: str, device: str = "") -> "StableDiffusion":
    """Load a model onto a device ("" = the best there is). Takes seconds, and imports torch.

    Raises ModelNotFound or ModelBroken.
    """
    card = find(name)
    folder = Path(card.source)
    adapter = importlib.import_module(FAMILIES[_family(folder)])
    model: StableDiffusion = adapter.load(card.name, folder, device)
    return model


def _checked(card: ModelCard) -> ModelCard:
    """The card of a hub model with the folder it was downloaded to, or the way to bring it."""
    folder = _downloaded(card.source)
    if folder:
        return replace(card, source=str(folder))
    return replace(card, ready=False, hint=_way_to(card.source))


def _way_to(hub_id: str) -> str:
    return f"To bring it: hf download {hub_id}"


def _from_folder(name: str) -> ModelCard | None:
    try:
        folder = Path(name).expanduser().resolve()
        if not folder.is_dir():
            return None
    except (OSError, RuntimeError, ValueError):
        # Too long for a path, or somebody's home that is not there.
        return None
    _family(folder)
    return ModelCard(name, folder.name, str(folder), _native_size(folder), 20, 7.5)


def _from_hub(name: str) -> ModelCard | None:
    if not HUB_ID.fullmatch(name):
        return None
    folder = _downloaded(name)
    card = _from_folder(str(folder)) if folder else None
    if card:
        return replace(card, name=name)
    return ModelCard(name, name, name, 512, 20, 7.5, ready=False, hint=_way_to(name))


def _downloaded(hub_id: str) -> Path | None:
    """The folder of a hub model that was downloaded before; never the network."""
    from huggingface_hub import try_to_load_from_cache

    index = try_to_load_from_cache(hub_id, "model_index.json")
    return Path(index).parent if isinstance(index, str) else None


def _family(folder: Path) -> str:
    """The pipeline class of a directory, if it is one that can be walked."""
    try:
        family = json.loads((folder / "model_index.json").read_text())["_class_name"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelBroken(
            f"{folder} is not a diffusers pipeline: it has no readable model_index.json."
        ) from error
    if family not in FAMILIES:
        raise ModelBroken(f"{folder} is a {family}; MOMA Lisa walks {', '.join(FAMILIES)} so far.")
    return str(family)


def _native_size(folder: Path) -> int:
    try:
        unet = json.loads((folder / "unet" / "config.json").read_text())
        vae = json.loads((folder / "vae" / "config.json").read_text())
        return int(unet["sample_size"] * 2 ** (len(vae["block_out_channels"]) - 1))
    except (OSError, ValueError, KeyError, TypeError):
        return 512
