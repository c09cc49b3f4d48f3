"""Submitting walks to the queue and cancelling them, on behalf of the current visitor."""

import hashlib
import json
import secrets
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from db import walks
from db.credits import list_credits
from db.models import Walk
from db.queue_limits import QueueFull, QueueLimits, lock_submissions
from db.session import writing
from momalisa.errors import BadInput, MomaLisaError
from momalisa.models.registry import digest_of, find, find_for_visitor, name_of_weights
from momalisa.pacing import PacingName
from momalisa.settings import settings
from momalisa.spec import SEED_LIMIT, Interpolation, WalkSpec
from momalisa.ui import error_display, history, sign_in
from momalisa.ui.policy import Action
from momalisa.walk_cost import check_cost
from momalisa.worker.live_socket import wake_workers

_ORIGIN_KEY = secrets.token_bytes(32)


def submit_walk(spec: WalkSpec, *, parent: str | None = None, here: bool = False) -> str:
    """Enqueue a walk as `submit_walks` does; returns its id."""
    (walk_id,) = submit_walks([spec], parent=parent, here=here)
    return walk_id


def submit_walks(
    specs: Sequence[WalkSpec], *, parent: str | None = None, here: bool = False
) -> list[str]:
    """Enqueue all walks or none; returns their ids. One whose film exists, or is queued, is reused.

    If an endpoint is configured it renders the walks, unless `here` asks for this machine. A film
    rendered with other weights than the model has now is not reused; the weights of an endpoint
    are unknown, so they are not compared. Raises NotAllowed, and BadInput for a walk that is too
    large, a model that a visitor may not name or that cannot walk so, or when there are too many
    walks in the queue.
    """
    sign_in.require(Action.MAKE)
    remote = bool(settings().endpoint) and not here
    for spec in specs:
        check_cost(spec, settings().largest_walk)
        if not remote:
            find_for_visitor(spec.model)
            _check_model(spec)
    weights = ["" if remote else digest_of(spec.model) for spec in specs]
    try:
        with writing(settings().database) as session:
            lock_submissions(session)
            walk_ids = [
                _enqueue(session, spec, weights=each, parent=parent, remote=remote)
                for spec, each in zip(specs, weights, strict=True)
            ]
    except QueueFull as full:
        raise BadInput(str(full)) from full
    wake_workers(settings())
    return walk_ids


def _check_model(spec: WalkSpec) -> None:
    """Raise BadInput if the walk's model cannot be walked so."""
    card = find(spec.model)
    if refusal := card.refuse_walk(spec):
        raise BadInput(refusal)


def _enqueue(
    session: Session, spec: WalkSpec, *, weights: str, parent: str | None, remote: bool
) -> str:
    """Enqueue a walk, or find it; returns its id. Raises QueueFull."""
    existing = _find_existing(session, spec, weights)
    if existing is not None:
        return existing.id
    return walks.enqueue(
        session=session,
        spec=spec.model_dump(mode="json"),
        digest=spec.digest(),
        title=spec.title(),
        frames_total=len(spec.places()),
        maker=sign_in.maker_id(),
        parent=parent,
        remote=remote,
        origin=_origin(),
        limits=QueueLimits(
            each=settings().walks_each,
            address=settings().walks_address,
            total=settings().walks_total,
        ),
    ).id


def find_walks(specs: Sequence[WalkSpec]) -> list[Walk | None]:
    """For each walk what `submit_walks` would reuse: its film, or the visitor's own that waits."""
    weights = {model: _weights_of(model) for model in {spec.model for spec in specs}}
    with history.reading() as session:
        return [_find_existing(session, spec, weights[spec.model]) for spec in specs]


def _weights_of(model: str) -> str:
    """The digest of a model's weights; "" where they are not known here."""
    if not settings().endpoint:
        with suppress(MomaLisaError):
            return digest_of(model)
    return ""


def _find_existing(session: Session, spec: WalkSpec, weights: str) -> Walk | None:
    """The walk's film, or this visitor's unfinished walk, so that a double click submits once.

    Digests leave credits out, but a film's label is as it was made: that of others is not reused.
    """
    digest, credits = spec.digest(), list_credits(spec.model_dump(mode="json"))
    for film in walks.list_same_films(session=session, digest=digest, model_digest=weights):
        if list_credits(film.spec) == credits:
            return film
    for walk in walks.list_active(session=session, maker=sign_in.maker_id()):
        alike = (walk.digest, list_credits(walk.spec)) == (digest, credits)
        if alike and not walk.cancel_requested:
            return walk
    return None


