"""A walk's frames, one after another, coarse to fine."""

from collections.abc import Generator, Iterator

from momalisa.engine.frame_cache import FrameCache, frame_key
from momalisa.engine.latents import WalkLatents
from momalisa.engine.planner import EvenLeg, FramePlanner, FrameTask, measure_change
from momalisa.engine.renderer import FrameRenderer, WalkFrame
from momalisa.engine.runner import ModelRunner
from momalisa.spec import Place, WalkSpec


def frames(
    spec: WalkSpec, runner: ModelRunner, cache: FrameCache, *, batch: int = 0
) -> Generator[WalkFrame, None, None]:
    """Every distinct frame of a walk, coarse to fine; those in the cache are not made again.

    Stops come first, then a preview of what lies between them, made of image latents alone; each
    of its frames is replaced later. `batch` frames are sampled at once (0 = what suits the
    device). When memory runs out the batch is halved and nothing is lost. Raises OutOfMemory if
    not even one frame fits, BadInput for a size the model cannot paint.
    """
    runner.model.check(spec.size, spec.size)
    planner = FramePlanner(spec, runner.model.digest, cache, measure_change(cache))
    renderer = FrameRenderer(WalkLatents(spec, runner), cache, batch)
    ends, more = planner.stops[:2], planner.stops[2:]
    keys: dict[int, str] = {}
    for visits in (ends, more):
        tasks = [planner.task(visit, keys) for visit in visits]
        yield from renderer.render(tasks)
        keys |= _keys(tasks)
    yield from renderer.render(planner.previews(planner.between))
    if spec.pacing == "even":
        for leg in range(len(spec.legs)):
            yield from _evenly(EvenLeg(planner, leg), renderer)
        return
    for visits in planner.rounds(planner.between):
        tasks = [planner.task(visit, keys) for visit in visits]
        yield from renderer.render(tasks)
        keys |= _keys(tasks)


def still(spec: WalkSpec, place: Place, runner: ModelRunner, cache: FrameCache) -> WalkFrame:
    """The frame that the model samples at any place of a walk. Raises as `frames` does."""
    runner.model.check(spec.size, spec.size)
    task = FrameTask(0, frame_key(spec, place, runner.model.digest), place, "painted")
    (made,) = FrameRenderer(WalkLatents(spec, runner), cache, 1).render([task])
    return made


def _evenly(leg: EvenLeg, renderer: FrameRenderer) -> Iterator[WalkFrame]:
    """A leg's frames at equal change: a survey first, which is shown meanwhile."""
    while tasks := leg.next_to_survey():
        yield from renderer.render(tasks)
        leg = leg.with_surveyed(tasks)
    while tasks := leg.next_to_measure():
        yield from renderer.render(tasks)
        leg = leg.with_measured(tasks)
    yield from renderer.render(leg.frames())


def _keys(tasks: list[FrameTask]) -> dict[int, str]:
    return {task.index: task.key for task in tasks}
