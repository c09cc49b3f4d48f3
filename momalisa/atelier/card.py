"""Writes the model card of an exported pipeline."""

from textwrap import fill

from momalisa.atelier.painter import MANNERS
from momalisa.atelier.recipe import Recipe


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
    return f"""---
license: mit
library_name: diffusers
pipeline_tag: text-to-image
---
# Atelier

The small text-to-image model that ships with MOMA Lisa: a latent diffusion pipeline in plain
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
- **Limits**: it knows only what the painter paints; of an elephant it knows the colours and the
  mood, not the trunk. Names of artists mean a manner, never a work. Shapes are soft, and it
  miscounts. English only.
- **Licence**: MIT, as the rest of MOMA Lisa.
"""
