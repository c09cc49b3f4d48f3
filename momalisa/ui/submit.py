"""What the buttons ask for: walks put into the queue, and called off."""

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from db import walks
from db.models import Walk
from db.session import writing
from momalisa.models.digest import digest_of
from momalisa.pacing import PacingName
from momalisa.settings import settings
from momalisa.spec import SEED_LIMIT, WalkSpec
from momalisa.ui import error_display, sign_in


def order(spec: WalkSpec, *, parent: str | None = None, here: bool = False) -> str:
    """The id of the walk that makes this film: one that exists already, or a new one.

    Where there is an endpoint it makes the walk, unless it shall be made `here`. A film by other
    weights than the model has by now is another one; an endpoint's weights are not known here.
    """
    remote = bool(settings().endpoint) and not here
    digest, weights = spec.digest(), "" if remote else digest_of(spec.model)
    with writing(settings().database) as session:
        twin = walks.same_film(session=session, digest=digest, model_digest=weights)
        twin = twin or _in_line(session, digest)
        if twin is not None:
            return twin.id
        return walks.enqueue(
            session=session,
            spec=spec.model_dump(mode="json"),
            digest=digest,
            title=spec.title(),
            frames_total=len(spec.places()),
            maker=maker(),
            parent=parent,
            remote=remote,
        ).id


def _in_line(session: Session, digest: str) -> Walk | None:
    """This visitor's own order of that film: a button pressed twice is meant once."""
    mine = walks.active(session=session, maker=maker())
    return next((w for w in mine if w.digest == digest and not w.cancel_requested), None)


def maker() -> str:
    """Who asks, so that the queue serves all in turn: a curator who signed in, or this session.

    64 characters at most, and nothing from which a person could be told.
    """
    if sign_in.signed_in():
        account = f"{st.user['iss']} {st.user['sub']}"
        return hashlib.sha256(account.encode()).hexdigest()
    session: str = st.session_state.setdefault("maker", secrets.token_hex(8))
    return session


def may_change(walk: Walk) -> bool:
    """Whether this visitor may call the walk off and delete it.

    Everybody may where nobody can sign in; else its maker may, and an admin.
    """
    return not sign_in.offered() or walk.maker == maker() or sign_in.is_admin()


@error_display.beside
def call_off(walk_id: str) -> None:
    """Cancel a walk, if this visitor may: a browser can press buttons that it was not shown."""
    with writing(settings().database) as session:
        walk = walks.get(session=session, walk_id=walk_id)
        if walk is not None and may_change(walk):
            walks.cancel(session=session, walk_id=walk_id)


def order_again(walk: Walk) -> str:
    """The same walk once more, as after a failure."""
    return order(spec_of(walk), parent=walk.parent, here=not walk.remote)


def order_remix(walk: Walk) -> str:
    """The same prompts from new noise."""
    spec = spec_of(walk)
    stops = [{"prompt": stop.prompt, "seed": secrets.randbelow(SEED_LIMIT)} for stop in spec.stops]
    return order(changed(spec, stops=stops), parent=walk.id, here=not walk.remote)


def order_paced(walk: Walk, pacing: PacingName) -> str:
    """The same walk in another pacing; frames that both share are not made again."""
    spec = spec_of(walk)
    strength = spec.strength or WalkSpec.model_fields["strength"].default
    paced = changed(spec, pacing=pacing, strength=strength)
    return order(paced, parent=walk.id, here=not walk.remote)


def other_pacing(walk: Walk) -> PacingName:
    """The pacing to compare a walk with."""
    flat = walk.pacing != "even" and walk.spec.get("strength") == 0
    return "dense-middle" if walk.pacing == "linear" or flat else "linear"


def repeatable(walk: Walk) -> bool:
    """Whether it is known how the film was made; of another program's it is not."""
    return bool(walk.spec)


def spec_of(walk: Walk) -> WalkSpec:
    """The spec of a repeatable walk as a value."""
    return WalkSpec.stored(walk.spec)


def changed(spec: WalkSpec, **changes: Any) -> WalkSpec:
    """The spec with some fields changed, and checked again."""
    fields: Mapping[str, Any] = {**spec.model_dump(), **changes}
    return WalkSpec.model_validate(fields)
