"""Which models there are, and where. Imports no torch until one is loaded."""

import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from momalisa.errors import ModelBroken, ModelNotFound
from momalisa.models.card_memory import open_card_memory
from momalisa.models.cards import ATELIER, FAMILIES, PREVIEWS, SHIPPED_MODELS, ModelCard
from momalisa.models.component_check import (
    check_components,
    class_named_by,
    pipeline_class,
    read_config,
)
from momalisa.models.digest import folder_digest
from momalisa.models.distillation import read_most_steps, read_usual_settings
from momalisa.models.folder_check import (
    PULL,
    check_whole,
    examine,
    find_problems,
    hub_id_of,
    snapshot_of,
)
from momalisa.models.hub_cache import (
    PREFIX,
    downloaded,
    downloaded_ids,
    find_checkpoints,
    ids_of_caches,
)
from momalisa.models.hub_cards import HUB_MODELS, make_hub_card
from momalisa.models.libraries import import_adapter
from momalisa.models.measured import (
    FOLDERS_REMEMBERED,
    FolderState,
    folder_state,
    measure,
    measure_now,
)
from momalisa.models.native_size import read_native_size, read_network
from momalisa.settings import settings

if TYPE_CHECKING:
    from momalisa.engine.runner import ModelRunner

FOLDER_NAME = re.compile(r"[^\W_][\w .,()\[\]+-]{0,99}")
"""The name of a folder in the models folder: no path."""
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")

LOAD_ERRORS = (
    *(OSError, ValueError, LookupError, TypeError, RuntimeError, AttributeError, ArithmeticError),
    ImportError,
)
"""What the libraries raise at files or parts that are missing or damaged, or need more packages.

The tokenizers' library raises a plain Exception as well.
"""


def available() -> list[ModelCard]:
    """Every model by name: the shipped ones, those of the models folder, and those of the hub.

    The latter say whether they are here.
    """
    shipped = [measure(card, Path(card.source)) for card in SHIPPED_MODELS]
    in_folder = list(_in_models_folder())
    of_hub = [_with_folder(card) for card in HUB_MODELS]
    others = list(_others_of_hub())
    open_card_memory(settings().home).save([*in_folder, *others])
    return [*shipped, *in_folder, *of_hub, *others]


def _in_models_folder() -> Iterator[ModelCard]:
    """The models in the models folder, by name; what is no model is left out."""
    known = {card.name for card in (*SHIPPED_MODELS, *HUB_MODELS)}
    known |= {name for card in HUB_MODELS for name in (_cache_name(card.source), card.source)}
    models = settings().models_folder
    found = find_checkpoints(models)
    for name in (*found.names, *found.nested):
        if name not in known and (FOLDER_NAME.fullmatch(name) or HUB_ID.fullmatch(name)):
            with suppress(ModelBroken, OSError):
                yield _listed(_resolve(f"{models}/{name}"), name)


def _others_of_hub() -> Iterator[ModelCard]:
    """The models in the hub's cache that have no card of their own, by hub id."""
    known = {card.source for card in HUB_MODELS}
    for hub_id in downloaded_ids():
        folder = None if hub_id in known else downloaded(hub_id)
        if folder:
            with suppress(ModelBroken, OSError):
                yield _listed(folder, hub_id)


def _listed(folder: Path, name: str) -> ModelCard:
    """The card of a folder, read again only when its files have changed, or if it is not whole."""

    def read() -> ModelCard:
        index = read_config(f"{folder}/model_index.json")
        return measure_now(_describe(folder, name, index), folder, index)

    memory = open_card_memory(settings().home)
    return memory.recall(folder, name, folder_state(folder), read)


def find(name: str) -> ModelCard:
    """The card of a registry name, a folder in the models folder, any other folder, or a hub id.

    For those who run the app. Raises ModelNotFound, with the command that brings it where there is
    one, or ModelBroken for a folder that cannot be walked.
    """
    card = _from_names(name) or _from_folder(name) or _from_hub(name)
    if card is None and os.path.isfile(path := os.path.expanduser(name)):
        raise ModelBroken(examine(Path(path)).problems[0])
    return _check_ready(name, card)


