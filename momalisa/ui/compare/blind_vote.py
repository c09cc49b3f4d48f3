"""The blind vote: two films without their labels, and what came of the votes on them."""

import hashlib
from dataclasses import replace

import streamlit as st

from db import votes
from db.models import Walk
from db.votes import Tally
from momalisa.ui import error_display, film_detail, history, submit, wall_label
from momalisa.ui.compare import side_by_side, tally
from momalisa.ui.components.player import Film, player

NAMES = ("first film", "second film")


def possible(left: Walk, right: Walk) -> bool:
    """Whether the two can be voted on: two films, not one twice."""
    return side_by_side.finished(left, right) and left.id != right.id


def asked(left: Walk, right: Walk) -> bool:
    """Whether the URL asks for a blind vote on the two."""
    return "blind" in st.query_params and possible(left, right)


def ask(left: Walk, right: Walk) -> None:
    """Both films in an order that tells nothing, and the question."""
    shown = shuffled(left, right, submit.maker_id())
    player(*(map(_unlabelled, shown, NAMES)), key="blind")
    st.header("Which film do you prefer?", anchor=False)
    with st.container(horizontal=True):
        for name, preferred in zip((*NAMES, "no difference"), (*shown, None), strict=True):
            st.button(name.capitalize(), key=name, on_click=_cast, args=(left, right, preferred))
    st.button("Back without a vote", key="no_vote", type="tertiary", on_click=_leave)


def shuffled(left: Walk, right: Walk, maker: str) -> tuple[Walk, Walk]:
    """The two in an order by chance, always the same for one maker and one pair."""
    first, second = sorted((left, right), key=lambda walk: walk.id)
    toss = hashlib.sha256(f"{maker} {first.id} {second.id}".encode()).digest()
    return (first, second) if toss[0] % 2 else (second, first)


def _unlabelled(walk: Walk, name: str) -> Film:
    return replace(film_detail.player_film(walk), alt=name.capitalize(), title=name.capitalize())


@error_display.toast_errors
def _cast(left: Walk, right: Walk, preferred: Walk | None) -> None:
    with history.writing() as session:
        counted = votes.cast(
            session=session,
            one=left.id,
            other=right.id,
            preferred=preferred.id if preferred else None,
            maker=submit.maker_id(),
        )
    if not counted:
        st.toast("One of the two films was deleted meanwhile, so the vote does not count.")
    _leave()


def _leave() -> None:
    st.query_params.pop("blind", None)


def tell(left: Walk, right: Walk) -> None:
    """Whoever has voted learns which film was which, and how all have voted; others are asked."""
    maker = submit.maker_id()
    with history.reading() as session:
        own = votes.tally(session=session, one=left.id, other=right.id, maker=maker)
        everybody = votes.tally(session=session, one=left.id, other=right.id)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Vote again" if any(own) else "Vote blind",
            key="vote",
            icon=":material/how_to_vote:",
            help="Both films without their labels, in an order by chance",
            on_click=_open,
        )
        if any(own):
            told = tally.told(*_told_apart(left, right), everybody)
            st.text(f"{_preferred(left, right, own)} {told}", width="stretch")


def _preferred(left: Walk, right: Walk, own: Tally) -> str:
    shown = shuffled(left, right, submit.maker_id())
    if own.neither:
        was = (
            f"the {name} was {wall_label.caption(walk)}"
            for name, walk in zip(NAMES, shown, strict=True)
        )
        return f"You saw no difference: {', '.join(was)}."
    preferred = left if own.won else right
    return f"You preferred the {NAMES[shown.index(preferred)]}: {wall_label.caption(preferred)}."


def _told_apart(left: Walk, right: Walk) -> tuple[str, str]:
    """By their pacings where these tell them apart, else by their numbers."""
    if "" not in (left.pacing, right.pacing) and left.pacing != right.pacing:
        return left.pacing, right.pacing
    return left.accession, right.accession


def _open() -> None:
    st.query_params["blind"] = "yes"
