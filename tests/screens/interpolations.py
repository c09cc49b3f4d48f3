"""`python -m tests.screens.interpolations`: the strips by which Create shows the interpolations.

The shipped model walks from one prompt to another by each of them; eight frames are written into a
row, with gaps that show the wall behind. The same files are the README's.
"""

from PIL import Image

from momalisa.engine.frame_cache import Frame
from momalisa.models.registry import find, load
from momalisa.ui.http.media import EXAMPLE
from momalisa.ui.interpolations import ALL, PAIR
from tests.bench.walks import render_walk, walk_between

FRAMES, SHOWN = 22, 8
SIDE, GAP = 96, 4
"""Pixels of a frame's side and of the gap beside it."""
SEED = 100


def main() -> None:
    """Walk the pair by each interpolation, and write its strip."""
    runner, fields = load("atelier"), find("atelier").new_walk
    for name in ALL:
        way = {"frames": FRAMES, "interpolation": name}
        spec = walk_between((*PAIR, SEED), **fields | way)
        film = render_walk(runner, spec).frames
        shown = [film[round(n * (FRAMES - 1) / (SHOWN - 1))] for n in range(SHOWN)]
        strip(shown).save(EXAMPLE / f"{name}.webp", quality=82, method=6)


def strip(frames: list[Frame]) -> Image.Image:
    """The frames in a row, with transparent gaps."""
    row = Image.new("RGBA", (len(frames) * SIDE, SIDE))
    inner = SIDE - GAP
    for column, frame in enumerate(frames):
        small = Image.fromarray(frame).resize((inner, inner), Image.Resampling.LANCZOS)
        row.paste(small, (column * SIDE + GAP // 2, GAP // 2))
    return row


if __name__ == "__main__":
    main()