def find_for_visitor(name: str) -> ModelCard:
    """The card of a model that a visitor may name.

    These are registry names, the settings' model, folders in the models folder, and hub ids that
    were downloaded. Raises ModelNotFound with the same sentence for everything else, so that it
    does not tell which paths there are, or ModelBroken for a folder in the models folder.
    """
    if name == settings().model:
        return find(name)
    return _check_ready(name, _from_names(name) or _from_hub(name))


def _from_names(name: str) -> ModelCard | None:
    """The card of a registry name or of a folder in the models folder, given by its name."""
    shipped = next((card for card in SHIPPED_MODELS if card.name == name), None)
    if shipped is not None:
        return shipped
    card = next((card for card in HUB_MODELS if card.name == name), None)
    if card is not None:
        return _with_folder(card)
    if FOLDER_NAME.fullmatch(name):
        card = _from_folder(str(settings().models_folder / name), name)
    return card


def _check_ready(name: str, card: ModelCard | None) -> ModelCard:
    """Return the card of a model that can be loaded.

    Raises ModelNotFound if there is no card, or no files for it, ModelBroken if it is refused.
    """
    if card is None:
        raise ModelNotFound(
            f"There is no model “{name}” here. Choose one of the list (python -m momalisa models), "
            "or a hub id such as owner/name. A folder is chosen by its name, once it lies in "
            "MOMALISA_MODELS."
        )
    if card.refusal:
        raise ModelBroken(f"The model “{name}” {card.explain_missing()}")
    if not card.ready:
        raise ModelNotFound(f"The model “{name}” {card.explain_missing()}")
    if card not in SHIPPED_MODELS:
        folder = Path(card.source)
        with _naming(name), suppress(OSError):  # who loads it says what is wrong
            _check_usable(folder, folder_state(folder))
    return card


@lru_cache(FOLDERS_REMEMBERED)
def _check_usable(folder: Path, _state: FolderState) -> None:
    """Raise ModelBroken for a folder that would not be loaded, as far as no weights are read."""
    check_components(folder)
    check_whole(folder)


def size_of(folder: Path) -> int:
    """Pixels of a side that a folder's model was trained on. Raises ModelBroken."""
    card = _from_folder(str(folder))
    return card.size if card else ATELIER.size


def digest_of(name: str) -> str:
    """The digest of a model by its name, folder or hub id; blank where it is not here."""
    try:
        return folder_digest(Path(find(name).source))
    except (ModelNotFound, ModelBroken, OSError):
        return ""


def name_of_weights(name: str, digest: str, *, guided: bool) -> str:
    """The name under which a film's weights are here, by the model that it names and their digest.

    Those of a shipped model stay when another takes over its name. Where they are gone, a guided
    film of a model that is distilled by now is one of its base; otherwise `name`.
    """
    if not digest or digest_of(name) == digest:
        return name
    found = (card.name for card in SHIPPED_MODELS if digest_of(card.name) == digest)
    base = next((card.base for card in SHIPPED_MODELS if card.name == name), "")
    return next(found, base if guided and base else name)


def load(name: str, device: str = "") -> "ModelRunner":
    """Load a model onto a device ("" = the best there is). Takes seconds, and imports torch.

    Raises ModelNotFound, ModelBroken, or BadInput for a device that is not there.
    """
    began = time.perf_counter()
    card = find(name)
    folder = Path(card.source)
    with _naming(name):
        check_components(folder)
        check_whole(folder)
        family = pipeline_class(folder)
    adapter = import_adapter(FAMILIES[family].module)
    from momalisa.engine.runner import ModelRunner
    from momalisa.models.device import open_device
    from momalisa.models.rough_decoder import find_rough_decoder
    from momalisa.models.weight_check import find_misfit

    where = open_device(device)
    try:
        with _naming(name):
            model = adapter.load(
                card.name, folder, where, folder_digest(folder), pixels=card.size**2
            )
        runner = ModelRunner(model)
        runner.distilled = card.distilled
        runner.rough_decoder = find_rough_decoder(folder, PREVIEWS.get(family, ""), model)
        runner.warm_up()
    except Exception as error:
        if not isinstance(error, LOAD_ERRORS) and type(error) is not Exception:
            raise
        # The libraries do not say which file is damaged, or what helps.
        told = next(find_problems(folder, thorough=True), "") or find_misfit(folder)
        told = told or str(error).strip()
        raise ModelBroken(f"The model “{name}” cannot be loaded: {told}") from error
    runner.seconds_to_load = time.perf_counter() - began
    return runner


