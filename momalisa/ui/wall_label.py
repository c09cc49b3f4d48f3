"""Wall labels and tables of facts about a walk.

Text that people typed is shown with `st.text` only, which renders no Markdown or HTML.
"""

from collections.abc import Mapping

import streamlit as st

from db.models import Walk
from momalisa.result import describe_leaps
from momalisa.spec import Stop, WalkSpec
from momalisa.stop import Credit
from momalisa.ui.submit import has_spec, spec_of

LOOP_NAMES = {"once": "once", "boomerang": "there and back", "closed": "closed round"}


def show_wall_label(walk: Walk) -> None:
    """Show the label: title and year, what it is, how it was made, its accession number."""
    with st.container(key=f"title_{walk.id}"):
        st.text(f"{walk.title}, {walk.created_at.year}")
    with st.container(key=f"line_{walk.id}", gap=None):
        for line in label_lines(walk):
            st.text(line)
        if walk.waiting:
            st.text("Waiting for storage")
        _show_record_links(walk)


def _show_record_links(walk: Walk) -> None:
    """Show a link to the museum's record of each work of art."""
    records = [credit for credit in credits_of(walk) if credit.record_address]
    if records:
        with st.container(key=f"records_{walk.id}", horizontal=True, gap="small"):
            for number, credit in enumerate(records, start=1):
                which = "the work" if len(records) == 1 else f"work {number}"
                st.link_button(
                    f"The museum's record of {which}", credit.record_address, type="tertiary"
                )


def credits_of(walk: Walk) -> list[Credit]:
    """Whose works of art its stops are, in walking order."""
    return [c for stop in spec_of(walk).stops for c in stop.credits] if has_spec(walk) else []


def label_lines(walk: Walk) -> tuple[str, ...]:
    """The label's lines below the title; the accession number is the last."""
    if has_spec(walk):
        lines = spec_lines(spec_of(walk), walk.frames_total)
        return (*credit_lines(walk), *lines, *filter(None, [leaps_line(walk)]), walk.accession)
    return (f"Film of another program, {walk.frames_total} frames", walk.accession)


def credit_lines(walk: Walk) -> tuple[str, ...]:
    """Whose pictures its stops are, and how they are licensed, each once, in walking order."""
    pictures = [stop.image for stop in spec_of(walk).stops] if has_spec(walk) else []
    return tuple(dict.fromkeys(picture.credit_line for picture in pictures if picture))


def leaps_line(walk: Walk) -> str:
    """Where a film with even pacing still leaps; "" if it does not, or was not to be even."""
    return describe_leaps(walk.distances) if walk.pacing == "even" else ""


def caption(walk: Walk) -> str:
    """Pacing, if known, and accession number in one line."""
    return ", ".join(filter(None, (walk.pacing, walk.accession)))


def shorten(title: str, length: int = 90) -> str:
    """The title cut to `length` characters, with an ellipsis if anything is cut."""
    return title if len(title) <= length else f"{title[: length - 1].rstrip()}…"


def spec_lines(spec: WalkSpec, frames: int) -> tuple[str, ...]:
    """The lines of a label that follow from the spec: size, model, pacing, seeds."""
    seeds = ", ".join(str(stop.seed) for stop in spec.stops)
    return (
        f"Latent walk, {frames} frames, {spec.shown_size}",
        f"Model {spec.model}, pacing {spec.pacing}",
        *(f"LoRA {lora.label}" for lora in spec.loras),
        *(["Words of the prompts weighted"] if spec.prompt_weights else []),
        f"Seeds {seeds}",
    )


def facts(walk: Walk) -> dict[str, str]:
    """All known parameters and measurements of a walk by name, in display order."""
    return {
        **{
            f"Stop {n}": _stop_fact(stop)
            for n, stop in enumerate(spec_of(walk).stops if has_spec(walk) else (), 1)
        },
        "Frames": str(walk.frames_total),
        **(_spec_facts(spec_of(walk)) if has_spec(walk) else {}),
        "Made": f"{walk.finished_at:%d %B %Y, %H:%M} UTC" if walk.finished_at else "not finished",
        **_measured_facts(walk),
    }


def _stop_fact(stop: Stop) -> str:
    """What a stop is, with its seed and a picture's prompt."""
    if stop.between:
        return stop.name
    said = f"“{stop.prompt}”, " if stop.image and stop.prompt else ""
    return f"{stop.name} ({said}seed {stop.seed})"


def _spec_facts(spec: WalkSpec) -> dict[str, str]:
    """The parameters of a spec."""
    return {
        "Frames a leg": str(spec.frames),
        "Pacing": spec.pacing
        if spec.pacing in ("linear", "even")
        else f"{spec.pacing}, strength {spec.strength:g}",
        "Interpolation": spec.interpolation,
        **({"In the middle": spec.middle} if spec.middle else {}),
        "Mode": spec.mode
        if spec.mode == "exact" or not spec.without
        else "exact"
        if not spec.shortcuts
        else f"fast, without {', '.join(spec.without)}",
        "Steps": str(spec.steps),
        "Guidance": f"{spec.guidance:g}",
        "Negative": spec.negative or "none",
        "Size": spec.shown_size,
        "Model": spec.model,
        **({"LoRAs": "; ".join(lora.label for lora in spec.loras)} if spec.loras else {}),
        **({"Weights of words": "on"} if spec.prompt_weights else {}),
        "Loop": f"{LOOP_NAMES[spec.loop]}, {spec.fps} frames a second",
    }


def _measured_facts(walk: Walk) -> dict[str, str]:
    """The measurements of a finished walk; unknown ones are left out."""
    took = f"{walk.seconds:,.1f} s on {walk.device}, {walk.frames_computed} frames computed"
    measurements = {
        "Took": took if walk.device else "",
        "Evenness": "" if walk.evenness is None else f"{walk.evenness:.2f}",
        "Sharpness": "" if walk.sharpness is None else f"{walk.sharpness:.2f}",
        **film_measures(walk),
        "File": f"{walk.bytes / 1e6:.1f} MB" if walk.bytes else "",
    }
    return {name: value for name, value in measurements.items() if value}


def film_measures(walk: Walk) -> dict[str, str]:
    """How many frames show two pictures through each other, and how straight the film's way is."""
    return {
        "Double exposures": "" if walk.ghosting is None else f"{walk.ghosting:.0%} of frames",
        "Directness": "" if walk.directness is None else f"{walk.directness:.2f}",
    }


def show_fact_table(rows: Mapping[str, str], *, key: str) -> None:
    """Show a table with names on the left and values on the right."""
    with st.container(key=f"facts_{key}"):
        for name, value in rows.items():
            st.text(name)
            st.text(value)


def differing_facts(left: Walk, right: Walk) -> list[tuple[str, str, str]]:
    """The facts in which two walks differ, as (name, left value, right value)."""
    one, other = facts(left), facts(right)
    names = [*one, *(name for name in other if name not in one)]
    rows = [(name, one.get(name, "none"), other.get(name, "none")) for name in names]
    return [row for row in rows if row[1] != row[2]]
