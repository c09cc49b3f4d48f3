"""Whether a model paints anew or copies: how near its pictures lie to canvases of its training."""

import torch
from torch import Tensor

from momalisa.atelier.evaluation.classifier import Connoisseur
from momalisa.atelier.evaluation.figures import Figure

COPIES = 86
"""Known canvases painted again, to show what a copier would score."""


def originality(connoisseur: Connoisseur, shown: Tensor, held_out: Tensor, size: int) -> Figure:
    """The distance from pictures to their nearest known canvas, in that of held-out canvases.

    `shown` and `held_out` are features (n, FEATURES) of pictures of the same prompts.
    """
    again = [connoisseur.schooling.canvas(seed, size).pixels for seed in range(COPIES)]
    copied = nearest(connoisseur.look(again).features, connoisseur.known)
    own, other = nearest(shown, connoisseur.known), nearest(held_out, connoisseur.known)
    return Figure(
        "nearest known canvas, in a canvas's distance",
        own / other,
        1.0,
        copied / other,
        1.0,
        note=f"of {len(connoisseur.known):,} canvases; chance: known canvases painted again",
    )


def nearest(features: Tensor, known: Tensor) -> float:
    """The median distance from features (n, d) to the nearest of `known` (m, d)."""
    return float(torch.cdist(features, known).amin(1).median())
