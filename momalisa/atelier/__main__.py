"""`python -m momalisa.atelier`: make the model that ships with MOMA Lisa, and judge it."""

import argparse
import json
import logging
import os
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from momalisa.atelier.painter import MANNERS
from momalisa.atelier.recipe import Recipe
from momalisa.models.registry import ATELIER

if TYPE_CHECKING:
    from momalisa.atelier.evaluation.figures import Figure
    from momalisa.atelier.evaluation.sampler import Sampler
    from momalisa.atelier.evaluation.step_counts import StepsRow

STAGES = ("paint", "decoder", "denoiser")
FIGURES = ("autoencoder", "manner", "colour", "count", "place", "walk", "machine")
SECTIONS = (*FIGURES, "steps")
FOLDER = Path("data/atelier")


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
    parser.add_argument("--folder", type=Path, default=FOLDER)
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
    parser.add_argument(
        "--hard", nargs="+", choices=MANNERS, metavar="MANNER", help="manners to show more often"
    )
    parser.set_defaults(run=_train)


def _train(options: argparse.Namespace) -> None:
    import torch

    from momalisa.atelier.train import adopt, train

    device = options.device or ("cuda" if torch.cuda.is_available() else "cpu")
    given = {f.name: getattr(options, f.name, None) for f in fields(Recipe)}
    changes: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in given.items()
        if value is not None
    }
    kept = options.folder / "recipe.json"
    if options.start and not kept.exists():
        adopt(options.start, options.folder)
    recipe = Recipe.load(kept, **changes) if kept.exists() else Recipe(**changes)
    train(
        recipe,
        options.folder,
        device=device,
        processes=options.processes,
        stages=tuple(options.stages),
    )


def _add_evaluate(commands: Any) -> None:
    parser = commands.add_parser(
        "evaluate", help="measure a model beside the painter's canvases, and paint a contact sheet"
    )
    parser.add_argument("--model", default=ATELIER.name, help="a name or a pipeline's folder")
    parser.add_argument(
        "--prompts", type=_prompts, help="a file of prompts for the sheet, one a line"
    )
    parser.add_argument(
        "--section", action="append", choices=SECTIONS, dest="sections", help="default: all"
    )
    parser.add_argument("--count", type=_two_or_more, default=172, help="prompts of a section")
    parser.add_argument("--pairs", type=_two_or_more, default=50, help="walks")
    parser.add_argument("--steps", type=int, default=ATELIER.steps)
    parser.add_argument("--guidance", type=float, default=ATELIER.guidance)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="keeps the connoisseur")
    parser.add_argument("--sheet", type=Path, default=Path("data/contact-sheet.png"))
    parser.add_argument("--json", type=Path, help="the figures, as JSON")
    parser.set_defaults(run=_evaluate)


def _prompts(path: str) -> list[str]:
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise argparse.ArgumentTypeError(f"{path} cannot be read as text: {error}") from error
    prompts = [line.strip() for line in lines if line.strip()]
    if not prompts:
        raise argparse.ArgumentTypeError(f"{path} holds no prompt; write one a line")
    return prompts


def _two_or_more(text: str) -> int:
    if not text.isdecimal() or int(text) < 2:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 2")
    return int(text)


def _evaluate(options: argparse.Namespace) -> None:
    from momalisa.atelier.evaluation.sampler import Sampler
    from momalisa.models.registry import load

    sections = options.sections or SECTIONS
    sampler = Sampler(load(options.model), options.steps, options.guidance)
    _show(options, sampler)
    figures = _figures(options, sampler, [name for name in FIGURES if name in sections])
    rows = _steps(options, sampler) if "steps" in sections else []
    if options.json:
        asked = ("model", "steps", "guidance", "count", "pairs")
        report = {name: getattr(options, name) for name in asked}
        report["digest"] = sampler.runner.model.digest
        report["figures"] = [asdict(figure) | {"held": figure.held} for figure in figures]
        report["samplers"] = [asdict(row) for row in rows]
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(report, indent=2) + "\n")


def _show(options: argparse.Namespace, sampler: "Sampler") -> None:
    from momalisa.atelier.evaluation.contact_sheet import GALLERY, contact_sheet

    prompts = options.prompts or GALLERY
    options.sheet.parent.mkdir(parents=True, exist_ok=True)
    contact_sheet(sampler.paint(prompts), prompts).save(options.sheet)
    print(f"contact sheet: {options.sheet}")


def _figures(
    options: argparse.Namespace, sampler: "Sampler", sections: list[str]
) -> "list[Figure]":
    """Measure, and print each figure as soon as it is known."""
    from momalisa.atelier.evaluation.evaluate import evaluate
    from momalisa.atelier.evaluation.figures import HEAD, line

    figures = []
    if sections:
        print(HEAD)
    measured = evaluate(sampler, sections, options.folder, count=options.count, pairs=options.pairs)
    for figure in measured:
        print(line(figure), flush=True)
        figures.append(figure)
    return figures


def _steps(options: argparse.Namespace, sampler: "Sampler") -> "list[StepsRow]":
    from momalisa.atelier.evaluation.evaluate import connoisseur
    from momalisa.atelier.evaluation.step_counts import compare_steps, steps_table

    rows = compare_steps(sampler, connoisseur(options.folder), max(2, options.count // 4))
    print(steps_table(rows))
    return rows


if __name__ == "__main__":
    main()
