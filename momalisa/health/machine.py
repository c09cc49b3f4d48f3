"""Checks of doctor: home, storage, frame cache, device, model and backups."""

import json
import os
import secrets
import time
from datetime import UTC, datetime
from pathlib import Path

from db import walks
from db.error_messages import HistoryError, NotUpgraded
from db.session import reading, require_newest_schema, sqlite_file
from momalisa.errors import BadInput, DeviceNotFound, ModelBroken, MomaLisaError, StorageError
from momalisa.files import write_atomically
from momalisa.health.films import compare_clocks
from momalisa.health.finding import Finding, count_of, describe_seconds, note, ok, wrong
from momalisa.health.metrics import measure_folder
from momalisa.models import registry
from momalisa.models.digest import folder_digest
from momalisa.models.folder_check import find_problems
from momalisa.settings import Settings
from momalisa.storage import Storage, open_storage
from momalisa.worker.last_device import CPU, check_last_device, last_device

STORE_RETRY_SECONDS = 5.0
"""How long a bucket is asked again before it counts as out of reach."""
SAMPLED_FILMS = 20
"""The newest films, whose files are looked for in the storage."""
BACKUP_DAYS = 30
CACHE_EXCESS = 1.5
"""Times its limit that the frame cache may have while a walk is being made."""


def check_home(settings: Settings) -> list[Finding]:
    """Whether home is a folder that can be written, or made; writes nothing."""
    home = settings.home.absolute()
    if home.exists() and not home.is_dir():
        told = f"MOMALISA_HOME ({home}) is a file; it has to be a folder."
    elif not home.exists() and not (there := _nearest_existing(home)).is_dir():
        told = f"The folder {home} cannot be made, since {there} is a file."
    elif not home.exists() and not os.access(there, os.W_OK | os.X_OK):
        told = f"The folder {home} cannot be made, since {there} may not be written."
    elif home.exists() and not os.access(home, os.W_OK | os.X_OK):
        told = f"The folder {home} may not be written, so no walk can be made or kept."
    else:
        return ok("home", f"{home} can be written.")
    return wrong("home", told, "Correct MOMALISA_HOME, or the rights of that folder.")


def _nearest_existing(path: Path) -> Path:
    """The path itself or the nearest of its parents that exists."""
    return next(parent for parent in (path, *path.parents) if parent.exists())


def check_store(settings: Settings) -> list[Finding]:
    """Whether the storage takes and gives a file, and has the newest films."""
    root, files, upgraded = settings.store_root, list[str](), True
    try:
        files = _list_newest_files(settings)
    except NotUpgraded:
        upgraded = False
    if "://" not in root and not Path(root).expanduser().exists():
        if files:
            return wrong("store", f"The folder {root} is gone, and the films with it.", _RIGHT_ONE)
        return note("store", f"There is no folder {root} yet.", "The first film makes it.")
    try:
        storage = open_storage(root, retry_seconds=STORE_RETRY_SECONDS)
        findings = _write_and_delete(storage)
        missing = [key for key in files if not storage.exists(key)]
    except (BadInput, StorageError) as error:
        return wrong("store", str(error), "Films wait in the outbox until this is mended.")
    if missing and len(missing) == len(files):
        told = f"Of the {count_of(len(files), 'newest film')} none is in {root}."
        return wrong("store", told, _RIGHT_ONE)
    if missing:
        told = f"Of the {len(files)} newest films {len(missing)} are not in {root}."
        return wrong("store", told, "See what is amiss: python -m momalisa sync")
    later = "" if upgraded else " Whether it has the newest films is seen after the upgrade."
    return [*findings, *ok("store", f"{root} takes and gives files.{later}")]


_RIGHT_ONE = "Is MOMALISA_STORE right? Correct it, and do not repair anything before."


def _write_and_delete(storage: Storage) -> list[Finding]:
    """Store a small file beside the films, read it and delete it. Raises StorageError.

    A bucket may keep what it has: films are made all the same.
    """
    key, data = f"doctor/{secrets.token_hex(8)}.json", b"{}"
    stored = storage.put(key, data, "application/json")
    findings = compare_clocks((stored.updated - datetime.now(UTC)).total_seconds(), "storage")
    try:
        if storage.get(key) != data:
            raise StorageError(f"The storage gave back another content of {key}.")
    finally:
        try:
            storage.delete(key)
        except StorageError as error:
            remedy = "Films are stored; those that are deleted stay there, and labels as they were."
            findings += note("store", str(error), remedy)
    return findings


