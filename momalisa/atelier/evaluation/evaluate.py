"""Judge a trained model: all sections of figures, or those asked for, one after another."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

import torch

from momalisa.atelier.autoencoder import psnr
from momalisa.atelier.canvases import paint_batch
from momalisa.atelier.evaluation.classifier import Connoisseur, Schooling
from momalisa.atelier.evaluation.classifier_training import kept_connoisseur
from momalisa.atelier.evaluation.colour import judge_colours, judge_counts
from momalisa.atelier.evaluation.figures import Figure
from momalisa.atelier.evaluation.manner import judge_manners, judge_places
from momalisa.atelier.evaluation.sampler import BATCH, Sampler
from momalisa.atelier.evaluation.speed_and_size import judge_machine
from momalisa.atelier.evaluation.walks import judge_walks
from momalisa.atelier.recipe import HELD_OUT_SEEDS

CANVASES = 64
"""Held-out canvases that the autoencoder is measured on."""


def evaluate(
    sampler: Sampler, sections: Sequence[str], folder: Path, *, count: int, pairs: int
) -> Iterator[Figure]:
    """Measure a model section by section, on prompts and canvases that it was not trained on.

    `count` prompts name a manner, as many name colours, half as many name a count or a place;
    `pairs` walks are made. The connoisseur is kept in `folder`.
    """
    expert = cache(lambda: connoisseur(folder))
    half = max(2, count // 2)
    measures: dict[str, Callable[[], list[Figure]]] = {
        "autoencoder": lambda: [reconstruction(sampler)],
        "manner": lambda: judge_manners(sampler, expert(), count),
        "colour": lambda: judge_colours(sampler, half),
        "count": lambda: judge_counts(sampler, half),
        "place": lambda: judge_places(sampler, expert(), half),
        "walk": lambda: judge_walks(sampler, pairs),
        "machine": lambda: judge_machine(sampler),
    }
    return (figure for section in sections for figure in measures[section]())


def connoisseur(folder: Path) -> Connoisseur:
    """The connoisseur of all manners, kept in a training's folder."""
    return kept_connoisseur(Schooling(), folder / "connoisseur.pt")


@torch.no_grad()
def reconstruction(sampler: Sampler) -> Figure:
    """PSNR in dB of held-out canvases through encoder and decoder."""
    model = sampler.runner.model
    vae = sampler.pipeline.vae
    images, _ = paint_batch(range(HELD_OUT_SEEDS, HELD_OUT_SEEDS + CANVASES), sampler.size)
    parts = (part.to(model.device, model.dtype) * 2.0 - 1.0 for part in torch.split(images, BATCH))
    again = torch.cat([vae.decoder(vae.encoder(part)).float().cpu() for part in parts])
    return Figure("autoencoder: PSNR, dB", psnr(again / 2.0 + 0.5, images), bar=27.0)
