"""The filmstrip: a walk while it is made."""

from collections.abc import Sequence

from momalisa.ui.components.assets import component

_FILMSTRIP = component("filmstrip")


def filmstrip(
    *, walk_id: str, total: int, frames: Sequence[tuple[int, str, bool]], alt: str, key: str
) -> None:
    """Show which of `total` frames there are: place, address, and whether it is rough still."""
    _FILMSTRIP(
        key=key,
        data={"id": walk_id, "total": total, "frames": [list(each) for each in frames], "alt": alt},
    )
