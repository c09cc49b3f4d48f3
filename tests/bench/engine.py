"""What a walk costs, and what shortcuts cost: `python -m tests.bench.engine`.

Every way of making a walk is run on the same pairs of prompts, in turn, so that a busy machine is
as busy for one as for the other; medians over the rounds stand in the table, times as a share of
the plain loop's (diffusers' own pipeline, frame after frame). Errors are against exact mode, on
the same pair. Memory is that of a process of its own. On a GPU a pipeline of the shape of Stable
Diffusion 1.5 with random weights is timed too.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean, median
from typing import Any, cast

# The plain loop as it runs best: threads that spin while they wait. The engine's have none to wait
# for.
os.environ.setdefault("OMP_WAIT_POLICY", "ACTIVE")

import numpy as np
import torch

from momalisa.engine import perception
from momalisa.engine.frame_cache import Frame, FrameCache
from momalisa.engine.interpolation import lerp, slerp
from momalisa.engine.runner import ModelRunner
from momalisa.models.registry import load
from momalisa.models.unet_pipeline import UNetPipeline
from momalisa.render import render_frames
from momalisa.spec import SHORTCUTS, WalkSpec

PROMPTS = (
    ("a red square on white", "a stormy sea at night"),
    ("black and white stripes", "colour field painting in orange and maroon"),
    ("a portrait of a woman on blue", "a forest in autumn"),
    ("concentric circles in red, cream and black", "a skyline at night"),
    ("a green cat on pink", "mountains in the snow"),
    ("op art, a black and white bulge", "a vase of flowers on yellow"),
    ("a blue mask on orange", "a desert at dusk"),
    ("paper cut-outs, blue leaves", "a boat on a calm sea"),
    ("three yellow circles on blue", "a pop art heart"),
    ("bauhaus circles on cream", "a starry night over a village"),
)
MEMORY_FRAMES = (16, 128)

Film = list[Frame]


@dataclass(frozen=True)
class Run:
    """One walk, made in one way."""

    frames: Film
    seconds: float
    samples: float
    preview: float | None = None
    first: float | None = None


@dataclass(frozen=True)
class Row:
    """The medians of a way over all rounds; seconds in plain pictures."""

    way: str
    samples: float
    seconds: float
    preview: float | None
    first: float | None
    error: float
    psnr: float
    evenness: float
    spread: float
    variation: float
    sharpness: float


def main() -> None:
    """Measure, print tables, and write the figures if a file is named."""
    options = _options()
    model = load(options.model)
    print(f"{model.model.name} on {model.device}, {torch.get_num_threads()} threads")
    figures: dict[str, Any] = {}
    rounds = pairs(options.rounds)
    figures["ways"] = _shown(compare(model, rounds, options.frames, options.steps))
    if options.even:
        figures["even"] = even(model, pairs(options.even), options.frames, options.steps)
        _print(figures["even"])
    if options.memory:
        figures["peak MB"] = {n: memory(options.model, n) for n in MEMORY_FRAMES}
        _print(figures["peak MB"])
    if model.device.type == "cuda":
        figures["like SD 1.5"] = _shown(compare(_like_sd15(), rounds[:3], 16, options.steps))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.engine", description=__doc__)
    parser.add_argument("--model", default="atelier")
    parser.add_argument("--rounds", type=int, default=3, help="pairs of prompts, one a round")
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--even", type=int, default=20, help="pairs for even pacing; 0 for none")
    parser.add_argument("--memory", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def pairs(count: int) -> list[tuple[str, str, int]]:
    """Pairs of prompts, each with a seed of its own."""
    return [(*PROMPTS[n % len(PROMPTS)], 100 + 2 * n) for n in range(count)]


def spec(pair: tuple[str, str, int], **changes: Any) -> WalkSpec:
    """The walk between a pair."""
    start, end, seed = pair
    stops = [{"prompt": start, "seed": seed}, {"prompt": end, "seed": seed + 1}]
    return WalkSpec.model_validate({"stops": stops} | changes)


def compare(
    model: ModelRunner, rounds: Sequence[tuple[str, str, int]], frames: int, steps: int
) -> list[Row]:
    """Every way on every pair, in turn."""
    common = {"frames": frames, "steps": steps, "size": _size(model)}
    ways = _ways(model, common)
    runs: dict[str, list[Run]] = {name: [] for name in ways}
    first, seed = rounds[0][:2], rounds[0][2]
    ways["plain loop"]((*first, seed), 2)
    for pair in rounds:
        for name, way in ways.items():
            runs[name].append(way(pair, frames))
    return [_row(name, runs) for name in ways]


def _ways(
    model: ModelRunner, common: dict[str, Any]
) -> dict[str, Callable[[tuple[str, str, int], int], Run]]:
    def engine(**changes: Any) -> Callable[[tuple[str, str, int], int], Run]:
        return lambda pair, _frames: _engine(model, spec(pair, **(common | changes)))

    def plain(pair: tuple[str, str, int], frames: int) -> Run:
        return _plain(model, spec(pair, **common, mode="exact"), frames)

    only = {name: [other for other in SHORTCUTS if other != name] for name in SHORTCUTS}
    return {
        "plain loop": plain,
        "exact": engine(mode="exact"),
        "fast": engine(mode="fast"),
        **{f"only {name}": engine(mode="fast", without=rest) for name, rest in only.items()},
        "fast with trunk": engine(mode="fast", without=[]),
        "exact, even": engine(mode="exact", pacing="even"),
        "fast, even": engine(mode="fast", pacing="even"),
    }


def _size(model: ModelRunner) -> int:
    return int(_pipeline(model).unet.config.sample_size) * model.model.latent_factor


def _pipeline(runner: ModelRunner) -> Any:
    """The diffusers pipeline behind a model."""
    return cast(UNetPipeline, runner.model).pipeline


def _engine(model: ModelRunner, walk: WalkSpec) -> Run:
    """A walk by the engine, from an empty cache."""
    began = time.perf_counter()
    seen: dict[str, float] = {}

    def note(progress: Any) -> None:
        for name, there in (("first", progress.ready), ("preview", progress.previews)):
            if there:
                seen.setdefault(name, time.perf_counter() - began)

    with tempfile.TemporaryDirectory() as folder:
        frames, stats = render_frames(walk, model, FrameCache(Path(folder)), on_progress=note)
        film = list(frames)
    samples = stats.unet_samples / len(film)
    return Run(film, stats.seconds / len(film), samples, seen.get("preview"), seen["first"])


def _plain(model: ModelRunner, walk: WalkSpec, frames: int) -> Run:
    """The loop that everybody writes first: the pipeline, called for each frame."""
    pipeline, adapter, size = _pipeline(model), model.model, (walk.size, walk.size)
    pipeline.set_progress_bar_config(disable=True)
    start, end = walk.stops
    noises = [adapter.noise(stop.seed, *size) for stop in (start, end)]
    began, film = time.perf_counter(), []
    for place in walk.places()[:frames]:
        t = torch.tensor([place.t], dtype=torch.float64)
        here, there = adapter.encode([start.prompt, end.prompt], *size).tokens
        words, latents = lerp(here, there, t), slerp(noises[0], noises[1], t)
        picture = pipeline(
            prompt_embeds=words.to(model.device, adapter.dtype),
            negative_prompt_embeds=adapter.encode([walk.negative], *size).tokens.to(
                model.device, adapter.dtype
            ),
            latents=latents.to(model.device, adapter.dtype),
            num_inference_steps=walk.steps,
            guidance_scale=walk.guidance,
            output_type="np",
        ).images[0]
        film.append((picture * 255).round().astype(np.uint8))
    seconds = (time.perf_counter() - began) / len(film)
    return Run(film, seconds, 2.0 * walk.steps, None, seconds)


def _row(name: str, runs: dict[str, list[Run]]) -> Row:
    plain, exact = runs["plain loop"], runs["exact"]
    mine = runs[name]
    both = list(zip(mine, plain, strict=True))
    changes = [perception.step_distances(run.frames) for run in mine]
    return Row(
        way=name,
        samples=median(run.samples for run in mine),
        seconds=median(run.seconds / other.seconds for run, other in both),
        preview=_median([run.preview and run.preview / p.seconds for run, p in both]),
        first=_median([run.first and run.first / p.seconds for run, p in both]),
        error=median(_error(run, other) for run, other in zip(mine, exact, strict=True)),
        psnr=median(_psnr(run, other) for run, other in zip(mine, exact, strict=True)),
        evenness=median(perception.evenness(steps) for steps in changes),
        spread=median(max(steps) / mean(steps) for steps in changes),
        variation=median(float(np.std(steps) / np.mean(steps)) for steps in changes),
        sharpness=median(_sharp(run) / _sharp(o) for run, o in zip(mine, exact, strict=True)),
    )


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _error(run: Run, exact: Run) -> float:
    """The mean distance to exact mode's frames, in distances between its neighbours."""
    apart = [perception.distance(a, b) for a, b in zip(run.frames, exact.frames, strict=True)]
    return mean(apart) / mean(perception.step_distances(exact.frames))


