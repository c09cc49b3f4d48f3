"""The grid of a film on Compare: choosing its rows and columns, making what lacks, voting."""

from typing import Any, get_args

import streamlit as st

from db import votes
from db.models import Walk
from momalisa.pacing import PACINGS
from momalisa.ui import (
    error_display,
    history,
    interpolations,
    navigation,
    sign_in,
    submit,
    wall_label,
)
from momalisa.ui.compare import blind_vote, film_grid
from momalisa.ui.compare.film_grid import Cell
from momalisa.ui.components.sheet import Print, PrintRow, sheet
from momalisa.ui.create import estimate, progress
from momalisa.ui.policy import Action

MOST_SEEDS = 4
LOOK = 2.0
"""Seconds between two looks at films that are being made."""


def film_in_url() -> Walk | None:
    """The walk whose grid the URL asks for, if it is known and its settings are."""
    walk = history.find_walk(st.query_params.get("grid"))
    return walk if walk and submit.has_spec(walk) else None


def show_grid(walk: Walk) -> None:
    """Show the grid of a walk."""
    st.button("Back to two films", type="tertiary", icon=":material/arrow_back:", on_click=_close)
    with st.container(key="title_grid"):
        st.text(walk.title)
    for line in wall_label.credit_lines(walk):
        st.text(line)
    rows, pacings = _show_choice(walk)
    if not rows or not pacings:
        st.text("Please choose at least one row and one pacing.")
        return
    cells = film_grid.plan_cells(walk, rows, pacings)
    waiting = [cell for cell in cells if not (cell.is_film or cell.is_missing)]
    st.fragment(_show_sheet, run_every=LOOK if waiting else None)(walk, rows, pacings, len(waiting))
    _show_make_button(walk, [cell.spec for cell in cells if cell.is_missing])
    if sign_in.may(Action.VOTE):
        _show_vote_button(cells)


def _close() -> None:
    walk_id = st.query_params.pop("grid")
    st.query_params["a"] = walk_id


def _show_choice(walk: Walk) -> tuple[list[str] | int, list[str]]:
    """Show the choice of rows and columns."""
    has_seeds = film_grid.has_seeds(submit.spec_of(walk))
    by_seeds = has_seeds and _choose_whether_by_seeds()
    rows = _choose_seeds() if by_seeds else _choose_interpolations(walk)
    pacings = _choose_some("Pacings", PACINGS, (submit.spec_of(walk).pacing, "linear", "even"))
    return rows, pacings


def _choose_whether_by_seeds() -> bool:
    chosen = st.segmented_control(
        "Rows",
        get_args(film_grid.RowsBy),
        default="interpolations",
        key="grid_by",
        required=True,
        persist_state="session",
    )
    return bool(chosen == "seeds")


def _choose_seeds() -> int:
    chosen = st.segmented_control(
        "Seeds",
        range(2, MOST_SEEDS + 1),
        default=2,
        key="grid_seeds",
        required=True,
        persist_state="session",
    )
    return int(chosen or 2)


def _choose_interpolations(walk: Walk) -> list[str]:
    offered = interpolations.offered_for(submit.spec_again(walk).model)
    usual = (submit.spec_of(walk).interpolation, "lerp", "attention")
    return _choose_some("Interpolations", offered, usual)


def _choose_some(label: str, offered: Any, usual: tuple[str, ...]) -> list[str]:
    """Show several of these to be chosen; returns them in their own order."""
    chosen = st.pills(
        label,
        offered,
        selection_mode="multi",
        default=[name for name in offered if name in usual],
        key=f"grid_{label.lower()}",
        persist_state="session",
    )
    return [name for name in offered if name in chosen]


def _show_sheet(walk: Walk, rows: list[str] | int, pacings: list[str], waiting: int) -> None:
    """Show the sheet; run the page once another film is there."""
    cells = film_grid.plan_cells(walk, rows, pacings)
    if waiting != sum(not (cell.is_film or cell.is_missing) for cell in cells):
        st.rerun()
    by_row = film_grid.rows_of(cells)
    sheet(
        pacings,
        [PrintRow(name, [_print_of(cell) for cell in row]) for name, row in by_row],
        key="sheet",
    )


def _print_of(cell: Cell) -> Print:
    name, walk = f"{cell.row}, {cell.pacing}", cell.walk
    if walk is None:
        return Print(name, "not made yet")
    if not cell.is_film:
        return Print(name, progress.describe_status(walk))
    return Print(
        name,
        poster=history.file_url(walk, "poster"),
        **history.film_urls(walk),
        href=navigation.film_address(walk.id),
        caption=walk.accession,
    )


def _show_make_button(walk: Walk, missing: list[Any]) -> None:
    """Show the button that makes what lacks, with what that costs."""
    if not missing:
        return
    if not sign_in.may(Action.MAKE):
        sign_in.show_invitation(Action.MAKE)
        return
    one = len(missing) == 1
    with st.container(horizontal=True, vertical_alignment="center"):
        label = "Make the missing film" if one else f"Make the {len(missing)} missing films"
        pressed = st.button(label, key="make_missing", type="primary")
        st.text(f"{estimate.describe_estimate(*missing)}; frames that are there are used again")
    if pressed:
        with error_display.errors_as_toasts():
            submit.submit_walks(missing, parent=walk.id, here=not walk.remote)
            st.rerun()


def _show_vote_button(cells: list[Cell]) -> None:
    """Show the button that opens the ballots on the grid's pairs, one after another."""
    maker = sign_in.maker_id()
    pairs = film_grid.pairs_to_vote_on(cells, maker)
    if not pairs:
        return
    with history.reading() as session:
        done = votes.pairs_voted_on(
            session=session, maker=maker, among={walk_id for pair in pairs for walk_id in pair}
        )
    left = [pair for pair in pairs if pair not in done]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Vote blind" if left else "Vote again",
            key="vote_grid",
            icon=":material/how_to_vote:",
            help="Two films at a time without their labels, in an order by chance",
            on_click=blind_vote.open_ballots,
            args=(left or pairs,),
        )
        st.text(f"You have voted on {len(pairs) - len(left)} of {len(pairs)} pairs.")


def show_link(walk: Walk) -> None:
    """Show the button that opens a film's grid on this page."""
    if submit.has_spec(walk):
        st.button(
            "Show a grid of this film",
            key="open_grid",
            icon=":material/grid_view:",
            help="Its prompts by several interpolations and pacings, or from other seeds",
            on_click=_open,
            args=(walk.id,),
        )


def _open(walk_id: str) -> None:
    st.query_params.clear()
    st.query_params["grid"] = walk_id
