"""Claims of accession numbers in the storage: of two histories on it, one has a film with a number.

Each history gives numbers by its own counter, and learns only now and then of those that others
gave (`number_marks`). So a number is final once the storage holds its claim: a file with the
number's name and the walk's id, which is made only where there is none. A walk claims its number
before its record is stored; who comes second gets another one. While the storage is away a film
waits with a number that is not final; if it gets another one, its notes tell the former one.
"""

import json
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress

from db import accession_numbers, walks
from db.models import State, Walk
from db.session import reading, writing
from momalisa.errors import KeyTaken, NotStored, StorageError
from momalisa.storage import CONTENT_TYPES, Storage
from momalisa.storage.outbox import Outbox

FOLDER = "accession_claims"
TRIES = 1000
"""Most numbers that are tried for a walk at a time."""

log = logging.getLogger(__name__)


def claim_number(storage: Storage, database: str, walk_id: str, *, is_new: bool = False) -> str:
    """Claim a walk's number, or others until one is free; returns it, or "" if it has no row.

    A film that hangs in the storage keeps its number, unless that `is_new`: its record in the
    storage has not got it. Raises StorageError or HistoryError.
    """
    for _ in range(TRIES):
        with reading(database) as session:
            walk = walks.get(session=session, walk_id=walk_id)
        if walk is None:
            return ""
        is_stored = walk.state is State.DONE and not walk.waiting
        is_made_again = walk.state is not State.DONE and "gif" in walk.files
        is_kept = (is_stored and not is_new) or is_made_again
        if is_kept or _claim(storage, walk.accession, walk_id):
            return walk.accession
        _give_another(database, walk_id, walk.accession)
    raise StorageError(f"{TRIES} numbers in a row are other walks'. It is tried again later.")


def claim_or_wait(
    walk: Walk, open_storage: Callable[[], Storage], outbox: Outbox, database: str
) -> tuple[str, Outbox]:
    """Claim the number of a walk that is to be made; returns it, and the outbox for its film.

    While the storage is away, that is one where the film comes first: the courier will claim it.
    """
    # If other films wait, the storage was out of reach a moment ago: skip the retries.
    if not outbox.walk_ids():
        with suppress(StorageError):
            return claim_number(open_storage(), database, walk.id) or walk.accession, outbox
    return walk.accession, Outbox(outbox.folder, is_first=True)


def _claim(storage: Storage, number: str, walk_id: str) -> bool:
    """Claim a number for a walk; False if another walk has claimed it."""
    content = json.dumps({"walk_id": walk_id}).encode()
    try:
        storage.put(_key(number), content, CONTENT_TYPES[".json"])
    except KeyTaken:
        return False
    return True


def _key(number: str) -> str:
    return f"{FOLDER}/{number.removeprefix('ML.')}.json"


def _give_another(database: str, walk_id: str, number: str) -> None:
    """Give a walk another number than this one, which is another walk's."""
    with writing(database) as session:
        other = accession_numbers.replace(session=session, walk_id=walk_id, number=number)
    if other:
        sentence = "%s was given by another history on this storage as well. Walk %s is %s now."
        log.warning(sentence, number, walk_id, other)


def leave_numbers(storage: Storage, database: str, numbers: Mapping[str, str]) -> None:
    """Let films that come in keep the numbers that they have claimed, by walk.

    Walks of this history that have the same numbers get others. Raises StorageError.
    """
    with reading(database) as session:
        holders = accession_numbers.find_holders(session, numbers.values())
    for walk_id, number in numbers.items():
        holder = holders.get(number, walk_id)
        if holder != walk_id and _is_claimed_by(storage, number, walk_id):
            _give_another(database, holder, number)


def _is_claimed_by(storage: Storage, number: str, walk_id: str) -> bool:
    try:
        return bool(json.loads(storage.get(_key(number))) == {"walk_id": walk_id})
    except (NotStored, ValueError, RecursionError):
        return False
