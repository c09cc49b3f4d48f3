"""What the buttons ask for: walks put into the queue."""

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

import streamlit as st

from db import walks
from db.models import Walk
from db.session import writing
from momalisa.exports import BEFORE_MODES
from momalisa.pacing import PacingName
from momalisa.settings import settings
from momalisa.spec import SEED_LIMIT, WalkSpec


def order(spec: WalkSpec, *, parent: str | None = None) -> str:
    """The id of the walk that makes this film: one that exists already, or a new one."""
    with writing(settings().database) as session:
        twin = walks.same_film(session=session, digest=spec.digest())
        if twin is not None:
            return twin.id
        return walks.enqueue(
            session=session,
            spec=spec.model_dump(mode="json"),
            digest=spec.digest(),
            title=spec.title(),
            frames_total=len(spec.places()),
            maker=maker(),
            parent=parent,
        ).id


def maker() -> str:
    """Who asks, so that the queue serves all in turn: a curator who signed in, or this session.

    64 characters at most, and nothing from which a person could be told.
    """
    if st.user.get("is_logged_in"):
        account = f"{st.user['iss']} {st.user['sub']}"
        return hashlib.sha256(account.encode()).hexdigest()
    session: str = st.session_state.setdefault("maker", secrets.token_hex(8))
    return session


def order_again(walk: Walk) -> str:
    """The same walk once more, as after a failure."""
    return order(spec_of(walk), parent=walk.parent)


def order_remix(walk: Walk) -> str:
    """The same prompts from new noise."""
    spec = spec_of(walk)
    stops = [{"prompt": stop.prompt, "seed": secrets.randbelow(SEED_LIMIT)} for stop in spec.stops]
    return order(changed(spec, stops=stops), parent=walk.id)


def order_paced(walk: Walk, pacing: PacingName) -> str:
    """The same walk in another pacing; frames that both share are not made again."""
    return order(changed(spec_of(walk), pacing=pacing), parent=walk.id)


def other_pacing(walk: Walk) -> PacingName:
    """The pacing to compare a walk with."""
    return "dense-middle" if walk.pacing == "linear" else "linear"


def repeatable(walk: Walk) -> bool:
    """Whether it is known how the film was made; of another program's it is not."""
    return bool(walk.spec)


def spec_of(walk: Walk) -> WalkSpec:
    """The spec of a repeatable walk as a value."""
    return WalkSpec.model_validate(BEFORE_MODES | walk.spec)


def changed(spec: WalkSpec, **changes: Any) -> WalkSpec:
    """The spec with some fields changed, and checked again."""
    fields: Mapping[str, Any] = {**spec.model_dump(), **changes}
    return WalkSpec.model_validate(fields)
