"""A contact sheet: films in rows and columns, played in their place on hover, tap or Enter."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from momalisa.ui.components.assets import register_component

_SHEET = register_component("sheet")


@dataclass(frozen=True)
class Print:
    """A film on the sheet, or in its place a state such as "not made yet".

    `film` is played, `fallback` where that cannot be loaded; `href` opens the film.
    """

    name: str
    state: str = ""
    poster: str = ""
    film: str = ""
    fallback: str = ""
    href: str = ""
    caption: str = ""


@dataclass(frozen=True)
class PrintRow:
    """A row of the sheet with its name."""

    name: str
    prints: Sequence[Print]


def sheet(columns: Sequence[str], rows: Sequence[PrintRow], *, key: str) -> None:
    """Show the sheet."""
    _SHEET(key=key, data={"columns": list(columns), "rows": [asdict(row) for row in rows]})