def _origin() -> str:
    """Stands for the visitor's network address in the limits of the queue; empty if unknown.

    A hash with a key that ends with this process, so that no address can be told from the history.
    """
    address = st.context.ip_address
    if not isinstance(address, str):  # None at this machine's own browser, a mock in AppTest
        return ""
    return hashlib.blake2b(address.encode(), key=_ORIGIN_KEY, digest_size=32).hexdigest()


@error_display.toast_errors
def cancel_walk(walk_id: str) -> None:
    """Cancel a walk, if the visitor may."""
    with writing(settings().database) as session:
        walk = walks.get(session=session, walk_id=walk_id)
        if walk is not None:
            sign_in.require(Action.DELETE, walk)
            walks.cancel(session=session, walk_id=walk_id)


def resubmit(walk: Walk) -> str:
    """Submit the same walk again, for example after a failure; returns the new id."""
    return submit_walk(spec_again(walk), parent=walk.parent, here=not walk.remote)


def submit_remix(walk: Walk) -> str:
    """Submit the walk with new random seeds; returns the new id."""
    spec = spec_again(walk)
    stops = [stop | {"seed": secrets.randbelow(SEED_LIMIT)} for stop in stops_without_seeds(walk)]
    remix = replace_fields(spec, stops=stops)
    return submit_walk(remix, parent=walk.id, here=not walk.remote)


def vary(walk: Walk, **changes: Any) -> WalkSpec:
    """The walk with other settings; a pacing of strength 0 gets the usual strength.

    By another interpolation than attention it has no prompt for the middle.
    """
    spec = spec_again(walk)
    strength = spec.strength or WalkSpec.model_fields["strength"].default
    attends = changes.get("interpolation", spec.interpolation) == "attention"
    middle = spec.middle if attends else ""
    return replace_fields(spec, **{"strength": strength, "middle": middle, **changes})


def submit_varied(walk: Walk, **changes: Any) -> str:
    """Submit the walk with other settings, reusing cached frames; returns the new id."""
    return submit_walk(vary(walk, **changes), parent=walk.id, here=not walk.remote)


def contrasting_interpolation(walk: Walk) -> Interpolation:
    """The interpolation to compare a walk with: attention, if its model can be walked so."""
    spec = spec_of(walk)
    refused = ""
    with suppress(MomaLisaError):
        refused = find(spec.model).refuse("attention")
    best: Interpolation = "predictions" if refused else "attention"
    return "lerp" if spec.interpolation in ("attention", "predictions") else best


def contrasting_pacing(walk: Walk) -> PacingName:
    """The pacing to compare a walk with: linear, or dense-middle if the walk's own is linear.

    A curve of strength 0 is linear too.
    """
    flat = walk.pacing != "even" and walk.spec.get("strength") == 0
    return "dense-middle" if walk.pacing == "linear" or flat else "linear"


def has_spec(walk: Walk) -> bool:
    """Whether the walk's spec is stored; films of other programs have none."""
    return bool(walk.spec)


def spec_of(walk: Walk) -> WalkSpec:
    """The stored spec of a walk for which `has_spec` is true."""
    return _parse_spec(json.dumps(walk.spec))


@lru_cache(maxsize=1024)  # an exhibition needs hundreds, again and again
def _parse_spec(stored: str) -> WalkSpec:
    return WalkSpec.from_stored(json.loads(stored))


def spec_again(walk: Walk) -> WalkSpec:
    """The spec by which a walk is made again, with the weights it was made with, if they are here.

    For walks for which `has_spec` is true.
    """
    return WalkSpec.from_stored(fields_again(walk))


def fields_again(walk: Walk) -> dict[str, Any]:
    """The stored fields by which a walk is made again (see `spec_again`), or none."""
    if not walk.spec.get("model"):
        return walk.spec
    guided = walk.guidance > 1.0
    name = name_of_weights(walk.spec["model"], walk.model_digest, guided=guided)
    return walk.spec | {"model": name}


def stops_without_seeds(walk: Walk) -> list[dict[str, Any]]:
    """The stored stops of a walk, to be walked from other seeds."""
    stops: list[dict[str, Any]] = walk.spec.get("stops", [])
    return [{part: stop[part] for part in stop if part != "seed"} for stop in stops]


def replace_fields(spec: WalkSpec, **changes: Any) -> WalkSpec:
    """A validated copy of the spec with some fields changed."""
    # Stored ones may have prompts that are not taken any more.
    return WalkSpec.from_stored({**spec.model_dump(), **changes})
