"""Every interpolation in every pacing on the same pairs: `python -m tests.bench.morphs`.

With --pairs DIR, the pairs are those of prompts in DIR's text files, one a line: "a red square on
white | a stormy sea at night", with a third prompt if attention is to take one for the middle; and
of pictures in DIR and its folders, two by two in the order of their names. Without, they are the
benchmarks' own. An interpolation or a pacing that is added to `momalisa.spec` or `momalisa.pacing`
is measured as well. Medians over the pairs, double exposures and certainties as means; a second
table has the costs in those of lerp; --sheet FILE shows a few frames of each walk.

With --classifier DIR, a folder of `momalisa.atelier evaluate`, `certainty` is how certain its
classifier is of one manner at the middle third of an Atelier's frames, and `certainty halfway` at
the frames in the middle third of the way, by the distance that the steps are measured by: a walk
that leaps over the middle shows one of its ends in most of its frames. `certainty of cut` is what a
film would have at its middle third that shows nothing but its two ends. A third table says on how
many pairs that is more than by lerp. With --lpips and --inception, two TorchScript files that
StyleGAN's metrics load, there are LPIPS, PPL and FID as papers count them.
"""

import argparse
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import fmean, median
from typing import Any, get_args

from tqdm import tqdm

from momalisa.atelier.evaluation.classifier import Classifier
from momalisa.atelier.evaluation.contact_sheet import contact_sheet
from momalisa.atelier.evaluation.evaluate import load_classifier
from momalisa.engine import perception
from momalisa.engine.runner import ModelRunner
from momalisa.errors import BadInput
from momalisa.models.registry import find, load
from momalisa.pacing import PACINGS, PacingName
from momalisa.spec import Interpolation, WalkSpec
from tests.bench.certainty import (
    compare,
    mean_halfway,
    mean_in_middle,
    mean_of_cut,
    measure_certainties,
)
from tests.bench.command import describe_load, new_parser, print_table, write_figures
from tests.bench.morph_pairs import MorphPair, read_pairs
from tests.bench.paper_measures import Networks
from tests.bench.walks import Run, render_walk

INTERPOLATIONS: tuple[Interpolation, ...] = get_args(Interpolation)
SHOWN = 8
"""Frames of a walk on the contact sheet."""

COSTS = ("samples", "seconds")

Way = tuple[Interpolation, PacingName]


@dataclass(frozen=True)
class Figures:
    """What is measured of one walk; `seconds` and `samples` are those of a frame."""

    samples: float
    seconds: float
    largest_step: float
    variation: float
    double_exposures: float
    sharpness: float
    directness: float
    certainty: float | None = None
    """Of one manner, of the frames in the middle."""
    certainty_halfway: float | None = None
    """The same of the frames in the middle of the perceived way, if there are any."""
    certainty_of_cut: float | None = None
    """The same of the frames in the middle, if these were the film's first and last alone."""