def _with_folder(card: ModelCard) -> ModelCard:
    """The card of a hub model with the folder where it is, or the way to bring it.

    That is where it was downloaded to, or else a copy in the models folder, by any of its names.
    """
    folder, models = downloaded(card.source), settings().models_folder
    for name in () if folder else (card.name, _cache_name(card.source), card.source):
        path = f"{models}/{name}"
        if not os.path.isdir(path):
            continue
        copied = snapshot_of(Path(path))
        with suppress(ModelBroken):
            folder = copied if pipeline_class(copied) == card.family else folder
    if folder is None:
        return replace(card, ready=False, hint=_download_hint(card.name))
    return measure(card, folder)


def _cache_name(hub_id: str) -> str:
    """The name of a repository's folder in the hub's cache, and of a copy of it."""
    return f"{PREFIX}{hub_id.replace('/', '--')}"


def _download_hint(name: str) -> str:
    return f"To bring it: {PULL} {name}"


def _from_folder(path: str, name: str = "") -> ModelCard | None:
    """The card of a folder; its name is the path as given, or another."""
    name = name or path
    try:
        folder = _resolve(os.path.abspath(os.path.expanduser(path)))
        if not folder.is_dir():
            return None
    except (OSError, ValueError):  # too long for a path, or none at all
        return None
    with _naming(name):
        return _describe(folder, name, read_config(f"{folder}/model_index.json"))


def _resolve(path: str) -> Path:
    """The folder with a pipeline's files that a path leads to."""
    return snapshot_of(Path(os.path.realpath(path) if os.path.islink(path) else path))


def _describe(folder: Path, name: str, index: Mapping[str, Any]) -> ModelCard:
    """The card of a pipeline's folder, by its model_index.json and what else it tells.

    Raises ModelBroken.
    """
    family, hub_id = class_named_by(index), hub_id_of(folder)
    network = read_network(folder)
    title = hub_id or (name if HUB_ID.fullmatch(name) else folder.name)
    usual = read_usual_settings(folder, index, network, title)
    known = next((c for c in HUB_MODELS if c.source == hub_id and c.family == family), None)
    if known:  # another revision of it, say
        return replace(known, name=name, source=str(folder))
    size = read_native_size(folder, index, network) or FAMILIES[family].size
    return ModelCard(
        *(name, title, str(folder), size, usual.steps, usual.guidance, usual.distilled),
        family=family,
        most_steps=read_most_steps(folder, index),
        doubt=usual.doubt,
    )


def _from_hub(name: str) -> ModelCard | None:
    """The card of a hub id, in whichever case its letters are, as on the hub."""
    if not HUB_ID.fullmatch(name):
        return None
    listed = next((c for c in HUB_MODELS if c.source.casefold() == name.casefold()), None)
    if listed:
        return replace(_with_folder(listed), name=name)
    folder = _folder_of(name) or next(filter(None, map(_folder_of, _spellings(name))), None)
    card = _from_folder(str(folder), name) if folder else None
    if card:
        return card
    return replace(make_hub_card(name, name, name), ready=False, hint=_download_hint(name))


def _folder_of(hub_id: str) -> Path | None:
    """Where a hub model was downloaded to, or copied to in the models folder."""
    models = settings().models_folder
    copies = (models / name for name in (_cache_name(hub_id), hub_id))
    return downloaded(hub_id) or next(filter(Path.is_dir, copies), None)


def _spellings(hub_id: str) -> list[str]:
    """The hub ids on this machine that are the same but for the case of their letters."""
    found = find_checkpoints(settings().models_folder)
    here = (*downloaded_ids(), *ids_of_caches(found.names), *found.nested)
    return [other for other in here if other.casefold() == hub_id.casefold()]


@contextmanager
def _naming(name: str) -> Iterator[None]:
    """Begin the sentence of a ModelBroken with the model's name; no other path is told."""
    try:
        yield
    except ModelBroken as error:
        raise ModelBroken(f"The model “{name}” cannot be used: {error}") from error
