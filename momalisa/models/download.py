"""Brings a model from the hub: only configurations and safetensors, checked by their digests.

Imports no torch.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from momalisa.errors import (
    BadInput,
    ModelBroken,
    ModelNotFound,
    MomaLisaError,
    ServiceError,
    StorageError,
)
from momalisa.models.cards import PREVIEWS
from momalisa.models.component_check import check_components, pipeline_class
from momalisa.models.fit import format_bytes
from momalisa.models.folder_check import LIST, PULL
from momalisa.models.hub_cache import CONFIG
from momalisa.models.hub_cards import HUB_MODELS
from momalisa.models.large_files import bring_large_files, count_begun
from momalisa.models.weights import STEMS, VARIANTS, has_weights, parts_of

Tell = Callable[[str], object]
"""Shows a line to who waits."""
INDEX = "model_index.json"
NOT_LOADED = ("*.fp16.*", "*.bf16.*", "*.fp16-*", "*.non_ema*", "*.index.fp16.json")
"""Other versions of the same weights, which are not loaded where the usual ones are there."""
NEVER_LOADED = ("*.non_ema*",)


def hub_id_of_name(name: str) -> str:
    """The hub id of a model's name, or of a hub id. Raises ModelNotFound."""
    name = name.strip()
    known = {text.casefold(): card for card in HUB_MODELS for text in (card.name, card.source)}
    card = known.get(name.casefold())
    listed = card and card.source
    if listed is None and name.count("/") != 1:
        raise ModelNotFound(
            f"“{name}” is neither a name of the list ({LIST}) nor a hub id such as owner/name."
        )
    return listed or name


def pull(name: str, revision: str | None = None, tell: Tell = print) -> Path:
    """Download a model into the hub's cache and return its folder; goes on where it stopped.

    Shows a progress bar. Raises ModelNotFound for what is not there or is gated, ModelBroken for
    what cannot be walked or arrives damaged, ServiceError for a hub that is out of reach, and
    StorageError for a disk without room.
    """
    from huggingface_hub import hf_hub_download, snapshot_download

    hub_id = hub_id_of_name(name)
    with _explaining(hub_id, revision):
        _check_reachable(hub_id, revision)
        # Notes the branch's commit in the cache, by which the model is found from then on.
        index = Path(hf_hub_download(hub_id, INDEX, revision=revision))
        # Of that commit, so that all files are of one state.
        which, files = _choose_files(index.parent, hub_id)
        missing = [file for file in files if file.will_download]
        needed = sum(file.file_size or 0 for file in missing) - count_begun(index.parent)
        _check_room(index, needed)
        whole = format_bytes(sum(file.file_size or 0 for file in files))
        tell(f"{hub_id}: {len(files)} files, {whole}; {format_bytes(needed)} to download")
        _bring_configurations(hub_id, which)
        _check_loadable(hub_id, index.parent)
        bring_large_files(hub_id, index.parent, missing)
        folder = Path(snapshot_download(hub_id, **which))
        tell("Comparing the files with the hub's digests …")
        _check_digests(hub_id, folder)
    _check_loadable(hub_id, folder)
    if previews := PREVIEWS.get(pipeline_class(folder)):
        _pull_previews(previews, tell)
    return folder


def _bring_configurations(hub_id: str, which: Mapping[str, Any]) -> None:
    """Bring the configurations alone: who may not load a model need not wait for its weights."""
    from huggingface_hub import snapshot_download

    left_out = [*which["ignore_patterns"], "*.safetensors"]
    snapshot_download(hub_id, **{**which, "ignore_patterns": left_out})


def _check_loadable(hub_id: str, folder: Path) -> None:
    """Raise ModelBroken for a model whose components or configurations are not loaded here."""
    try:
        check_components(folder)
    except ModelBroken as error:
        raise ModelBroken(f"The model “{hub_id}” cannot be used: {error} Others: {LIST}") from error