def _psnr(run: Run, exact: Run) -> float:
    """Decibels over the whole film; 99 when equal."""
    one, other = (np.stack(r.frames).astype(np.float64) for r in (run, exact))
    square = float(((one - other) ** 2).mean())
    return 99.0 if square == 0.0 else 10.0 * float(np.log10(255.0**2 / square))


def _sharp(run: Run) -> float:
    return mean(perception.sharpness(frame) for frame in run.frames)


def even(
    model: ModelRunner, over: Sequence[tuple[str, str, int]], frames: int, steps: int
) -> dict[str, float]:
    """Even pacing against linear in fast mode: medians over pairs."""
    common = {"frames": frames, "steps": steps, "size": _size(model), "mode": "fast"}
    both = [
        [_engine(model, spec(pair, **common, pacing=pacing)) for pacing in ("linear", "even")]
        for pair in over
    ]
    found: dict[str, float] = {"pairs": len(over)}
    for number, name in enumerate(("linear", "even")):
        changes = [perception.step_distances(runs[number].frames) for runs in both]
        found[f"{name}: max/mean"] = median(max(steps) / mean(steps) for steps in changes)
        found[f"{name}: variation"] = median(float(np.std(s) / np.mean(s)) for s in changes)
        found[f"{name}: evenness"] = median(perception.evenness(steps) for steps in changes)
        found[f"{name}: sharpness"] = median(
            perception.relative_sharpness(runs[number].frames) for runs in both
        )
    found["samples, even to linear"] = median(b.samples / a.samples for a, b in both)
    found["sharpness, even to linear"] = median(_sharp(b) / _sharp(a) for a, b in both)
    return found


