"""Walks from a picture in a home with tiny random weights: queued, rendered and stored."""

from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from db.models import State, StopPicture, Walk
from db.session import writing
from momalisa import render, stop_pictures
from momalisa.engine.frame_cache import open_frame_cache
from momalisa.engine.runner import ModelRunner
from momalisa.settings import Settings
from momalisa.spec import WalkSpec
from momalisa.stop_pictures import StopPicture as Picture
from tests.support.stub_worker import stub_worker
from tests.support.walks import enqueue_walk, read_walk

CREDIT = {"artist": "Claude Monet", "title": "Water Lilies", "licence": "CC0"}


def png(seed: int) -> bytes:
    pixels, file = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), np.uint8), BytesIO()
    Image.fromarray(pixels).resize((128, 96), Image.Resampling.BICUBIC).save(file, "PNG")
    return file.getvalue()


def fields_of(picture: Picture, **changes: Any) -> dict[str, Any]:
    image = {"digest": picture.digest, "credit": CREDIT}
    stops = [{"image": image, "prompt": "", "seed": 7}, {"prompt": "a sea", "seed": 8}]
    return {"stops": stops, "frames": 3, "steps": 2, "size": 64, **changes}


def enqueue(settings: Settings, picture: Picture, **changes: Any) -> Walk:
    fields = fields_of(picture, **changes)
    digest = WalkSpec.from_stored(fields).digest()
    return enqueue_walk(settings.database, **fields, digest=digest, frames_total=3)


def run_worker(settings: Settings, tiny: ModelRunner) -> None:
    how = {"render_still": render.render_still, "render_live": render.render_live}
    stub_worker(settings, load=lambda *_: tiny, render=render.render, **how).run(once=True)


def make_film(settings: Settings, picture: Picture, tiny: ModelRunner) -> Walk:
    stop_pictures.keep(picture, settings.database)
    walk = enqueue(settings, picture)
    run_worker(settings, tiny)
    made = read_walk(settings.database, walk)
    assert (made.state, made.error) == (State.DONE, "")
    return made


def forget(settings: Settings, picture: Picture) -> None:
    """Take a picture out of the history and of the frame cache."""
    with writing(settings.database) as session:
        session.delete(session.get_one(StopPicture, picture.digest))
    open_frame_cache(settings).path(picture.digest).with_suffix(".webp").unlink()
