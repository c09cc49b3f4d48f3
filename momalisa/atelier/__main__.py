"""`python -m momalisa.atelier`: train, distil and evaluate the model that ships here."""

import argparse
import json
import logging
import os
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from momalisa.atelier.painter import MANNERS
from momalisa.atelier.recipe import Recipe
from momalisa.models.cards import ATELIER

if TYPE_CHECKING:
    from momalisa.atelier.evaluation.metrics import Metric
    from momalisa.atelier.evaluation.picture_generator import PictureGenerator
    from momalisa.atelier.evaluation.step_counts import StepCountResult

log = logging.getLogger(__name__)

STAGES = ("paint", "decoder", "denoiser")
METRIC_SECTIONS = (
    *("autoencoder", "manner", "colour", "count", "place", "walk", "even-walk"),
    "speed-and-size",
)
SECTIONS = (*METRIC_SECTIONS, "steps")
FOLDER = Path("data/atelier")


def main() -> None:
    """Parse the command line and run its command."""
    parser = argparse.ArgumentParser(prog="python -m momalisa.atelier", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_train(commands)
    _add_distil(commands)
    _add_evaluate(commands)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    options.run(options)


def _add_train(commands: Any) -> None:
    parser = commands.add_parser(
        "train", help="paint canvases and train the model from scratch, or resume its training"
    )
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument(
        "--start", type=Path, help="start a new folder from this pipeline's weights and recipe"
    )
    parser.add_argument("--stage", action="append", choices=STAGES, default=[], dest="stages")
    parser.add_argument("--device", default="", help="cuda or cpu; default: cuda if available")
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

    from momalisa.atelier.train import start_from_pipeline, train

    device = options.device or ("cuda" if torch.cuda.is_available() else "cpu")
    values = {f.name: getattr(options, f.name, None) for f in fields(Recipe)}
    changes: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in values.items()
        if value is not None
    }
    path = options.folder / "recipe.json"
    if options.start and not path.exists():
        start_from_pipeline(options.start, options.folder)
    recipe = Recipe.load(path, **changes) if path.exists() else Recipe(**changes)
    train(
        recipe,
        options.folder,
        device=device,
        processes=options.processes,
        stages=tuple(options.stages),
    )


def _add_distil(commands: Any) -> None:
    parser = commands.add_parser(
        "distil",
        help="train a student that needs few steps and no guidance, or resume it",
    )
    parser.add_argument("--model", type=Path, required=True, help="the teacher's pipeline")
    parser.add_argument("--folder", type=Path, default=FOLDER / "few-steps")
    parser.add_argument("--device", default="", help="cuda or cpu; default: cuda if available")
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--chains", type=int, default=256, help="trajectories at the same time")
    parser.add_argument("--learning-rate", type=float, default=3e-4)
    parser.set_defaults(run=_distil)


def _distil(options: argparse.Namespace) -> None:
    import torch

    from momalisa.atelier.distillation import DistillationRecipe
    from momalisa.atelier.distillation_training import distil

    device = options.device or ("cuda" if torch.cuda.is_available() else "cpu")
    recipe = DistillationRecipe(
        samples=options.samples,
        batch=options.batch,
        chains=options.chains,
        learning_rate=options.learning_rate,
    )
    distil(options.model, options.folder, recipe, device=device)


