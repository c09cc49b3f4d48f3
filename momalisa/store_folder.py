"""Whether a missing folder of films may be made, or is on a disk that is not mounted."""

from pathlib import Path

from db import deletions
from db.session import reading, sqlite_file


def may_be_made(folder: Path, database: str) -> bool:
    """Whether no film was stored in it yet, or it is beside its history. Raises HistoryError.

    A folder made in the place of a disk would take films that vanish once the disk is mounted. So a
    folder beside its history that is there, without films, is asked about too: a mountpoint.
    """
    if is_beside_history(folder, database) and not folder.exists():
        return True
    with reading(database) as session:
        return not deletions.sample_films(session=session)


def is_beside_history(folder: Path, database: str) -> bool:
    """Whether a folder is where the history is, so that one is not away without the other.

    One that is a link to elsewhere is not.
    """
    file = sqlite_file(database)
    return file is not None and folder.resolve().parent == file.resolve().parent
