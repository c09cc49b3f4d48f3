"""`python -m tests.screens.walks`: twelve walks of the shipped model, each as a row of frames.

The pairs of prompts are those of the benchmarks; the frames are spread evenly, as painted.
"""

from pathlib import Path

from PIL import Image

from momalisa.models.registry import find, load
from tests.bench.walks import pairs, render_walk, walk_between
from tests.screens.interpolations import FRAMES, SHOWN, strip

WALKS = 12
WHITE = (255, 255, 255)


def main() -> None:
    """Walk the pairs, and write one picture of all rows into the model's folder."""
    runner, card = load("atelier"), find("atelier")
    rows = []
    for pair in pairs(WALKS):
        spec = walk_between(pair, **card.new_walk, frames=FRAMES, pacing="even")
        film = render_walk(runner, spec).frames
        rows.append(strip([film[round(n * (FRAMES - 1) / (SHOWN - 1))] for n in range(SHOWN)]))
    width, height = rows[0].size
    sheet = Image.new("RGB", (width, height * WALKS), WHITE)
    for number, row in enumerate(rows):
        sheet.paste(row, (0, number * height), row)
    sheet.save(Path(card.source, "walks.webp"), quality=80, method=6)


if __name__ == "__main__":
    main()
