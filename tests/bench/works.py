"""Walks from and to works of art, and their inverted noise: `python -m tests.bench.works`.

--works DIR names a folder of pictures; --painted N adds so many of the painter's canvases. Films go
from each work to a prompt and to another work, in each way that the engine has. MODEL is a name, or
"tiny-flow": a flow model of a few thousand random weights, for laws that hold for any. It can be
run in parts: with --part and --json, a file's figures of other parts stay.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from statistics import fmean, median
from typing import Any, get_args

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from momalisa.atelier.evaluation.contact_sheet import contact_sheet
from momalisa.atelier.painter import paint_any
from momalisa.engine import perception
from momalisa.engine.frame_cache import Frame, FrameCache
from momalisa.engine.inversion import denoise, invert, make_gaussian, predict_unguided
from momalisa.engine.noise_schedule import NoiseSchedule, read_schedule
from momalisa.engine.picture_legs import PictureSampler
from momalisa.engine.picture_settings import Way
from momalisa.engine.runner import ModelRunner
from momalisa.engine.works import Work, Works
from momalisa.models.registry import find, load
from momalisa.spec import WalkSpec
from momalisa.stop import StopImage
from momalisa.stop_pictures import StopPicture, take_in, take_in_bytes
from tests.bench.command import describe_load, new_parser, print_table, write_figures
from tests.bench.walks import PROMPTS, pairs, render_walk, walk_between
from tests.support.families import FAMILIES, write

WAYS: tuple[Way, ...] = get_args(Way)
PARTS = ("films", "reconstruction", "noise")
SHOWN = 12
"""Frames of a film on the contact sheet."""
TINY_FLOW = "tiny-flow"


@dataclass(frozen=True)
class Bench:
    """A loaded model, the works, and how films are made."""

    runner: ModelRunner
    fields: dict[str, Any]
    """Of all specs."""
    cache: FrameCache
    works: list[StopPicture]
    """Those of the folder, then the painter's."""
    found: int
    """How many are of the folder."""

    @property
    def size(self) -> int:
        return int(self.fields["size"])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure films, reconstruction and noise, and print a table of each."""
    parser = new_parser("works", __doc__)
    parser.add_argument("--works", type=Path, metavar="DIR", help="a folder of pictures")
    parser.add_argument("--painted", type=int, default=0, help="canvases of the painter (0)")
    parser.add_argument("--model", default="atelier", help=f"a name, or {TINY_FLOW}")
    parser.add_argument("--device", default="")
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--way", action="append", choices=WAYS, help="default: all three")
    parser.add_argument("--sheet", type=Path, metavar="FILE", help="a contact sheet, as a picture")
    parser.add_argument("--part", action="append", choices=PARTS, help="default: all three")
    options = parser.parse_args(arguments)
    found = list(_read(options.works))
    works = [*found, *map(_paint, range(options.painted))]
    if not works:
        parser.error("name a folder with --works, or ask for canvases with --painted")
    known = options.json and options.json.exists() and options.part
    figures = json.loads(options.json.read_text()) if known else {}
    with tempfile.TemporaryDirectory() as folder:
        bench = _open(options, works, len(found), Path(folder))
        before = describe_load()
        measure: dict[str, Callable[[], dict[str, Any]]] = {
            "films": lambda: _measure_films(bench, options.way or WAYS, options.sheet),
            "reconstruction": lambda: _measure_reconstruction(bench),
            "noise": lambda: _measure_noise(bench),
        }
        for part in options.part or PARTS:
            figures[part] = measure[part]()
    print(f"{options.model}, {len(works)} works; {before} before, {describe_load()} after")
    write_figures(figures, options.json)


def _read(folder: Path | None) -> Iterator[StopPicture]:
    for path in sorted(folder.iterdir()) if folder else ():
        if path.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp"):
            yield take_in(path)


def _paint(seed: int) -> StopPicture:
    data = BytesIO()
    Image.fromarray(paint_any(9000 + seed).pixels).save(data, "PNG")
    return take_in_bytes(data.getvalue())


def _open(options: argparse.Namespace, works: list[StopPicture], found: int, folder: Path) -> Bench:
    name, fields = options.model, {"frames": options.frames}
    if name == TINY_FLOW:
        name = str(write(FAMILIES["sd3"], folder / "model"))
        fields |= {"size": 64, "steps": 6}
    cache = FrameCache(folder / "cache")
    for work in works:
        cache.put_file(work.digest, work.data)
    runner = load(name, options.device)
    runner.trace()
    return Bench(runner, find(name).new_walk | fields, cache, works, found)


def _measure_films(bench: Bench, ways: Sequence[Way], sheet: Path | None) -> dict[str, Any]:
    """Films of each way; then walks between prompts, to compare with. Prints a table."""
    rows: dict[str, dict[str, float]] = {}
    shown: list[tuple[str, list[Frame]]] = []
    for way in ways:
        for kind in ("to a prompt", "to a work"):
            films = list(_make_films(bench, way, to_work=kind == "to a work"))
            rows[f"{way}, {kind}"] = _summarize([_judge(*film) for film in films])
            shown += [(f"{way}, {kind}", frames) for _, frames, _ in films[:6]]
    plain = [
        render_walk(bench.runner, walk_between(p, **bench.fields)) for p in pairs(len(bench.works))
    ]
    rows["between prompts"] = _summarize(
        [
            _judge_change(run.frames) | _judge_sharpness(run.frames) | _judge_shown(run.frames)
            for run in plain
        ]
    )
    names = list(next(iter(rows.values())))
    print_table(["films", *names], [[name, *map(row.get, names)] for name, row in rows.items()])
    if sheet:
        _draw(shown, sheet)
    return rows


def _make_films(
    bench: Bench, way: Way, *, to_work: bool
) -> Iterator[tuple[PictureSampler, list[Frame], list[Frame]]]:
    """Each film's sampler, its frames, and the frames without what the autoencoder loses."""
    for number, work in enumerate(tqdm(bench.works, desc=f"{way}", disable=None)):
        other = bench.works[(number + 1) % len(bench.works)]
        stops: list[dict[str, Any]] = [{"image": {"digest": work.digest}, "seed": 7}]
        prompt = {"prompt": PROMPTS[number % len(PROMPTS)][1], "seed": 8}
        stops.append({"image": {"digest": other.digest}, "seed": 8} if to_work else prompt)
        if to_work and other == work:
            return
        spec = WalkSpec.model_validate(bench.fields | {"stops": stops})
        sampler = PictureSampler(spec, bench.runner, bench.cache, way)
        places = spec.places()
        latents, _ = sampler.sample(places)
        copies = bench.runner.decode(latents)
        yield sampler, sampler.finish(places, copies), copies