def _list_newest_files(settings: Settings) -> list[str]:
    """The keys of the newest stored films; none if the history cannot be read.

    Raises NotUpgraded if it is of an earlier version.
    """
    file = sqlite_file(settings.database)
    if file is not None and not file.exists():
        return []
    try:
        require_newest_schema(settings.database)
        with reading(settings.database) as session:
            newest = walks.list_page(session=session, limit=SAMPLED_FILMS)
    except NotUpgraded:
        raise
    except HistoryError:
        return []
    return [walk.files["gif"] for walk in newest if "gif" in walk.files and not walk.waiting]


def check_cache(settings: Settings) -> list[Finding]:
    """Whether the frame cache keeps to its limit."""
    size, limit = measure_folder(settings.frame_cache), settings.cache_gb * 1e9
    told = f"The frame cache has {size / 1e9:.1f} GB of {settings.cache_gb:g} GB."
    if size <= CACHE_EXCESS * limit:
        return ok("cache", told)
    return note("cache", told, "It is trimmed after each walk; else delete its oldest files.")


def check_model(settings: Settings) -> list[Finding]:
    """Whether the model's files are there and whole; does not load them."""
    if settings.endpoint:
        return ok("model", f"Walks are made by {settings.endpoint}.")
    try:
        folder = Path(registry.find(settings.model).source)
        digest = folder_digest(folder)
        for problem in find_problems(folder, thorough=True):
            raise ModelBroken(f"The model {settings.model} is not whole. {problem}")
    except (MomaLisaError, OSError) as error:
        return wrong("model", str(error), "Choose another: python -m momalisa models")
    return ok("model", f"The model {settings.model} is here and whole ({digest[:12]}).")


def check_device(settings: Settings) -> list[Finding]:
    """Whether the device that the settings name, or the GPU that painted last, is there.

    Imports torch, but not where the processor paints, or where nothing says that a GPU does.
    """
    name = settings.device or last_device(settings)
    if settings.endpoint or name in ("", CPU):
        return ok("device", "No graphics card is asked for.")
    from momalisa.models.device import open_device

    try:
        if settings.device:
            open_device(name)
        else:
            check_last_device(settings)
    except DeviceNotFound as error:
        remedy = (
            "Does nvidia-smi list the card? Films wait until it is back or the setting changes."
        )
        return wrong("device", str(error), remedy)
    return ok("device", f"The device {name} is there.")


def check_model_loads(settings: Settings) -> list[Finding]:
    """Load the model onto its device; imports torch, and takes seconds to minutes."""
    began = time.monotonic()
    try:
        runner = registry.load(settings.model, settings.device)
    except (MomaLisaError, OSError) as error:
        return wrong("model", str(error), "Choose another: python -m momalisa models")
    seconds = time.monotonic() - began
    return ok(
        "model", f"{settings.model} was loaded onto {runner.model.device} in {seconds:.0f} s."
    )


def note_backup(settings: Settings, file: Path) -> None:
    """Remember when a backup was made, for `check_backup`."""
    entry = {"at": datetime.now(UTC).isoformat(), "file": str(file.absolute())}
    settings.home.mkdir(parents=True, exist_ok=True)
    write_atomically(_backup_note(settings), json.dumps(entry).encode())


def check_backup(settings: Settings) -> list[Finding]:
    """How old the last backup is that the command `backup` has made."""
    if sqlite_file(settings.database) is None:
        return ok("backup", "Backups of a PostgreSQL history are its server's (pg_dump).")
    try:
        entry = json.loads(_backup_note(settings).read_text())
        age = (datetime.now(UTC) - datetime.fromisoformat(entry["at"])).total_seconds()
    except (OSError, ValueError, KeyError, TypeError):
        return note(
            "backup",
            "No backup of the history is known.",
            "Make one now and then: python -m momalisa backup FILE (while the app runs)",
        )
    told = f"The last backup is {describe_seconds(age)} old: {entry['file']}"
    if age > BACKUP_DAYS * 86_400:
        return note("backup", told, "Make a new one: python -m momalisa backup FILE")
    return ok("backup", told)


def _backup_note(settings: Settings) -> Path:
    return settings.home / "last-backup.json"
