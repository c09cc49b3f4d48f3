"""`python -m tests.screens.own_picture`: a film that begins with a picture, for the README.

The picture is a canvas of the painter's, taken in as a curator's own one is.
"""

from io import BytesIO
from pathlib import Path

from PIL import Image

from momalisa.atelier.painter import paint_any
from momalisa.film.shown import encode_shown_film
from momalisa.models.registry import find, load
from momalisa.spec import WalkSpec
from momalisa.stop_pictures import take_in_bytes
from tests.bench.walks import render_walk

CANVAS, PROMPT, SEED = 9003, "a stormy sea at night", 8
FILM = Path(__file__).with_name("own-picture.webp")


def main() -> None:
    """Walk from the canvas to the prompt and back, and write the film as the app shows it."""
    data = BytesIO()
    Image.fromarray(paint_any(CANVAS).pixels).save(data, "PNG")
    picture = take_in_bytes(data.getvalue())
    stops = [{"image": {"digest": picture.digest}, "seed": 7}, {"prompt": PROMPT, "seed": SEED}]
    fields = find("atelier").new_walk | {"loop": "boomerang", "pacing": "even"}
    spec = WalkSpec.model_validate(fields | {"stops": stops})
    film = render_walk(load(spec.model), spec, [picture]).frames
    FILM.write_bytes(encode_shown_film(spec, film))


if __name__ == "__main__":
    main()
