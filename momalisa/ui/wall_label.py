"""Wall labels. What people typed goes through `st.text` only, which renders nothing."""

from collections.abc import Mapping

import streamlit as st

from db.models import Walk
from momalisa.spec import WalkSpec
from momalisa.ui.submit import repeatable, spec_of

LOOPS = {"once": "once", "boomerang": "there and back", "closed": "closed round"}


def wall_label(walk: Walk) -> None:
    """Title and year, what it is, how it was made, its number."""
    with st.container(key=f"title_{walk.id}"):
        st.text(f"{walk.title}, {walk.created_at.year}")
    with st.container(key=f"line_{walk.id}", gap=None):
        for line in lines_of(walk):
            st.text(line)
        if walk.waiting:
            st.text("Waiting for storage")


def lines_of(walk: Walk) -> tuple[str, ...]:
    """A film's lines below its title, its number the last."""
    if repeatable(walk):
        return (*lines(spec_of(walk), walk.frames_total), walk.accession)
    return (f"Film of another program, {walk.frames_total} frames", walk.accession)


def caption(walk: Walk) -> str:
    """Its pacing, where it is known, and its number."""
    return ", ".join(filter(None, (walk.pacing, walk.accession)))


def short(title: str, length: int = 90) -> str:
    """A title for places without room."""
    return title if len(title) <= length else f"{title[: length - 1].rstrip()}…"


def lines(spec: WalkSpec, frames: int) -> tuple[str, ...]:
    """A label's lines below the title."""
    seeds = ", ".join(str(stop.seed) for stop in spec.stops)
    return (
        f"Latent walk, {frames} frames, {spec.size} × {spec.size}",
        f"Model {spec.model}, pacing {spec.pacing}",
        f"Seeds {seeds}",
    )


def facts(walk: Walk) -> dict[str, str]:
    """Every parameter and every measurement of a walk that is known, in reading order."""
    return {
        **{
            f"Stop {n}": f"{stop['prompt']} (seed {stop['seed']})"
            for n, stop in enumerate(walk.spec.get("stops", []), 1)
        },
        "Frames": str(walk.frames_total),
        **(_chosen(spec_of(walk)) if repeatable(walk) else {}),
        "Made": f"{walk.finished_at:%d %B %Y, %H:%M} UTC" if walk.finished_at else "not finished",
        **_measured(walk),
    }


def _chosen(spec: WalkSpec) -> dict[str, str]:
    return {
        "Frames a leg": str(spec.frames),
        "Pacing": spec.pacing
        if spec.pacing in ("linear", "even")
        else f"{spec.pacing}, strength {spec.strength:g}",
        "Interpolation": spec.interpolation,
        "Mode": spec.mode
        if not (spec.mode == "fast" and spec.without)
        else f"fast, without {', '.join(spec.without)}",
        "Steps": str(spec.steps),
        "Guidance": f"{spec.guidance:g}",
        "Negative": spec.negative or "none",
        "Size": f"{spec.size} × {spec.size}",
        "Model": spec.model,
        "Loop": f"{LOOPS[spec.loop]}, {spec.fps} frames a second",
    }


def _measured(walk: Walk) -> dict[str, str]:
    took = f"{walk.seconds:,.1f} s on {walk.device}, {walk.frames_computed} frames computed"
    measured = {
        "Took": took if walk.device else "",
        "Evenness": "" if walk.evenness is None else f"{walk.evenness:.2f}",
        "Sharpness": "" if walk.sharpness is None else f"{walk.sharpness:.2f}",
        "File": f"{walk.bytes / 1e6:.1f} MB" if walk.bytes else "",
    }
    return {name: value for name, value in measured.items() if value}


def fact_table(rows: Mapping[str, str], *, key: str) -> None:
    """Names on the left, values on the right."""
    with st.container(key=f"facts_{key}"):
        for name, value in rows.items():
            st.text(name)
            st.text(value)


def differences(left: Walk, right: Walk) -> list[tuple[str, str, str]]:
    """The facts in which two walks differ: name, left, right."""
    ours, theirs = facts(left), facts(right)
    names = [*ours, *(name for name in theirs if name not in ours)]
    rows = [(name, ours.get(name, "none"), theirs.get(name, "none")) for name in names]
    return [row for row in rows if row[1] != row[2]]
