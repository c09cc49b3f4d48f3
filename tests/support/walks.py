"""Specs of small walks, and the queue's calls as a test makes them."""

import os
import random
from typing import Any

from sqlalchemy.orm import Session

from db import queue, walks
from db.models import Walk
from db.session import reading, writing
from momalisa.spec import WalkSpec

SPEC: dict[str, Any] = {
    "stops": [{"prompt": "a red square", "seed": 7}, {"prompt": "a stormy sea", "seed": 7}],
    "model": "atelier",
    "pacing": "linear",
    "interpolation": "lerp",
    "frames": 24,
    "steps": 16,
    "guidance": 4.0,
    "size": 256,
}
"""A spec as the database stores it."""

_NOUNS = ("square", "circle", "sea", "star", "moon", "stripe", "desert", "wave", "tower", "bird")
_COLOURS = ("red", "blue", "ochre", "teal", "black", "white", "crimson", "umber", "ivory", "amber")


def walk_spec(*prompts: str, **fields: Any) -> WalkSpec:
    """Build a spec whose stops have the seeds 7, 8, ...; other fields keep WalkSpec's defaults."""
    prompts = prompts or ("a red square", "a stormy sea")
    stops = [{"prompt": prompt, "seed": 7 + number} for number, prompt in enumerate(prompts)]
    return WalkSpec.model_validate({"stops": stops} | fields)


def random_spec(random_: random.Random) -> dict[str, Any]:
    """Build a spec as the database stores it; one in a thousand has the model "rare"."""
    words = zip(random_.sample(_COLOURS, 2), random_.sample(_NOUNS, 2), strict=True)
    prompts = [f"a {colour} {noun} at night" for colour, noun in words]
    return SPEC | {
        "stops": [{"prompt": prompt, "seed": random_.randrange(2**31)} for prompt in prompts],
        "model": random_.choices(["atelier", "sd15", "rare"], [90, 9.9, 0.1])[0],
        "pacing": random_.choice(["linear", "ease", "dense-middle"]),
    }


def enqueue_walk(database: str, *prompts: str, **fields: Any) -> Walk:
    """Put a walk into the queue; see `enqueue_walk_in`."""
    with writing(database) as session:
        return enqueue_walk_in(session, *prompts, **fields)


def enqueue_walk_in(session: Session, *prompts: str, **fields: Any) -> Walk:
    """Put a walk into the queue within a transaction.

    Fields that `walks.enqueue` takes are passed on; the others are the spec's.
    """
    names = ("title", "digest", "frames_total", "maker", "parent", "remote", "origin", "limits")
    options = {name: fields.pop(name) for name in names if name in fields}
    spec = walk_spec(*prompts, **fields)
    defaults: dict[str, Any] = {
        "title": spec.title(),
        "digest": spec.digest(),
        "frames_total": len(spec.places()),
    }
    return walks.enqueue(session=session, spec=spec.model_dump(mode="json"), **defaults | options)


def read_walk(database: str, walk: Walk) -> Walk:
    """Read a walk's row again; raises NoResultFound if it is gone."""
    with reading(database) as session:
        return session.get_one(Walk, walk.id)


def claim_walk(database: str, lease_seconds: float = 60) -> Walk | None:
    """Claim the next walk of the queue for this process."""
    with writing(database) as session:
        return queue.claim(session=session, owner=str(os.getpid()), lease_seconds=lease_seconds)


def lease_of(walk: Walk) -> dict[str, Any]:
    """The arguments that prove a claim to the queue's functions."""
    return {"walk_id": walk.id, "owner": walk.owner, "attempt": walk.attempt}


def finish_walk(database: str, walk: Walk) -> bool:
    """Mark a claimed walk as done; False if its lease is lost."""
    result = {"files": {"gif": f"{walk.id}.gif"}, "evenness": 0.5}
    with writing(database) as session:
        return queue.finish(session=session, **lease_of(walk), result=result)
