"""`python -m tests.screens.example`: paints the example film by its walk.json.

It ships with the app, on Home and in an empty Gallery, and is the README's first picture.
"""

from momalisa.film.shown import encode_shown_film
from momalisa.models.registry import load
from momalisa.render import encode_film
from momalisa.spec import WalkSpec
from momalisa.ui.http.media import EXAMPLE
from tests.bench.walks import render_walk


def main() -> None:
    """Paint the film, and write it as a finished walk's are."""
    spec = WalkSpec.model_validate_json((EXAMPLE / "walk.json").read_text())
    frames = render_walk(load(spec.model), spec).frames
    (EXAMPLE / "film.webp").write_bytes(encode_shown_film(spec, frames))
    (EXAMPLE / "film.gif").write_bytes(encode_film(spec, frames))


if __name__ == "__main__":
    main()
