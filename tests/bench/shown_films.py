"""Measure the WebP that is played against the GIF: `python -m tests.bench.shown_films`.

Walks of 24 frames at 256 pixels are made with a model; then bytes, likeness to the frames as made
(PSNR, after shrinking), and seconds of each film, the fewest of some runs. With --canvases, what
enlarging brings: canvases are painted at 512 pixels, coded by the model at 256, and enlarged.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageSequence

from momalisa.engine.frame_cache import Frame, FrameCache
from momalisa.engine.runner import ModelRunner
from momalisa.film.enlarge import enlarge
from momalisa.film.shown import encode_shown_film, encode_shown_poster
from momalisa.models.registry import find, load
from momalisa.render import encode_film, render_frames
from momalisa.spec import WalkSpec
from tests.bench.command import describe_load, new_parser, print_table, write_figures

PAIRS = (
    ("a red square on white", "a stormy sea at night"),
    ("a cubist portrait", "a fauvist landscape with trees"),
    ("concentric circles, black and white", "water lilies"),
    ("a boat on a lake at sunset", "drips of paint"),
)
RUNS = 3
CANVASES = range(9_000_000, 9_000_032)
"""Seeds of canvases that no model was trained on."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables."""
    parser = new_parser("shown_films", __doc__)
    parser.add_argument("--model", default="atelier")
    parser.add_argument("--loop", default="once", choices=["once", "boomerang"])
    parser.add_argument("--canvases", action="store_true", help="measure enlarging as well")
    options = parser.parse_args(arguments)
    print(describe_load())
    runner = load(options.model, "cpu")
    figures: dict[str, Any] = {"films": measure_films(runner, options.model, options.loop)}
    if options.canvases:
        figures["enlarging"] = measure_enlarging(runner)
    write_figures(figures, options.json)
    return 0


def measure_films(runner: ModelRunner, model: str, loop: str) -> list[dict[str, float]]:
    """Make the walks, and measure their films; the last row is the mean."""
    with tempfile.TemporaryDirectory() as folder:
        cache, rows = FrameCache(Path(folder)), []
        for number, prompts in enumerate(PAIRS):
            stops = [{"prompt": text, "seed": 7 + number + n} for n, text in enumerate(prompts)]
            fields = find(model).new_walk | {"stops": stops, "frames": 24, "size": 256}
            spec = WalkSpec.model_validate(fields | {"loop": loop})
            rows.append(measure_film(spec, render_frames(spec, runner, cache).frames))
    mean = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    print_table(list(mean), [list(row.values()) for row in (*rows, mean)])
    return [*rows, mean]


def measure_film(spec: WalkSpec, frames: Sequence[Frame]) -> dict[str, float]:
    """Measure the GIF and the WebP of a walk's frames, read from the cache as in a worker."""
    gif, gif_seconds, gif_work = _time(lambda: encode_film(spec, frames))
    webp, webp_seconds, webp_work = _time(lambda: encode_shown_film(spec, frames))
    order = spec.film_order()
    made = [frames[index] for index in order]
    shown = [_shrink(enlarge(frame), 256) for frame in made]
    return {
        "GIF, kB": len(gif) / 1e3,
        "WebP, kB": len(webp) / 1e3,
        "share": len(webp) / len(gif),
        "poster, kB": len(encode_shown_poster(spec, frames)) / 1e3,
        "GIF, dB": _mean_psnr(_decode(gif), made),
        "WebP, dB": _mean_psnr([_shrink(p, 256) for p in _decode(webp)], shown),
        "GIF, s": gif_seconds,
        "GIF, CPU s": gif_work,
        "WebP, s": webp_seconds,
        "WebP, CPU s": webp_work,
    }


def measure_enlarging(runner: ModelRunner) -> dict[str, dict[str, float]]:
    """Compare enlarged pictures with canvases that were painted at their size."""
    found: dict[str, list[tuple[float, ...]]] = {"linear": [], "enlarged": []}
    for seed in CANVASES:
        truth, decoded = _paint_and_code(seed, runner)
        small = Image.fromarray(decoded)
        linear = np.asarray(small.resize((512, 512), Image.Resampling.BILINEAR))
        for name, picture in (("linear", linear), ("enlarged", enlarge(decoded))):
            found[name].append((_psnr(picture, truth), _edge_share(picture, truth)))
    means = {
        name: {"dB": float(np.mean(values, 0)[0]), "edges": float(np.mean(values, 0)[1])}
        for name, values in found.items()
    }
    print_table(["", "dB", "gradient at edges"], [[n, *m.values()] for n, m in means.items()])
    return means


def _paint_and_code(seed: int, runner: ModelRunner) -> tuple[Frame, Frame]:
    """A canvas at 512 pixels, and the same at 256 pixels through the model's autoencoder."""
    import torch

    from momalisa.atelier.painter import paint_any

    truth = np.asarray(paint_any(seed, 512).pixels)
    small = _shrink(truth, 256).round().astype(np.float32)
    pixels = torch.from_numpy(small).permute(2, 0, 1)[None] / 127.5 - 1
    autoencoder: Any = runner.model.pipeline.vae  # type: ignore[attr-defined]
    with torch.no_grad():
        decoded = autoencoder.decode(autoencoder.encode(pixels).latents).sample[0]
    frame = ((decoded.permute(1, 2, 0).numpy() + 1) * 127.5).round().clip(0, 255)
    return truth, frame.astype(np.uint8)


def _edge_share(picture: Frame, truth: Frame) -> float:
    """The gradient at the steepest tenth of the truth's places, as a share of the truth's."""
    gradient = _gradient(truth)
    edges = gradient > np.quantile(gradient, 0.9)
    return float(_gradient(picture)[edges].mean() / gradient[edges].mean())


def _gradient(picture: Frame) -> NDArray[np.float64]:
    rows, columns = np.gradient(picture.astype(float).mean(-1))
    length: NDArray[np.float64] = np.hypot(rows, columns)
    return length


def _time(make: Callable[[], bytes]) -> tuple[bytes, float, float]:
    """What is made, and the fewest seconds of a run: by the clock, and of all cores together."""
    seconds, work = [], []
    for _ in range(RUNS):
        began, worked = time.perf_counter(), time.process_time()
        made = make()
        seconds.append(time.perf_counter() - began)
        work.append(time.process_time() - worked)
    return made, min(seconds), min(work)


def _decode(film: bytes) -> list[Frame]:
    with Image.open(BytesIO(film)) as image:
        return [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(image)]


def _shrink(picture: Frame, side: int) -> NDArray[Any]:
    return np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.BOX))


def _mean_psnr(pictures: Sequence[NDArray[Any]], others: Sequence[NDArray[Any]]) -> float:
    return float(np.mean([_psnr(a, b) for a, b in zip(pictures, others, strict=True)]))


def _psnr(one: NDArray[Any], other: NDArray[Any]) -> float:
    return float(10 * np.log10(255**2 / np.square(one.astype(float) - other).mean()))


if __name__ == "__main__":
    sys.exit(main())
