"""A walk's frames, one after another, coarse to fine."""

from collections.abc import Generator, Iterator, Sequence

from momalisa.engine.attention_legs import AttentionSampler
from momalisa.engine.frame_cache import FrameCache, frame_key
from momalisa.engine.frame_changes import FrameChanges
from momalisa.engine.latents import LatentSampler
from momalisa.engine.picture_legs import PictureSampler
from momalisa.engine.planner import EvenLeg, FramePlanner, FrameTask
from momalisa.engine.renderer import FrameRenderer, WalkFrame
from momalisa.engine.runner import ModelRunner
from momalisa.engine.shortcuts import fit_to_checkpoint
from momalisa.errors import BadInput
from momalisa.spec import Place, WalkSpec

FEW_BATCHES = 4
"""Batches of a quick model that need no previews: all take a second or two."""


def frames(
    spec: WalkSpec, runner: ModelRunner, cache: FrameCache, *, batch: int = 0
) -> Generator[WalkFrame, None, None]:
    """Yield every distinct frame of a walk, coarse to fine; cached frames are not made again.

    Stops come first, then previews of frames between them, decoded from the stops' latents; each
    is replaced later. A short walk of a quick model has none. `batch` frames are sampled at once
    (0: as many as suit the device). When memory runs out the batch is halved and nothing is lost.
    Raises OutOfMemory if not even one frame fits, BadInput for a size or an interpolation that the
    model is not capable of.
    """
    _check(spec, runner)
    spec = fit_to_checkpoint(spec, distilled=runner.distilled)
    runner.use_loras(spec.loras)
    planner = FramePlanner(spec, runner.model.digest, cache, FrameChanges(cache))
    renderer = FrameRenderer(_sampler(spec, runner, cache), cache, batch)
    ends, more = planner.stops[:2], planner.stops[2:]
    keys: dict[int, str] = {}
    for visits in (ends, more):
        tasks = [planner.task(visit, keys) for visit in visits]
        yield from renderer.render(tasks)
        keys |= _keys(tasks)
    if not runner.is_quick or len(planner.between) > FEW_BATCHES * renderer.batch:
        yield from renderer.render(planner.previews(planner.between))
    if spec.pacing == "even":
        for leg in range(len(spec.legs)):
            yield from _evenly(EvenLeg(planner, leg, renderer.probed(leg)), renderer)
        return
    for visits in planner.rounds(planner.between):
        tasks = [planner.task(visit, keys) for visit in visits]
        yield from renderer.render(tasks)
        keys |= _keys(tasks)


def stills(
    spec: WalkSpec,
    places: Sequence[Place],
    runner: ModelRunner,
    cache: FrameCache,
    *,
    rough: bool = False,
) -> list[WalkFrame]:
    """The frames that the model samples at any places of a walk, as one batch.

    With `rough` those that are not cached are decoded roughly, if the model has a decoder for that,
    and are not cached either: they are of use for a moment. Raises BadInput for a place outside the
    walk, and what `frames` raises.
    """
    if not all(0 <= place.leg < len(spec.legs) and 0.0 <= place.t <= 1.0 for place in places):
        raise BadInput("That picture is not on this walk. Please choose a place between two stops.")
    _check(spec, runner)
    spec = fit_to_checkpoint(spec, distilled=runner.distilled)
    keys = [frame_key(spec, place, runner.model.digest) for place in places]
    rough = rough and runner.rough_decoder is not None
    tasks = [
        FrameTask(number, key, place, "painted", rough=rough)
        for number, (key, place) in enumerate(zip(keys, places, strict=True))
    ]
    made = FrameRenderer(_sampler(spec, runner, cache), cache, len(tasks)).render(tasks)
    return sorted(made, key=lambda frame: frame.index)


def _sampler(spec: WalkSpec, runner: ModelRunner, cache: FrameCache) -> LatentSampler:
    if any(stop.image for stop in spec.stops):
        return PictureSampler(spec, runner, cache)
    return AttentionSampler(spec, runner)


def _evenly(leg: EvenLeg, renderer: FrameRenderer) -> Iterator[WalkFrame]:
    """Yield the pictures of a leg's survey, then its frames at equal change."""
    while tasks := leg.next_to_survey():
        yield from renderer.render(tasks)
        leg = leg.with_surveyed(tasks)
    while tasks := leg.next_to_measure():
        yield from renderer.render(tasks)
        leg = leg.with_measured(tasks)
    yield from renderer.render(leg.frames())


def _check(spec: WalkSpec, runner: ModelRunner) -> None:
    runner.model.check(spec.width, spec.height)
    if spec.interpolation == "attention" and not runner.model.attends:
        raise BadInput(
            f"{runner.model.name} cannot attend to both pictures. "
            "Please choose another interpolation, such as predictions."
        )


def _keys(tasks: list[FrameTask]) -> dict[int, str]:
    return {task.index: task.key for task in tasks}