def memory(model: str, frames: int) -> float:
    """Peak memory in MB of a process that makes a walk of so many frames."""
    measured = "print(peak(sys.argv[1], int(sys.argv[2])))"
    code = f"import sys; from tests.bench.engine import peak; {measured}"
    answer = subprocess.run(
        [sys.executable, "-c", code, model, str(frames)],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(answer.stdout.split()[-1])


def peak(name: str, frames: int) -> float:
    """Peak memory in MB of this process, after a walk in few steps and its film."""
    from momalisa.render import encode_film

    model = load(name)
    walk = spec(pairs(1)[0], frames=frames, steps=2, size=_size(model))
    with tempfile.TemporaryDirectory() as folder:
        encode_film(walk, render_frames(walk, model, FrameCache(Path(folder))).frames)
    if model.device.type == "cuda":
        return torch.cuda.max_memory_allocated() / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def _like_sd15() -> ModelRunner:
    """A pipeline of the shape of Stable Diffusion 1.5, its weights random."""
    from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline
    from diffusers import UNet2DConditionModel as UNet
    from transformers import CLIPTextConfig, CLIPTextModel

    words = _pipeline(load("atelier")).tokenizer
    config = CLIPTextConfig(
        vocab_size=len(words),
        hidden_size=768,
        intermediate_size=3072,
        num_hidden_layers=12,
        num_attention_heads=12,
        max_position_embeddings=words.model_max_length,
        bos_token_id=words.bos_token_id,
        eos_token_id=words.eos_token_id,
        pad_token_id=words.pad_token_id,
    )
    widths = (128, 256, 512, 512)
    pipeline = StableDiffusionPipeline(
        unet=UNet(sample_size=64, cross_attention_dim=768),
        vae=AutoencoderKL(
            block_out_channels=widths,
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            layers_per_block=2,
            sample_size=512,
        ),
        text_encoder=CLIPTextModel(config),
        tokenizer=words,
        scheduler=DDIMScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    with tempfile.TemporaryDirectory() as folder:
        pipeline.save_pretrained(folder)
        return load(folder)


def _shown(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The rows as they go into a file, after they were printed."""
    print("way | samples | seconds | preview | first | error | PSNR | ", end="")
    print("evenness | max/mean | variation | sharpness")
    for row in rows:
        values = list(asdict(row).values())
        cells = ["" if v is None else v if isinstance(v, str) else f"{v:.2f}" for v in values]
        print(" | ".join(cells))
    return [asdict(row) for row in rows]


def _print(figures: dict[Any, float]) -> None:
    for name, value in figures.items():
        print(f"{name}: {value:.3g}")


if __name__ == "__main__":
    main()
