"""A scrubber over two walks at once that differ in their pacing: at one time, two places."""

from dataclasses import replace

import streamlit as st

from db.models import Walk
from momalisa.pacing import spread
from momalisa.spec import WalkSpec
from momalisa.ui import submit, wall_label
from momalisa.ui.components.scrubber import Sources, Track, scrubber
from momalisa.ui.create import estimate, scrub

POINTS = 101
"""Of a pacing's curve that the browser is given."""
_OF_TIME = {"frames", "pacing", "strength", "fps"}
"""Fields of a spec that decide when a place is shown, not what is seen there."""


def show_film_pair(left: Walk, right: Walk) -> None:
    """Show the scrubber for two films, if they are one way in two pacings that are known."""
    if left.id == right.id or not (submit.has_spec(left) and submit.has_spec(right)):
        return
    specs = submit.spec_again(left), submit.spec_again(right)
    if not _is_one_way(*specs):
        return
    films = zip((left, right), specs, strict=True)
    frames = [frame for film, spec in films for frame in scrub.located_frames(film, spec)]
    seconds, hint = scrub.can_paint_between(left, specs[0])
    if seconds is None and not frames:
        return
    sources = Sources(frames=frames)
    if seconds is not None:
        sources = scrub.find_sources(specs[0], seconds, frames)
    titles = [wall_label.caption(film) for film in (left, right)]
    with st.expander("Look between the frames of both"):
        _show(specs, titles, sources, hint, f"{left.id}_{right.id}")


def show_draft_pair(left: WalkSpec, right: WalkSpec) -> None:
    """Show the scrubber for two walks before they are made, if pictures are painted meanwhile."""
    if not _is_one_way(left, right) or not scrub.may_paint(left):
        return
    sources = scrub.find_sources(left, estimate.seconds_per_frame(left))
    sources = replace(sources, ahead=scrub.places_ahead(left, right))
    with st.expander("Look along both ways"):
        _show((left, right), [left.pacing, right.pacing], sources, scrub.DRAG, "drafts")


def _show(
    specs: tuple[WalkSpec, WalkSpec], titles: list[str], sources: Sources, hint: str, name: str
) -> None:
    tracks = [Track(title, _curve(spec)) for title, spec in zip(titles, specs, strict=True)]
    scrubber(
        walk_id=name,
        legs=scrub.legs_of(specs[0]),
        sources=sources,
        tracks=tracks,
        hint=hint,
        key=f"both_{name}",
        ratio=specs[0].ratio,
    )


def _is_one_way(left: WalkSpec, right: WalkSpec) -> bool:
    """Whether two walks show the same at each place, and the times of their places are known."""
    if "even" in (left.pacing, right.pacing):  # measured while the walk is made
        return False
    return left.model_dump(exclude=_OF_TIME) == right.model_dump(exclude=_OF_TIME)


def _curve(spec: WalkSpec) -> list[float]:
    if spec.pacing == "linear":
        return []
    return [round(float(t), 4) for t in spread(spec.pacing, POINTS, spec.strength)]
