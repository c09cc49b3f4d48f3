"""The blind vote between two films, and its results."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from db import votes
from db.models import Walk
from db.votes import Tally
from momalisa.ui import error_display, film_detail, history, sign_in, wall_label
from momalisa.ui.compare import side_by_side, tally
from momalisa.ui.components.player import Film, player
from momalisa.ui.policy import Action

NAMES = ("first film", "second film")
_BALLOTS = "ballots"
"""The session's key of the pairs that are voted on next."""


def can_vote(left: Walk, right: Walk) -> bool:
    """Whether both are finished, different films, and the visitor may vote."""
    finished = side_by_side.are_finished(left, right)
    return finished and left.id != right.id and sign_in.may(Action.VOTE)


def is_requested(left: Walk, right: Walk) -> bool:
    """Whether the URL opens the ballot, and the two films can be voted on."""
    return "blind" in st.query_params and can_vote(left, right)


def show_ballot(left: Walk, right: Walk) -> None:
    """Show both films without labels in random order, and the buttons of the vote."""
    shown = shuffle(left, right, sign_in.maker_id())
    player(*(map(_anonymous_film, shown, NAMES)), key="blind")
    st.header("Which film do you prefer?", anchor=False)
    with st.container(horizontal=True):
        for name, preferred in zip((*NAMES, "no difference"), (*shown, None), strict=True):
            st.button(
                name.capitalize(), key=name, on_click=_save_vote, args=(left, right, preferred)
            )
    st.button("Back without a vote", key="no_vote", type="tertiary", on_click=_close_ballot)


def shuffle(left: Walk, right: Walk, maker: str) -> tuple[Walk, Walk]:
    """Order two films at random, but always alike for one maker and one pair."""
    first, second = sorted((left, right), key=lambda walk: walk.id)
    digest = hashlib.sha256(f"{maker} {first.id} {second.id}".encode()).digest()
    return (first, second) if digest[0] % 2 else (second, first)


def _anonymous_film(walk: Walk, name: str) -> Film:
    return replace(film_detail.player_film(walk), alt=name.capitalize(), title=name.capitalize())


@error_display.toast_errors
def _save_vote(left: Walk, right: Walk, preferred: Walk | None) -> None:
    sign_in.require(Action.VOTE)
    with history.writing() as session:
        counted = votes.cast(
            session=session,
            one=left.id,
            other=right.id,
            preferred=preferred.id if preferred else None,
            maker=sign_in.maker_id(),
        )
    if not counted:
        st.toast("One of the two films was deleted meanwhile, so the vote does not count.")
    _open_next_ballot()


def open_ballots(pairs: Sequence[tuple[str, str]]) -> None:
    """Open the ballots on pairs of films, by their ids, one after another."""
    st.session_state[_BALLOTS] = list(pairs)
    _open_next_ballot()


def _open_next_ballot() -> None:
    """Open the next ballot; after the last one, or after a single one, close it."""
    if ballots := st.session_state.get(_BALLOTS):
        left, right = ballots.pop(0)
        st.query_params.update(a=left, b=right, blind="yes")
    else:
        _close_ballot()


def _close_ballot() -> None:
    """Go back to the pair, or to the grid that it is of."""
    st.session_state.pop(_BALLOTS, None)
    st.query_params.pop("blind", None)
    if "grid" in st.query_params:
        for side in side_by_side.SIDES:
            st.query_params.pop(side, None)


def show_result(left: Walk, right: Walk) -> None:
    """Show the button that opens the ballot and, to those who voted, the results."""
    maker = sign_in.maker_id()
    with history.reading() as session:
        own = votes.tally(session=session, one=left.id, other=right.id, maker=maker)
        everyone = votes.tally(session=session, one=left.id, other=right.id)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Vote again" if any(own) else "Vote blind",
            key="vote",
            icon=":material/how_to_vote:",
            help="Both films without their labels, in an order by chance",
            on_click=_open_ballot,
        )
        if any(own):
            votes_text = tally.describe_votes(*_distinct_names(left, right), everyone)
            st.text(f"{_own_vote_text(left, right, own)} {votes_text}", width="stretch")


def _own_vote_text(left: Walk, right: Walk, own: Tally) -> str:
    shown = shuffle(left, right, sign_in.maker_id())
    if own.neither:
        was = (
            f"the {name} was {wall_label.caption(walk)}"
            for name, walk in zip(NAMES, shown, strict=True)
        )
        return f"You saw no difference: {', '.join(was)}."
    preferred = left if own.won else right
    return f"You preferred the {NAMES[shown.index(preferred)]}: {wall_label.caption(preferred)}."


def _distinct_names(left: Walk, right: Walk) -> tuple[str, str]:
    """What both films differ in, the pacings first; otherwise the accession numbers."""
    mixed = [walk.spec.get("interpolation", "") for walk in (left, right)]
    for one, other in ((left.pacing, right.pacing), mixed):
        if one and other and one != other:
            return one, other
    return left.accession, right.accession


def _open_ballot() -> None:
    st.session_state.pop(_BALLOTS, None)
    st.query_params["blind"] = "yes"