MEANS = ("double_exposures", "certainty", "certainty_halfway", "certainty_of_cut")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure all ways, print a Markdown table, and write a sheet and JSON if asked for."""
    parser = _parser()
    options = parser.parse_args(arguments)
    chosen = read_pairs(options.pairs, options.count)
    if not chosen:
        parser.error(f"no pair in {options.pairs}; write “one | other” in a text file")
    if options.classifier and not options.model.startswith("atelier"):
        parser.error("the classifier knows the manners of Atelier only")
    classifier = load_classifier(options.classifier) if options.classifier else None
    before = describe_load()
    walks = render_ways(options, chosen[: options.count])
    measured = {way: [measure(run, classifier) for run in runs] for way, runs in walks.items()}
    print(
        f"{options.model}, {len(chosen[: options.count])} pairs, {options.frames} frames;", end=" "
    )
    print(f"{before} before, {describe_load()} after\n")
    names = [name.replace("_", " ") for name in Figures.__dataclass_fields__]
    rows = [[*way, *summarize(figures).values()] for way, figures in measured.items()]
    print_table(["interpolation", "pacing", *names], rows)
    print_costs(measured)
    if classifier:
        print_blind_comparison(measured)
    print_paper_measures(walks, Networks(options.lpips, options.inception))
    if options.sheet:
        draw_sheet(walks, chosen[: options.sheet_pairs], options.sheet)
    figures = {", ".join(way): [vars(f) for f in every] for way, every in measured.items()}
    write_figures(figures, options.json)


def _parser() -> argparse.ArgumentParser:
    parser = new_parser("morphs", __doc__)
    parser.add_argument("--model", default="atelier")
    parser.add_argument("--device", default="", help="such as cpu; default: the best there is")
    parser.add_argument("--pairs", type=Path, metavar="DIR", help="default: the benchmarks' own")
    parser.add_argument("--count", type=int, default=10, help="of pairs, at most")
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--steps", type=int, help="default: the model's own")
    parser.add_argument("--interpolation", action="append", choices=INTERPOLATIONS)
    parser.add_argument("--pacing", action="append", choices=PACINGS)
    parser.add_argument("--classifier", type=Path, metavar="DIR", help="of atelier's evaluate")
    parser.add_argument("--lpips", type=Path, metavar="FILE", help="vgg16.pt")
    parser.add_argument("--inception", type=Path, metavar="FILE", help="inception-2015-12-05.pt")
    parser.add_argument("--sheet", type=Path, metavar="FILE", help="a contact sheet, as a picture")
    parser.add_argument("--sheet-pairs", type=int, default=2, help="the pairs that it shows")
    return parser


def render_ways(options: argparse.Namespace, chosen: Sequence[MorphPair]) -> dict[Way, list[Run]]:
    """Render every pair in every way, in turn; a way that the model refuses is left out."""
    runner = load(options.model, options.device)
    runner.trace()
    fields: dict[str, Any] = find(options.model).new_walk | {"frames": options.frames}
    fields |= {"steps": options.steps or fields["steps"]}
    ways = list(product(options.interpolation or INTERPOLATIONS, options.pacing or PACINGS))
    runs: dict[Way, list[Run]] = {way: [] for way in ways}
    _warm_up(runner, chosen[0], fields, [interpolation for interpolation, _ in ways])
    for pair in tqdm(chosen, desc="pairs", disable=None):
        for interpolation, pacing in list(runs):
            way = {"interpolation": interpolation, "pacing": pacing}
            try:
                runs[interpolation, pacing].append(_render(runner, pair, fields | way))
            except BadInput as error:
                print(f"{interpolation}, {pacing}: {error}")
                del runs[interpolation, pacing]
    return runs


def _warm_up(
    runner: ModelRunner,
    pair: MorphPair,
    fields: dict[str, Any],
    interpolations: Sequence[Interpolation],
) -> None:
    """Walk a leg by each interpolation, for the first one records what the network does."""
    for interpolation in dict.fromkeys(interpolations):
        changes: dict[str, Any] = {"frames": 4, "interpolation": interpolation}
        with suppress(BadInput):  # said where it is measured
            _render(runner, pair, fields | changes)


def _render(runner: ModelRunner, pair: MorphPair, fields: dict[str, Any]) -> Run:
    middle = pair.middle if fields["interpolation"] == "attention" else ""
    spec = WalkSpec.model_validate(fields | {"stops": pair.stops, "middle": middle})
    return render_walk(runner, spec, pair.pictures)


def measure(run: Run, classifier: Classifier | None = None) -> Figures:
    """Measure the frames of a walk."""
    steps = perception.step_distances(run.frames)
    straight = perception.distance(run.frames[0], run.frames[-1])
    certainties = measure_certainties(classifier, run.frames) if classifier else []
    return Figures(
        samples=run.samples,
        seconds=run.seconds,
        largest_step=perception.unevenness(steps),
        variation=perception.variation(steps),
        double_exposures=perception.ghosting(run.frames),
        sharpness=perception.relative_sharpness(run.frames),
        directness=perception.directness(steps, straight),
        certainty=mean_in_middle(certainties) if certainties else None,
        certainty_halfway=mean_halfway(certainties, steps) if certainties else None,
        certainty_of_cut=mean_of_cut(certainties) if certainties else None,
    )


def summarize(figures: Sequence[Figures]) -> dict[str, float | None]:
    """The median of each figure over walks, or the mean; None for what was not measured."""
    by_name = {name: [vars(one)[name] for one in figures] for name in vars(figures[0])}
    return {name: _summarize(name, values) for name, values in by_name.items()}


def _summarize(name: str, values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    if not known:
        return None
    return float(fmean(known) if name in MEANS else median(known))


def print_costs(measured: dict[Way, list[Figures]]) -> None:
    """Print what a frame costs in that of lerp in the same pacing: medians over the pairs."""
    rows = []
    for (interpolation, pacing), figures in measured.items():
        usual = measured.get(("lerp", pacing))
        if usual and interpolation != "lerp":
            both = list(zip(figures, usual, strict=True))
            ratios = (median(vars(one)[c] / vars(other)[c] for one, other in both) for c in COSTS)
            rows.append([interpolation, pacing, *ratios])
    if rows:
        print("\nA frame's cost in that of lerp:\n")
        print_table(["interpolation", "pacing", *COSTS], rows)


def print_blind_comparison(measured: dict[Way, list[Figures]]) -> None:
    """Print on how many pairs a classifier is more certain halfway than by lerp, in each pacing."""
    halfway = {way: [one.certainty_halfway for one in every] for way, every in measured.items()}
    rows = []
    for (interpolation, pacing), values in halfway.items():
        usual = halfway.get(("lerp", pacing))
        if usual and interpolation != "lerp":
            more, both, chance = compare(values, usual)
            rows.append([interpolation, pacing, f"{more} of {both}", chance])
    if rows:
        print("\nMore certain of one manner halfway than by lerp, where both have frames there:\n")
        print_table(["interpolation", "pacing", "pairs", "by chance"], rows)


def print_paper_measures(walks: dict[Way, list[Run]], networks: Networks) -> None:
    """Print what the networks that are at hand say of all walks of a way."""
    rows = {way: networks.measure([run.frames for run in runs]) for way, runs in walks.items()}
    names = list(next(iter(rows.values()), {}))
    if names:
        print()
        print_table(
            ["interpolation", "pacing", *names],
            [[*way, *row.values()] for way, row in rows.items()],
        )


def draw_sheet(walks: dict[Way, list[Run]], shown: Sequence[MorphPair], file: Path) -> None:
    """Draw a row of frames for each pair and way, captioned with the way and the prompts."""
    frames, captions = [], []
    for number, pair in enumerate(shown):
        for way, runs in walks.items():
            film = runs[number].frames
            columns = min(SHOWN, len(film))
            places = [round(n * (len(film) - 1) / (columns - 1)) for n in range(columns)]
            frames += [film[place] for place in places]
            captions += [", ".join(way), pair.names[0], *[""] * (columns - 3), pair.names[1]]
    file.parent.mkdir(parents=True, exist_ok=True)
    contact_sheet(frames, captions, columns=columns).save(file)
    print(f"\ncontact sheet: {file}")


if __name__ == "__main__":
    main()
