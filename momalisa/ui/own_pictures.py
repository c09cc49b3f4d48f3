"""The pictures that visitors bring as stops: of too many, one's own oldest go first.

The history keeps so many pictures in all (`db.stop_pictures`); without a share for each visitor,
one who brings many would push out those that others have just chosen. Who brought what is known to
this process only, and only as a hash whose key ends with it.
"""

from collections import OrderedDict
from threading import Lock

from db.stills import maker_key
from momalisa import stop_pictures
from momalisa.settings import settings

MOST_EACH = 200
MOST_BYTES_EACH = 128 * 2**20
"""Pictures of one visitor, and their bytes."""
MOST_NOTED = 20_000
"""Pictures whose visitor is remembered."""

_NOTED: OrderedDict[tuple[str, str], int] = OrderedDict()
"""Bytes by visitor and digest, those chosen last at the end."""
_LOCK = Lock()


def keep(picture: stop_pictures.StopPicture, visitor: str) -> None:
    """Keep a picture as a stop; drop a visitor's own oldest beyond their share.

    `visitor` is an account or an address, empty where that is unknown, which has no share.
    Raises HistoryError.
    """
    drop = _note(maker_key(visitor, ""), picture) if visitor else []
    stop_pictures.keep(picture, settings().database, drop)


def _note(maker: str, picture: stop_pictures.StopPicture) -> list[str]:
    """Note who brought a picture; return the digests of the maker's that are too many now."""
    with _LOCK:
        _NOTED[maker, picture.digest] = len(picture.data)
        _NOTED.move_to_end((maker, picture.digest))
        dropped, number, total = [], 0, 0
        for (other, digest), size in reversed(_NOTED.items()):
            if other == maker:
                number, total = number + 1, total + size
                if number > MOST_EACH or total > MOST_BYTES_EACH:
                    dropped.append(digest)
        for digest in dropped:
            del _NOTED[maker, digest]
        others = {digest for _, digest in _NOTED}
        while len(_NOTED) > MOST_NOTED:
            _NOTED.popitem(last=False)
        return [digest for digest in dropped if digest not in others]
