"""The filmstrip: a walk while it is made."""

from collections.abc import Sequence

from momalisa.ui.components.assets import component

_FILMSTRIP = component("filmstrip")


def filmstrip(
    *, walk_id: str, total: int, frames: Sequence[tuple[int, str]], alt: str, key: str
) -> None:
    """Show which of `total` frames are ready: their places and addresses, in any order."""
    _FILMSTRIP(
        key=key,
        data={"id": walk_id, "total": total, "frames": [list(each) for each in frames], "alt": alt},
    )
