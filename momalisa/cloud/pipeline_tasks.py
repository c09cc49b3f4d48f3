"""The pipeline's tasks, without Kubeflow: render frames, encode and store films, report.

Tasks pass an outcome for each walk: a dict of its "title", its "walk_id" (which names the folder
of its frames), "film" (the key of the stored film), or "reason" (the error message).
"""

import json
import logging
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from momalisa.cloud.frame_transfer import content_id, decode_png, from_stats
from momalisa.engine.frame_cache import FrameCache, open_frame_cache
from momalisa.errors import MomaLisaError
from momalisa.film.encode import encode_png
from momalisa.models.holder import ModelHolder
from momalisa.models.registry import load
from momalisa.render import make_film, record_key, render_frames
from momalisa.settings import settings
from momalisa.spec import WalkSpec, explain
from momalisa.storage import Storage, open_storage

if TYPE_CHECKING:
    from momalisa.engine.runner import ModelRunner

Outcome = dict[str, str]

RENDERED_FILE = "painted.json"
"""The spec and the statistics of a walk, beside its frames."""

log = logging.getLogger(__name__)


def predict(specs: Sequence[dict[str, Any]], folder: Path, store: str) -> list[Outcome]:
    """Render walks into a folder each; an error ends only its walk, whose outcome has the reason.

    Walks whose films are stored already, made with the same weights, are skipped.
    """
    models, cache = ModelHolder(load, settings().device), open_frame_cache(settings())
    storage = open_storage(store)
    return [
        _run({"title": _title(spec)}, partial(_render_walk, spec, models, cache, folder, storage))
        for spec in specs
    ]


def postprocess(outcomes: Iterable[Outcome], folder: Path, store: str) -> list[Outcome]:
    """Encode and store the films of rendered walks; returns their outcomes."""
    storage = open_storage(store)
    return [
        outcome
        if "film" in outcome or "reason" in outcome
        else _run(outcome, partial(_store_film, folder / outcome["walk_id"], storage))
        for outcome in outcomes
    ]


def report(outcomes: Sequence[Outcome]) -> tuple[str, bool]:
    """A text with a line for each walk, failures last, and whether all walks have films."""
    failed = [outcome for outcome in outcomes if "reason" in outcome]
    lines = [f"{outcome['title']}: {outcome['film']}" for outcome in outcomes if "film" in outcome]
    lines += [f"{outcome['title']}: FAILED. {outcome['reason']}" for outcome in failed]
    lines.append(f"{len(outcomes) - len(failed)} films of {len(outcomes)} walks.")
    return "\n".join(lines), not failed


def _run(outcome: Outcome, work: Callable[[], Outcome]) -> Outcome:
    """Run a task on a walk; returns its outcome with the result, or with the error as reason."""
    try:
        return outcome | work()
    except ValidationError as error:
        reason = " ".join(explain(error).values())
    except MomaLisaError as error:
        reason = str(error)
    except Exception as error:
        log.exception("%s failed", outcome["title"])
        reason = (
            f"Something unforeseen happened ({type(error).__name__}). The step's log says more."
        )
    return {"title": outcome["title"], "reason": reason}


def _title(spec: dict[str, Any]) -> str:
    return " → ".join(str(stop["prompt"]) for stop in spec["stops"])


def _render_walk(
    fields: dict[str, Any],
    models: "ModelHolder[ModelRunner]",
    cache: FrameCache,
    folder: Path,
    storage: Storage,
) -> Outcome:
    """Render a walk's frames to a folder named by its id, unless its film is stored."""
    spec = WalkSpec.model_validate(fields)
    runner = models.get(spec.model)
    walk_id = content_id(spec, runner.model.digest)
    if storage.exists(record_key(walk_id)):
        record = json.loads(storage.get(record_key(walk_id)))
        return {"walk_id": walk_id, "film": record["result"]["files"]["gif"]}
    rendered = render_frames(spec, runner, cache)
    walk_folder = folder / walk_id
    walk_folder.mkdir(parents=True, exist_ok=True)
    for number, frame in enumerate(rendered.frames):
        (walk_folder / f"frame-{number:04d}.png").write_bytes(encode_png(frame))
    record = {"spec": spec.model_dump(mode="json"), "made": rendered.stats.model_dump()}
    (walk_folder / RENDERED_FILE).write_text(json.dumps(record))
    cache.trim()
    return {"walk_id": walk_id}


def _store_film(folder: Path, storage: Storage) -> Outcome:
    """Encode and store the film of a rendered walk; the folder's name is the walk's id."""
    record = json.loads((folder / RENDERED_FILE).read_text())
    frames = [decode_png(path.read_bytes()) for path in sorted(folder.glob("frame-*.png"))]
    rendered = from_stats(record["made"], frames)
    spec = WalkSpec.model_validate(record["spec"])
    film = make_film(spec, rendered, walk_id=folder.name, storage=storage)
    return {"film": film.result.files["gif"]}
