"""Measure the peak memory of making a film: `python -m tests.bench.film_memory`.

Synthetic frames are drawn one by one into a frame cache, and a process of its own measures them and
makes the GIF, the MP4, the WebP, or the WebP that is shown. What it needs besides the file must not
grow with their number.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from momalisa.engine.cached_frames import CachedFrames
from momalisa.engine.frame_cache import Frame, FrameCache
from momalisa.settings import CHECKOUT
from tests.bench.command import new_parser, write_figures

MB = 10**6
FPS = 12
DRAWN = 24
"""Frames that are drawn; a longer film repeats them."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Make a film of each number of frames and print what that took."""
    parser = new_parser("film_memory", __doc__)
    parser.add_argument("--frames", nargs="+", type=int, default=[48, 480], metavar="N")
    parser.add_argument("--size", type=int, default=1024, help="pixels of a side (1024)")
    parser.add_argument(
        "--formats", nargs="+", default=["gif"], choices=["gif", "mp4", "shown", "webp"]
    )
    options = parser.parse_args(arguments)
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        draw_frames(FrameCache(Path(folder)), options.size)
        print(f"{'film':>16} {'peak MB':>9} {'of it film':>11} {'seconds':>8}")
        for kind in options.formats:
            for count in options.frames:
                command = [sys.executable, "-m", __spec__.name, "--measure", folder, kind]
                output = subprocess.run(
                    [*command, str(count)], cwd=CHECKOUT, check=True, stdout=subprocess.PIPE
                )
                found = figures[f"{kind}, {count} frames"] = json.loads(output.stdout)
                print(f"{kind:>6}, {count:>8} {found['peak']:9.0f}", end=" ")
                print(f"{found['film']:11.0f} {found['seconds']:8.1f}", flush=True)
    write_figures(figures, options.json)
    return 0


def draw_frames(cache: FrameCache, size: int) -> None:
    """Cache frames of a pattern that moves, with some noise, as a model's pictures have."""
    random_ = np.random.default_rng(0)
    rows, columns = np.mgrid[:size, :size] * (2 * np.pi / size)
    for number in range(DRAWN):
        phases = (2 * rows + number / 20 + shift for shift in range(3))
        waves = np.stack([np.sin(phase) * np.cos(3 * columns) for phase in phases], -1)
        noise = random_.normal(0.0, 4.0, (size, size, 3))
        cache.put(key_of(number), (128 + 90 * waves + noise).clip(0, 255).astype(np.uint8))


def key_of(number: int) -> str:
    """The key of a film's frame."""
    return f"{number % DRAWN:064d}"


def measure(folder: str, kind: str, count: int) -> dict[str, float]:
    """Measure the frames' distances and make a film; returns megabytes and seconds."""
    from momalisa.engine import perception
    from momalisa.film import encode
    from momalisa.film.enlarge import enlarge

    encoders: dict[str, Any] = {
        "gif": encode.encode_gif,
        "mp4": encode.encode_mp4,
        "shown": partial(encode.encode_webp, prepare=enlarge, quality=40),
        "webp": encode.encode_webp,
    }
    frames: Sequence[Frame] = CachedFrames(FrameCache(Path(folder)), [*map(key_of, range(count))])
    began = time.perf_counter()
    perception.step_distances(frames)
    film = encoders[kind](frames, FPS)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    seconds = time.perf_counter() - began
    return {"peak": peak / MB, "film": len(film) / MB, "seconds": seconds}


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(measure(sys.argv[2], sys.argv[3], int(sys.argv[4]))))
    else:
        sys.exit(main())
