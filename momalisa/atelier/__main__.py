"""`python -m momalisa.atelier`: make the model that ships with MOMA Lisa, and judge it."""

import argparse
import logging
import os
from dataclasses import fields
from pathlib import Path
from typing import Any

from momalisa.atelier.recipe import Recipe

STAGES = ("paint", "decoder", "denoiser")


def main() -> None:
    """Parse the command line and run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m momalisa.atelier", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_train(commands)
    _add_evaluate(commands)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    options.run(options)


def _add_train(commands: Any) -> None:
    parser = commands.add_parser(
        "train", help="paint canvases and train the model from nothing, or from where it stopped"
    )
    parser.add_argument("--folder", type=Path, default=Path("data/atelier"))
    parser.add_argument(
        "--start", type=Path, help="begin a new folder with this pipeline's weights and recipe"
    )
    parser.add_argument("--stage", action="append", choices=STAGES, default=[], dest="stages")
    parser.add_argument("--device", default="", help="cuda or cpu; default: the best there is")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    for field in fields(Recipe):
        if isinstance(field.default, int | float):
            option = "--" + field.name.replace("_", "-")
            parser.add_argument(option, type=type(field.default), default=None)
    parser.set_defaults(run=_train)


def _train(options: argparse.Namespace) -> None:
    import torch

    from momalisa.atelier.train import adopt, train

    device = options.device or ("cuda" if torch.cuda.is_available() else "cpu")
    given = {f.name: getattr(options, f.name, None) for f in fields(Recipe)}
    changes = {name: value for name, value in given.items() if value is not None}
    if options.start and not options.folder.exists():
        adopt(options.start, options.folder)
    kept = options.folder / "recipe.json"
    recipe = Recipe.load(kept, **changes) if kept.exists() else Recipe(**changes)
    train(
        recipe,
        options.folder,
        device=device,
        processes=options.processes,
        stages=tuple(options.stages),
    )


def _add_evaluate(commands: Any) -> None:
    parser = commands.add_parser("evaluate", help="measure a model, and paint a contact sheet")
    parser.add_argument("--model", default="atelier", help="a name or a pipeline's folder")
    parser.add_argument("--prompts", type=Path, help="a file of prompts for the sheet, one a line")
    parser.add_argument("--count", type=int, default=96, help="prompts that name colours")
    parser.add_argument("--steps", type=int, default=16)
    parser.add_argument("--guidance", type=float, default=4.0)
    parser.add_argument("--sheet", type=Path, default=Path("data/contact-sheet.png"))
    parser.add_argument("--json", type=Path, help="the figures, as JSON")
    parser.set_defaults(run=_evaluate)


def _evaluate(options: argparse.Namespace) -> None:
    from momalisa.atelier import evaluate as judge
    from momalisa.models.registry import load

    model = load(options.model)
    choice = {"steps": options.steps, "guidance": options.guidance}
    lines = options.prompts.read_text().splitlines() if options.prompts else judge.GALLERY
    prompts = [line.strip() for line in lines if line.strip()]
    options.sheet.parent.mkdir(parents=True, exist_ok=True)
    shown = judge.pictures(model, prompts, **choice)
    judge.contact_sheet(shown, prompts).save(options.sheet)
    if options.count:
        report = judge.evaluate(model, count=options.count, **choice)
        print(judge.table(report))
        if options.json:
            judge.write(report, options.json)
    print(f"contact sheet: {options.sheet}")


if __name__ == "__main__":
    main()
