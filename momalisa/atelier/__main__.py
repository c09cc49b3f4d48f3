"""`python -m momalisa.atelier`: make the model that ships with MOMA Lisa, and judge it."""

import argparse
import logging
import os
from dataclasses import fields
from pathlib import Path

from momalisa.atelier.recipe import Recipe

STAGES = ("paint", "decoder", "denoiser")


def main() -> None:
    """Parse the command line and run the stage that was asked for."""
    parser = argparse.ArgumentParser(prog="python -m momalisa.atelier", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    training = commands.add_parser(
        "train", help="paint canvases and train the model from nothing, or from where it stopped"
    )
    training.add_argument("--folder", type=Path, default=Path("data/atelier"))
    training.add_argument("--stage", action="append", choices=STAGES, default=[], dest="stages")
    training.add_argument("--device", default="", help="cuda or cpu; default: the best there is")
    training.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    for field in fields(Recipe):
        if isinstance(field.default, int | float):
            option = "--" + field.name.replace("_", "-")
            training.add_argument(option, type=type(field.default), default=None)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")

    import torch

    from momalisa.atelier.train import train

    device = options.device or ("cuda" if torch.cuda.is_available() else "cpu")
    given = {f.name: getattr(options, f.name, None) for f in fields(Recipe)}
    changes = {name: value for name, value in given.items() if value is not None}
    kept = options.folder / "recipe.json"
    recipe = Recipe.load(kept, **changes) if kept.exists() else Recipe(**changes)
    train(
        recipe,
        options.folder,
        device=device,
        processes=options.processes,
        stages=tuple(options.stages),
    )


if __name__ == "__main__":
    main()
