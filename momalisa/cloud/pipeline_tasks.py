"""The pipeline's steps, free of Kubeflow: walks to frames, frames to stored films, and a report.

What a walk has come to travels from step to step as an outcome: its "title", then "walk_id", the
folder of its frames, then "film", the key of the stored film; or "reason", why there is none.
"""

import json
import logging
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from momalisa.cloud.frame_transfer import from_figures, from_png, lasting_id
from momalisa.engine.frame_cache import open_frame_cache
from momalisa.errors import MomaLisaError
from momalisa.film.encode import encode_png
from momalisa.models.registry import load
from momalisa.render import make_film, record_key, render_frames
from momalisa.settings import settings
from momalisa.spec import WalkSpec, explain
from momalisa.storage import Storage, open_storage

Outcome = dict[str, str]

FIGURES = "painted.json"

log = logging.getLogger(__name__)


def predict(specs: Sequence[dict[str, Any]], folder: Path, store: str) -> list[Outcome]:
    """Paint walks into a folder each. The failure of one is its outcome, and the others go on.

    A walk whose film by these weights is in the store already is not painted again: the step is
    a cache of its own, which Kubeflow's, blind to the weights and to failures, cannot be.
    """
    easel, storage = _Easel(), open_storage(store)
    return [
        _outcome({"title": _title(spec)}, partial(_painted, spec, easel, folder, storage))
        for spec in specs
    ]


def postprocess(outcomes: Iterable[Outcome], folder: Path, store: str) -> list[Outcome]:
    """Make the films of painted walks and store them; the outcomes, now films or reasons."""
    storage = open_storage(store)
    return [
        outcome
        if "film" in outcome or "reason" in outcome
        else _outcome(outcome, partial(_filmed, folder / outcome["walk_id"], storage))
        for outcome in outcomes
    ]


def report(outcomes: Sequence[Outcome]) -> tuple[str, bool]:
    """A line for each walk, failures last, and whether all have their films."""
    lost = [outcome for outcome in outcomes if "reason" in outcome]
    lines = [f"{outcome['title']}: {outcome['film']}" for outcome in outcomes if "film" in outcome]
    lines += [f"{outcome['title']}: FAILED. {outcome['reason']}" for outcome in lost]
    lines.append(f"{len(outcomes) - len(lost)} films of {len(outcomes)} walks.")
    return "\n".join(lines), not lost


def _outcome(so_far: Outcome, work: Callable[[], Outcome]) -> Outcome:
    """What a walk has come to after some work on it; an error is a reason."""
    try:
        return so_far | work()
    except ValidationError as error:
        reason = " ".join(explain(error).values())
    except MomaLisaError as error:
        reason = str(error)
    except Exception as error:
        log.exception("%s failed", so_far["title"])
        reason = (
            f"Something unforeseen happened ({type(error).__name__}). The step's log says more."
        )
    return {"title": so_far["title"], "reason": reason}


def _title(spec: dict[str, Any]) -> str:
    return " → ".join(str(stop["prompt"]) for stop in spec["stops"])


class _Easel:
    """A frame cache, and the model of the last walk: the next one probably wants the same."""

    def __init__(self) -> None:
        self.cache = open_frame_cache(settings())
        self._device = settings().device
        self._model: tuple[str, Any] | None = None

    def model(self, name: str) -> Any:
        """The model of that name, loaded unless it is the last one."""
        if self._model is None or self._model[0] != name:
            # Let go of the last one first: two may not fit.
            self._model = None
            self._model = name, load(name, self._device)
        return self._model[1]


def _painted(given: dict[str, Any], easel: _Easel, folder: Path, storage: Storage) -> Outcome:
    """Paint a walk into the folder of its id, unless its film is stored."""
    spec = WalkSpec.model_validate(given)
    runner = easel.model(spec.model)
    walk_id = lasting_id(spec, runner.model.digest)
    if storage.exists(record_key(walk_id)):
        record = json.loads(storage.get(record_key(walk_id)))
        return {"walk_id": walk_id, "film": record["result"]["files"]["gif"]}
    painted = render_frames(spec, runner, easel.cache)
    own = folder / walk_id
    own.mkdir(parents=True, exist_ok=True)
    for number, frame in enumerate(painted.frames):
        (own / f"frame-{number:04d}.png").write_bytes(encode_png(frame))
    told = {"spec": spec.model_dump(mode="json"), "made": painted.stats.model_dump()}
    (own / FIGURES).write_text(json.dumps(told))
    easel.cache.trim()
    return {"walk_id": walk_id}


def _filmed(folder: Path, storage: Storage) -> Outcome:
    """Film and store the walk that was painted into a folder, which bears its id."""
    told = json.loads((folder / FIGURES).read_text())
    frames = [from_png(path.read_bytes()) for path in sorted(folder.glob("frame-*.png"))]
    painted = from_figures(told["made"], frames)
    spec = WalkSpec.model_validate(told["spec"])
    kept = make_film(spec, painted, walk_id=folder.name, storage=storage)
    return {"film": kept.result.files["gif"]}
