"""The model card that lies beside the weights."""

from momalisa.atelier.painter import MANNERS
from momalisa.atelier.recipe import Recipe


def model_card(recipe: Recipe, samples: int, weights: int) -> str:
    """Markdown about a model trained on `samples` latents, with `weights` parameters in all."""
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
  artist's work and no text from elsewhere was used.
- **Autoencoder**: {recipe.factor} × {recipe.factor} pixels to one cell of
  {recipe.latent_channels} channels; a linear encoder in closed form, a trained decoder.
- **Denoiser**: v-prediction on a cosine schedule; it has seen {samples:,} latents so far.
- **Use**: DDIM with trailing steps, 12 to 20 of them, guidance 3 to 5. Short prompts of colours,
  shapes, places and manners, as in "a red square on white" or "a stormy sea at night".
- **Limits**: it knows only what the painter paints. Names of artists mean a manner, never a work.
  Words it has not met are spelled out and mostly ignored. English only.
- **Licence**: MIT, as the rest of MOMA Lisa.
"""