def _pull_previews(hub_id: str, tell: Tell) -> None:
    """Bring the tiny autoencoder of a family, or say that it is done without."""
    tell(f"{hub_id}: a few MB for quick previews")
    try:
        pull_part(hub_id)
    except MomaLisaError as error:
        tell(f"Previews are made without it: {error}")


def pull_part(hub_id: str) -> Path:
    """Download a repository that holds one part, such as an autoencoder; raises as `pull` does."""
    from huggingface_hub import hf_hub_download, snapshot_download

    with _explaining(hub_id, None):
        revision = Path(hf_hub_download(hub_id, CONFIG)).parent.name
        wanted = [CONFIG, *(f"{stem}.safetensors" for stem in STEMS)]
        folder = Path(snapshot_download(hub_id, revision=revision, allow_patterns=wanted))
        _check_digests(hub_id, folder)
    return folder


def _check_reachable(hub_id: str, revision: str | None) -> None:
    """Ask the hub for the model: what follows would be content with what is in the cache."""
    from httpx2 import TransportError  # what the hub's library asks with
    from huggingface_hub import HfApi

    try:
        HfApi().model_info(hub_id, revision=revision)
    except TransportError as error:
        raise ServiceError(_explain_silence(hub_id, error)) from error


def _patterns(folder: Path, hub_id: str) -> list[str]:
    """Patterns of the files that are loaded. Raises ModelBroken for what cannot be walked."""
    try:
        pipeline_class(folder)
    except ModelBroken as error:
        raise ModelBroken(f"The model “{hub_id}” cannot be used: {error} Others: {LIST}") from error
    kinds = ["*.json", "*.txt", "*.model"]
    kinds += [f"{stem}{end}" for stem in STEMS for end in (".safetensors", "-*.safetensors")]
    parts = parts_of(folder)
    return [INDEX, "distillation.json", *(f"{part}/{kind}" for part in parts for kind in kinds)]


def _choose_files(folder: Path, hub_id: str) -> tuple[dict[str, Any], Sequence[Any]]:
    """Which files are brought, as the library is told; and what it says of them.

    Where a part has weights in half precision alone, these. Raises ModelBroken if a part has no
    safetensors at all, before anything is downloaded.
    """
    from huggingface_hub import snapshot_download

    which: dict[str, Any] = {"revision": folder.name, "ignore_patterns": NOT_LOADED}
    which["allow_patterns"] = _patterns(folder, hub_id)
    files = snapshot_download(hub_id, dry_run=True, **which)
    lacking = _parts_without_weights(files, folder)
    if lacking:
        ends = [f".{v}*.safetensors" for v in VARIANTS] + [f".index.{v}.json" for v in VARIANTS]
        which["allow_patterns"] += [f"{part}/*{end}" for part in lacking for end in ends]
        which["ignore_patterns"] = NEVER_LOADED
        files = snapshot_download(hub_id, dry_run=True, **which)
    for part in _parts_without_weights(files, folder):
        raise ModelBroken(
            f"The model “{hub_id}” has no safetensors for its {part}, and pickled weights, "
            f"which can contain code, are never loaded here. Others: {LIST}"
        )
    return which, files


def _parts_without_weights(files: Sequence[Any], folder: Path) -> list[str]:
    """The parts of a pipeline of which the hub's files have no safetensors."""
    weights = [file.filename for file in files if file.filename.endswith(".safetensors")]
    there = {name.partition("/")[0] for name in weights}
    parts = parts_of(folder).items()
    return [part for part, kind in parts if has_weights(kind) and part not in there]


def _check_room(index: Path, needed: int) -> None:
    free = shutil.disk_usage(index.parent).free
    if needed > free:
        raise StorageError(
            f"The download takes {format_bytes(needed)}, and the disk of {index.parent} has "
            f"{format_bytes(free)} left. HF_HOME names a folder on another disk."
        )


