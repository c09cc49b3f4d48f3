"""Metrics of manners and places, as the classifier sees them in a model's pictures."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from momalisa.atelier.evaluation.classifier import Classifier
from momalisa.atelier.evaluation.colour import has_colours
from momalisa.atelier.evaluation.eval_prompts import (
    SEEDS,
    EvalPrompt,
    manner_prompts,
    place_prompts,
)
from momalisa.atelier.evaluation.memorisation import measure_memorisation
from momalisa.atelier.evaluation.metrics import Metric, compare
from momalisa.atelier.evaluation.picture_generator import PictureGenerator
from momalisa.atelier.painter import MANNERS, paint
from momalisa.engine.frame_cache import Frame

WORST = 5
CANVASES_PER_MANNER, CANVAS_OFFSET = 12, 100_000
"""Held-out canvases that measure the classifier; they differ from those of the prompts."""


def is_manner(prompt: EvalPrompt, manner: str) -> bool:
    """Whether the words of the prompt fit the predicted manner."""
    return manner in prompt.allowed_manners


def is_canvas_manner(prompt: EvalPrompt, manner: str) -> bool:
    """Whether the predicted manner is that of the prompt's canvas."""
    return manner == prompt.manner


def is_place(prompt: EvalPrompt, place: str) -> bool:
    """Whether the predicted place is the one that the prompt names."""
    return place == prompt.place


def measure_manners(
    generator: PictureGenerator, classifier: Classifier, count: int
) -> list[Metric]:
    """Metrics of `count` held-out captions that name a manner, memorisation included."""
    prompts = manner_prompts(count, generator.size)
    pictures = generator.generate([prompt.text for prompt in prompts])
    predicted = classifier.predict(pictures)
    best = classifier.predict([prompt.canvas for prompt in prompts])
    manners = predicted.manners, best.manners
    return [
        compare("manner: one that the prompt names", is_manner, prompts, *manners, bar=0.9),
        compare("manner: its canvas's own", is_canvas_manner, prompts, *manners),
        *_missed_manners(prompts, predicted.manners),
        *_measure_caption_colours(prompts, pictures),
        measure_memorisation(classifier, predicted.features, best.features, generator.size),
        *_measure_classifier(classifier, generator.size),
    ]


def _measure_caption_colours(
    prompts: Sequence[EvalPrompt], pictures: Sequence[Frame]
) -> list[Metric]:
    """The colours in captions of all manners; empty if no caption names a colour."""
    pairs = [pair for pair in zip(prompts, pictures, strict=True) if pair[0].colours]
    if not pairs:
        return []
    with_colours, their_pictures = zip(*pairs, strict=True)
    canvases = [prompt.canvas for prompt in with_colours]
    name = "colour: all that captions name"
    return [compare(name, has_colours, with_colours, their_pictures, canvases)]


def _missed_manners(prompts: Sequence[EvalPrompt], predicted: Sequence[str]) -> list[Metric]:
    """The manners that the model's pictures miss most often."""
    results = [
        (prompt.manner, manner, is_manner(prompt, manner))
        for prompt, manner in zip(prompts, predicted, strict=True)
    ]
    return [Metric(f"  missed: {m}", rate, note=note) for m, rate, note in worst_manners(results)]


def _measure_classifier(classifier: Classifier, size: int) -> list[Metric]:
    """The classifier's accuracy on canvases, and the manners that it confuses most often."""
    canvases = [
        paint(manner, SEEDS + CANVAS_OFFSET + i, size)
        for manner in MANNERS
        for i in range(CANVASES_PER_MANNER)
    ]
    predicted = classifier.predict([canvas.pixels for canvas in canvases]).manners
    manners = [canvas.facts.manner for canvas in canvases]
    results = [(true, other, true == other) for true, other in zip(manners, predicted, strict=True)]
    accuracy = float(np.mean([correct for *_, correct in results]))
    return [
        Metric("classifier: manners of canvases", None, accuracy, 1 / len(MANNERS)),
        *(
            Metric(f"  alike: {manner}", None, rate, note=note)
            for manner, rate, note in worst_manners(results)
        ),
    ]


def worst_manners(results: Sequence[tuple[str, str, bool]]) -> list[tuple[str, float, str]]:
    """The manners with the lowest accuracy below 1, from (manner, predicted, correct).

    Returns at most WORST tuples of a manner, its accuracy, and what it was predicted as.
    """
    accuracies = {
        manner: float(np.mean([correct for true, _, correct in results if true == manner]))
        for manner in dict.fromkeys(true for true, *_ in results)
    }
    return [
        (manner, accuracies[manner], _describe_confusions(manner, results))
        for manner in sorted(accuracies, key=lambda name: accuracies[name])[:WORST]
        if accuracies[manner] < 1.0
    ]


def _describe_confusions(manner: str, results: Sequence[tuple[str, str, bool]]) -> str:
    wrong = Counter(other for true, other, correct in results if true == manner and not correct)
    return "taken for " + ", ".join(f"{name} ({n})" for name, n in wrong.most_common(3))


def measure_places(generator: PictureGenerator, classifier: Classifier, count: int) -> list[Metric]:
    """The metric of `count` held-out captions that name a place."""
    prompts = place_prompts(count, generator.size)
    predicted = classifier.predict(generator.generate([prompt.text for prompt in prompts])).places
    best = classifier.predict([prompt.canvas for prompt in prompts]).places
    return [compare("place: the one named", is_place, prompts, predicted, best)]
