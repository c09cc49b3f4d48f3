"""Writes the model cards of exported pipelines."""

from textwrap import fill

from momalisa.atelier.painter import MANNERS
from momalisa.atelier.recipe import Recipe

HEAD = """---
license: mit
library_name: diffusers
pipeline_tag: text-to-image
---
"""
LIMITS = """\
- **Limits**: it knows only what the painter paints; of a rhinoceros it knows the colours and the
  mood, not the horn. Names of artists mean a manner, never a work. Shapes are soft, and it
  miscounts. English only.
- **Licence**: MIT, as the rest of MOMA Lisa.
"""


def student_card(recipe: Recipe, weights: int, *, steps: int, samples: int) -> str:
    """The Markdown card of a model that was distilled from that of `recipe` to `steps` steps.

    `weights` are its parameters, `samples` the states of the teacher it was distilled on.
    """
    return f"""{HEAD}# Atelier

The small text-to-image model that MOMA Lisa walks with unless told otherwise: a latent diffusion
pipeline in plain diffusers layout, {weights / 1e6:.1f} million parameters, {recipe.size} × \
{recipe.size} pixels.
It was distilled from Atelier base, beside it, by `python -m momalisa.atelier distil`: {steps} steps
without guidance, in the place of 20 with it. Everything but the UNet is its teacher's.

- **Distillation**: phased consistency on the teacher's own trajectories, {samples:,} states of
  them; half of the conditions were mixtures of two captions, as in a walk. The same seed and prompt
  lead to the same composition as the teacher's.
- **Use**: DDIM with its own scheduler and {steps} steps, guidance 1. The last step leaves a little
  noise, which makes pictures as sharp as the teacher's. With guidance its pictures burn, with
  other numbers of steps they are no better; a negative prompt has no effect.
{LIMITS}"""


def model_card(recipe: Recipe, weights: int) -> str:
    """The Markdown card of a model with `weights` parameters, trained by `recipe`."""
    more_often = ""
    if recipe.hard:
        factors = sorted({recipe.sampling_weight(manner) for manner in recipe.hard})
        sentence = (
            f"In the last part of the training {', '.join(dict.fromkeys(recipe.hard))} were shown"
            f" {' or '.join(f'{factor:g}' for factor in factors)} times as often as other manners."
        )
        more_often = "\n" + fill(
            sentence, 98, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False
        )
    return f"""{HEAD}# Atelier base

The small text-to-image model from which Atelier was distilled: a latent diffusion pipeline in plain
diffusers layout, {weights / 1e6:.1f} million parameters, {recipe.size} × {recipe.size} pixels.
It was trained from scratch by `python -m momalisa.atelier train`.

- **Data**: {recipe.canvases:,} canvases painted by `momalisa/atelier/painter` in
  {len(MANNERS)} manners of modern art, with {recipe.captions} captions each. No photograph, no
  artist's work and no text from elsewhere was used. Which of 3,000 everyday words fits which
  canvas was asked of a sentence encoder (all-MiniLM-L6-v2), which is not part of the model.\
{more_often}
- **Autoencoder**: {recipe.factor} × {recipe.factor} pixels to one cell of
  {recipe.latent_channels} channels; a linear encoder in closed form, a trained decoder.
- **Denoiser**: v-prediction on a linear schedule that ends in pure noise; it has seen
  {recipe.seen:,} latents so far.
- **Use**: DDIM with 12 to 20 trailing steps, or DPM-Solver++ with 8; guidance 3 to 5. Short
  prompts of colours, shapes, places, moods and manners, as in "a red square on white", "a stormy
  sea at night" or "grief in blue".
{LIMITS}"""
