"""Manners, places and copies: what the connoisseur sees in a model's pictures."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from momalisa.atelier.evaluation.classifier import Connoisseur
from momalisa.atelier.evaluation.colour import has_colours
from momalisa.atelier.evaluation.eval_prompts import SEEDS, Commission, of_manners, of_places
from momalisa.atelier.evaluation.figures import Figure, compared
from momalisa.atelier.evaluation.memorisation import originality
from momalisa.atelier.evaluation.sampler import Sampler
from momalisa.atelier.painter import MANNERS, paint
from momalisa.engine.frame_cache import Frame

WORST = 5
EXAMINED, EXAMINED_FROM = 12, 100_000
"""Held-out canvases of each manner that show which manners look alike; not those of prompts."""


def is_manner(asked: Commission, seen: str) -> bool:
    """Whether the manner seen is one that the prompt's words fit."""
    return seen in asked.allowed


def is_exactly(asked: Commission, seen: str) -> bool:
    """Whether the manner seen is that of the canvas whose caption the prompt is."""
    return seen == asked.manner


def is_place(asked: Commission, seen: str) -> bool:
    """Whether the place seen is the one that the prompt names."""
    return seen == asked.place


def judge_manners(sampler: Sampler, connoisseur: Connoisseur, count: int) -> list[Figure]:
    """`count` held-out captions that name a manner; the same pictures are looked at for copies."""
    asked = of_manners(count, sampler.size)
    shown = sampler.paint([one.prompt for one in asked])
    canvases = [one.canvas for one in asked]
    seen, best = connoisseur.look(shown), connoisseur.look(canvases)
    return [
        compared(
            "manner: one that the prompt names",
            is_manner,
            asked,
            seen.manners,
            best.manners,
            bar=0.9,
        ),
        compared("manner: its canvas's own", is_exactly, asked, seen.manners, best.manners),
        *_worst(asked, seen.manners),
        *_colours(asked, shown),
        originality(connoisseur, seen.features, best.features, sampler.size),
        *_alike(connoisseur, sampler.size),
    ]


def _colours(asked: Sequence[Commission], shown: Sequence[Frame]) -> list[Figure]:
    """The colours in captions of all manners, where a caption names any."""
    some = [one for one in asked if one.colours]
    pictures = [picture for one, picture in zip(asked, shown, strict=True) if one.colours]
    canvases = [one.canvas for one in some]
    name = "colour: all that captions name"
    return [compared(name, has_colours, some, pictures, canvases)] if some else []


def _worst(asked: Sequence[Commission], seen: Sequence[str]) -> list[Figure]:
    """The manners that the model's pictures miss most often."""
    verdicts = [(one.manner, it, is_manner(one, it)) for one, it in zip(asked, seen, strict=True)]
    return [Figure(f"  missed: {m}", part, note=note) for m, part, note in least_known(verdicts)]


def _alike(connoisseur: Connoisseur, size: int) -> list[Figure]:
    """All manners on canvases, and those that look most like others there."""
    canvases = [
        paint(manner, SEEDS + EXAMINED_FROM + i, size)
        for manner in MANNERS
        for i in range(EXAMINED)
    ]
    seen = connoisseur.look([canvas.pixels for canvas in canvases]).manners
    manners = [canvas.facts.manner for canvas in canvases]
    verdicts = [(m, it, m == it) for m, it in zip(manners, seen, strict=True)]
    known = float(np.mean([right for *_, right in verdicts]))
    return [
        Figure("connoisseur: manners of canvases", None, known, 1 / len(MANNERS)),
        *(
            Figure(f"  alike: {manner}", None, part, note=note)
            for manner, part, note in least_known(verdicts)
        ),
    ]


def least_known(verdicts: Sequence[tuple[str, str, bool]]) -> list[tuple[str, float, str]]:
    """Of (manner, manner seen, whether right): the worst manners, their share, and what for."""
    shares = {
        manner: float(np.mean([right for asked, _, right in verdicts if asked == manner]))
        for manner in dict.fromkeys(asked for asked, *_ in verdicts)
    }
    return [
        (manner, shares[manner], _taken_for(manner, verdicts))
        for manner in sorted(shares, key=lambda name: shares[name])[:WORST]
        if shares[manner] < 1.0
    ]


def _taken_for(manner: str, verdicts: Sequence[tuple[str, str, bool]]) -> str:
    wrong = Counter(seen for asked, seen, right in verdicts if asked == manner and not right)
    return "taken for " + ", ".join(f"{name} ({n})" for name, n in wrong.most_common(3))


def judge_places(sampler: Sampler, connoisseur: Connoisseur, count: int) -> list[Figure]:
    """`count` held-out captions that name a place."""
    asked = of_places(count, sampler.size)
    seen = connoisseur.look(sampler.paint([one.prompt for one in asked])).places
    best = connoisseur.look([one.canvas for one in asked]).places
    return [compared("place: the one named", is_place, asked, seen, best)]