def _check_digests(hub_id: str, folder: Path) -> None:
    """Compare all files with the digests that the hub tells; deletes those that differ.

    Raises ModelBroken if there are any.
    """
    from huggingface_hub import HfApi

    found = HfApi().verify_repo_checksums(hub_id, revision=folder.name)
    wrong = [entry["path"] for entry in found.mismatches]
    for path in wrong:
        (folder / path).resolve().unlink(missing_ok=True)  # what the link leads to
        (folder / path).unlink(missing_ok=True)
    if wrong:
        raise ModelBroken(
            f"Of “{hub_id}” these files are not what the hub says, and were deleted: "
            f"{', '.join(wrong)}. To bring them again: {PULL} {hub_id}"
        )


@contextmanager
def _explaining(hub_id: str, revision: str | None) -> Iterator[None]:
    """Turn what the hub and its library answer into sentences, with what to do."""
    from httpx2 import HTTPError
    from huggingface_hub import errors

    try:
        yield
    except errors.GatedRepoError as error:
        raise ModelNotFound(_explain_gate(hub_id)) from error
    except errors.RevisionNotFoundError as error:
        raise ModelNotFound(
            f"The model “{hub_id}” has no revision “{revision}”. Without --revision, the newest is "
            "taken."
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise ModelNotFound(
            f"There is no model “{hub_id}” on the hub, or it is private: please check its name, or "
            "sign in with: hf auth login"
        ) from error
    except errors.RemoteEntryNotFoundError as error:
        raise ModelBroken(
            f"“{hub_id}” has no {INDEX}, so it is no model in diffusers' format. Others: {LIST}"
        ) from error
    except (errors.OfflineModeIsEnabled, errors.LocalEntryNotFoundError) as error:
        answered = isinstance(error.__cause__, errors.HfHubHTTPError)
        explain = _explain_break if answered else _explain_silence
        raise ServiceError(explain(hub_id, error)) from error
    except errors.HFValidationError as error:
        raise BadInput(f"“{hub_id}” is no hub id such as owner/name.") from error
    except HTTPError as error:  # the library's errors with a status are of this kind, too
        raise ServiceError(_explain_break(hub_id, error)) from error
    except OSError as error:
        if isinstance(error, StorageError) or error.errno:
            raise
        raise ServiceError(_explain_break(hub_id, error)) from error


def _explain_gate(hub_id: str) -> str:
    from huggingface_hub import constants, get_token

    page = f"{constants.ENDPOINT}/{hub_id}"
    if get_token():
        return (
            f"“{hub_id}” is gated, and your account has no access yet: accept its terms at {page}. "
            f"Some owners answer after a while. Then again: {PULL} {hub_id}"
        )
    return (
        f"“{hub_id}” is gated: sign in and accept its terms at {page}, make a token at "
        f"{constants.ENDPOINT}/settings/tokens, and name it with: hf auth login. "
        f"Then again: {PULL} {hub_id}"
    )


def _explain_silence(hub_id: str, _error: Exception) -> str:
    from huggingface_hub import constants

    why = (
        "HF_HUB_OFFLINE is set, so nothing is downloaded"
        if constants.is_offline_mode()
        else f"The hub ({constants.ENDPOINT}) cannot be reached"
    )
    return (
        f"{why}. With a network, run this command again. Or bring “{hub_id}” on another machine "
        "with the same command, and copy its folder into MOMALISA_MODELS "
        f"({os.environ.get('MOMALISA_MODELS', '<home>/models')})."
    )


def _explain_break(hub_id: str, error: Exception) -> str:
    answer = getattr(error, "response", None) or getattr(error.__cause__, "response", None)
    status = getattr(answer, "status_code", None)
    what = f"the hub answered with error {status}" if status else "the connection was lost"
    return (
        f"The download of “{hub_id}” was broken off: {what}. Files that are whole are kept; to go "
        f"on: {PULL} {hub_id}"
    )