def _judge(sampler: PictureSampler, frames: list[Frame], copies: list[Frame]) -> dict[str, float]:
    stop = sampler.spec.stops[0]
    assert stop.image is not None
    work = sampler.works.work(stop.image).picture
    steps = perception.step_distances(frames)
    return {
        "first frame, median level": float(np.median(np.abs(frames[0].astype(int) - work))),
        "first step / mean": steps[0] / fmean(steps),
        **_judge_change(frames),
        **_judge_sharpness(copies),
        **_judge_shown(frames),
    }


def _judge_change(frames: list[Frame]) -> dict[str, float]:
    steps = perception.step_distances(frames)
    return {
        "largest step / mean": perception.unevenness(steps),
        "double exposures": perception.ghosting(frames),
        "directness": perception.directness(steps, perception.distance(frames[0], frames[-1])),
    }


def _judge_sharpness(frames: list[Frame]) -> dict[str, float]:
    """Of the softest frame and of all between the ends, beside the line from end to end."""
    return {
        "sharpness": perception.relative_sharpness(frames),
        "mean sharpness": _mean_sharpness(frames),
    }


def _mean_sharpness(frames: Sequence[Frame]) -> float:
    values = np.array([perception.sharpness(frame) for frame in frames])
    return float((values / np.linspace(values[0], values[-1], len(values)))[1:-1].mean())


def _judge_shown(frames: Sequence[Frame]) -> dict[str, float]:
    """Sharpness with the works themselves as ends, and as it is, beside no ends at all."""
    return {
        "sharpness, shown": perception.relative_sharpness(frames),
        "itself, mean": fmean(perception.sharpness(frame) for frame in frames[1:-1]),
    }


def _summarize(figures: Sequence[dict[str, float]]) -> dict[str, float]:
    """Medians; of double exposures the mean, and besides the largest first step."""
    found = {}
    for name in figures[0]:
        values = [one[name] for one in figures]
        found[name] = fmean(values) if name == "double exposures" else median(values)
        if name == "first step / mean":
            found["the largest of all"] = max(values)
    return found