def _add_evaluate(commands: Any) -> None:
    parser = commands.add_parser(
        "evaluate",
        help="measure models against the painter's canvases, and paint a contact sheet of each",
    )
    parser.add_argument(
        *("--model", "-m"),
        action="append",
        dest="models",
        metavar="MODEL",
        help=f"a name or a pipeline's folder; repeat it to compare models ({ATELIER.name})",
    )
    parser.add_argument(
        "--prompts", type=_prompts, help="a file of prompts for the sheet, one per line"
    )
    parser.add_argument(
        "--section", action="append", choices=SECTIONS, dest="sections", help="default: all"
    )
    parser.add_argument("--count", type=_two_or_more, default=172, help="prompts per section")
    parser.add_argument("--pairs", type=_two_or_more, default=50, help="number of walks")
    parser.add_argument(
        "--steps", type=int, nargs="+", default=[], help="one or more; default: the model's own"
    )
    parser.add_argument("--guidance", type=float, help="default: the model's own")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="for the cached classifier")
    parser.add_argument(
        "--sheet",
        type=Path,
        default=Path("data/contact-sheet.png"),
        help="of several settings each has its number after the name",
    )
    parser.add_argument("--json", type=Path, help="a file for the metrics, as a list in JSON")
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
    from momalisa.atelier.evaluation.metrics import format_metrics
    from momalisa.atelier.evaluation.picture_generator import PictureGenerator
    from momalisa.models.registry import find, load

    columns: dict[str, list[Metric]] = {}
    reports = []
    sections = options.sections or SECTIONS
    settings = [
        (model, steps)
        for model in options.models or [ATELIER.name]
        for steps in options.steps or [find(model).steps]
    ]
    for number, (model, steps) in enumerate(settings, 1):
        guidance = find(model).guidance if options.guidance is None else options.guidance
        generator = PictureGenerator(load(model), steps, guidance)
        sheet = options.sheet if len(settings) == 1 else _numbered(options.sheet, number)
        _paint_contact_sheet(options.prompts, sheet, generator)
        name = f"{model}, {steps} steps"
        columns[name] = _measure(options, generator, name, sections)
        results = _compare_steps(options, generator) if "steps" in sections else []
        reports.append(_report(options, generator, model, columns[name], results))
        if options.json:  # after each setting: the next may take an hour
            options.json.parent.mkdir(parents=True, exist_ok=True)
            options.json.write_text(json.dumps(reports, indent=2) + "\n")
    print(format_metrics(columns))


def _numbered(path: Path, number: int) -> Path:
    return path.with_stem(f"{path.stem}-{number}")


def _paint_contact_sheet(
    given: list[str] | None, sheet: Path, generator: "PictureGenerator"
) -> None:
    from momalisa.atelier.evaluation.contact_sheet import PROMPTS, contact_sheet

    prompts = given or PROMPTS
    sheet.parent.mkdir(parents=True, exist_ok=True)
    contact_sheet(generator.generate(prompts), prompts).save(sheet)
    log.info("contact sheet: %s", sheet)


def _measure(
    options: argparse.Namespace, generator: "PictureGenerator", name: str, sections: Sequence[str]
) -> "list[Metric]":
    """Measure the sections, and log each metric as soon as it is measured."""
    from momalisa.atelier.evaluation.evaluate import evaluate
    from momalisa.atelier.evaluation.metrics import format_value

    metrics = []
    chosen = [section for section in METRIC_SECTIONS if section in sections]
    for metric in evaluate(
        generator, chosen, options.folder, count=options.count, pairs=options.pairs
    ):
        log.info("%s: %s %s", name, metric.name, format_value(metric))
        metrics.append(metric)
    return metrics


def _report(
    options: argparse.Namespace,
    generator: "PictureGenerator",
    model: str,
    metrics: "list[Metric]",
    results: "list[StepCountResult]",
) -> dict[str, Any]:
    """What one setting was and what was measured, for JSON."""
    return {
        "model": model,
        "steps": generator.steps,
        "guidance": generator.guidance,
        "count": options.count,
        "pairs": options.pairs,
        "digest": generator.runner.model.digest,
        "figures": [asdict(metric) | {"held": metric.passed} for metric in metrics],
        "samplers": [asdict(result) for result in results],
    }


def _compare_steps(
    options: argparse.Namespace, generator: "PictureGenerator"
) -> "list[StepCountResult]":
    from momalisa.atelier.evaluation.evaluate import load_classifier
    from momalisa.atelier.evaluation.step_counts import compare_steps, format_results

    results = compare_steps(generator, load_classifier(options.folder), max(2, options.count // 4))
    print(format_results(results))
    return results


if __name__ == "__main__":
    main()