def _known(bench: Bench, steps: int) -> tuple[NoiseSchedule, Works]:
    """The schedule of a run of that many steps, and the works of which that is the schedule."""
    model, size = bench.runner.model, (bench.size, bench.size)
    like = torch.zeros_like(model.noise(0, *size))[None].to(bench.runner.device)
    schedule = read_schedule(model.sampler(steps, *size), like)
    return schedule, Works(bench.runner, bench.cache, size, schedule)


def _measure_reconstruction(bench: Bench) -> dict[str, Any]:
    """How near inverted noise leads back to what the autoencoder gives; prints a table."""
    rows: dict[str, dict[str, float]] = {}
    own = int(bench.fields["steps"])
    for steps, iterations in ((own, 1), (own, 4), (own, 12), (4 * own, 1), (4 * own, 4)):
        all_works = [_reconstruct(bench, work, steps, iterations) for work in bench.works]
        kinds = {"of the folder": all_works[: bench.found], "painted": all_works[bench.found :]}
        for kind, some in kinds.items():
            if some:
                name = f"{steps} steps, {iterations} iterations, {len(some)} {kind}"
                rows[name] = {key: fmean(one[key] for one in some) for key in some[0]}
    names = list(next(iter(rows.values())))
    print_table(["reconstruction", *names], [[n, *r.values()] for n, r in rows.items()])
    return rows


def _invert(
    bench: Bench, picture: StopPicture, steps: int, iterations: int
) -> tuple[Tensor, NoiseSchedule, Any, Work]:
    schedule, works = _known(bench, steps)
    work = works.work(StopImage(digest=picture.digest))
    text = bench.runner.encode([""], bench.size, bench.size)
    predict = predict_unguided(bench.runner, text, schedule)
    noise, _ = invert(work.latents[None], schedule, predict, iterations)
    return noise, schedule, predict, work


def _reconstruct(
    bench: Bench, picture: StopPicture, steps: int, iterations: int
) -> dict[str, float]:
    began = time.perf_counter()
    noise, schedule, predict, work = _invert(bench, picture, steps, iterations)
    seconds = time.perf_counter() - began
    level = schedule.steps[0]
    frames = []
    for begun in (noise, make_gaussian(noise)):
        back = denoise(begun * level.noise * schedule.deviation, level, schedule, predict)
        frames += bench.runner.decode(back.to(bench.runner.device, bench.runner.model.dtype))
    found, treated = frames
    return {
        "PSNR, dB": _psnr(found, work.copy),
        "distance": perception.distance(found, work.copy),
        "treated: PSNR, dB": _psnr(treated, work.copy),
        "distance, treated": perception.distance(treated, work.copy),
        "predictions": float(steps * iterations),
        "seconds": seconds,
    }


def _psnr(one: Frame, other: Frame) -> float:
    error = float(np.mean(np.square(one.astype(float) - other)))
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def _measure_noise(bench: Bench) -> dict[str, Any]:
    """How Gaussian inverted noise is; prints a table."""
    raw = [_invert(bench, work, int(bench.fields["steps"]), 4)[0] for work in bench.works]
    gaussian = [torch.randn(one.shape, generator=torch.Generator().manual_seed(1)) for one in raw]
    kinds = {"inverted": raw, "treated": [make_gaussian(one) for one in raw], "drawn": gaussian}
    rows = {}
    for name, noises in kinds.items():
        some = [_describe(noise) for noise in noises]
        rows[name] = {key: fmean(one[key] for one in some) for key in some[0]}
        rows[name]["largest of a work"] = max(one["autocorrelation"] for one in some)
    print_table(["noise", *next(iter(rows.values()))], [[n, *r.values()] for n, r in rows.items()])
    return rows


def _describe(noise: Tensor) -> dict[str, float]:
    centred = noise - noise.mean((2, 3), keepdim=True)
    beside = (centred[..., 1:] * centred[..., :-1]).mean()
    below = (centred[..., 1:, :] * centred[..., :-1, :]).mean()
    return {
        "mean, largest of a channel": float(noise.mean((2, 3)).abs().max()),
        "deviation": float(noise.std()),
        "norm / expected": float(noise.norm()) / noise.numel() ** 0.5,
        "autocorrelation": float(max(abs(beside), abs(below)) / centred.square().mean()),
    }


def _draw(films: Sequence[tuple[str, list[Frame]]], file: Path) -> None:
    pictures, captions = [], []
    for name, frames in films:
        for place in np.linspace(0, len(frames) - 1, SHOWN).round().astype(int):
            pictures.append(frames[place])
            captions.append(f"{name}, {place + 1}")
    contact_sheet(pictures, captions, columns=SHOWN).save(file)


if __name__ == "__main__":
    main()
