"""The hyperparameters of a training, as one value that is saved with the model."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

HELD_OUT_SEEDS = 1_000_000_000
"""Canvases with this seed or a larger one are not used for training."""


@dataclass(frozen=True)
class Recipe:
    """The hyperparameters of a training; the defaults take a few hours on two CPU cores."""

    seed: int = 0
    size: int = 256
    """Pixels of a canvas's side."""
    canvases: int = 60_000
    captions: int = 8
    """Captions per canvas."""
    hard: tuple[str, ...] = ()
    """Manners that `evaluate` finds missed; one that occurs twice has twice the weight."""
    emphasis: float = 1.0
    """How many times as often canvases of the hard manners are drawn as others."""

    latent_channels: int = 16
    encoder_width: int = 64
    decoder_width: int = 32
    decoder_blocks: tuple[int, ...] = (4, 3, 2, 1, 0)
    """Blocks at 1/16, 1/8, 1/4, 1/2 and the full size."""
    decoder_steps: int = 4_000
    decoder_batch: int = 8
    decoder_crop: int = 8
    """Side of a training crop in latent cells."""

    vocabulary: int = 6_144
    tokens: int = 32
    """Length of a tokenised caption."""
    text_width: int = 128
    text_layers: int = 3
    text_heads: int = 4

    unet_widths: tuple[int, ...] = (48, 96, 160)
    unet_layers: int = 1
    """Residual blocks at each level on the way down; one more on the way up."""
    unet_heads: int = 4
    batch: int = 64
    samples: int = 400_000
    """Latents drawn for the UNet's training in total."""
    learning_rate: float = 1e-3
    text_share: float = 0.3
    """The text encoder's learning rate relative to the UNet's; at 1 the encoder collapses."""
    warm_up: float = 0.02
    cool_down: float = 0.3
    """Shares of the training in which the learning rate rises and falls."""
    seen: int = 0
    """Latents on which the initial weights had been trained."""
    caption_dropout: float = 0.1
    ema: float = 0.9995

    @property
    def cells(self) -> int:
        """Side of a canvas in latent cells."""
        return self.size // self.factor

    def sampling_weight(self, manner: str) -> float:
        """How often a canvas of this manner is drawn, relative to one that is not hard."""
        return self.emphasis * self.hard.count(manner) if manner in self.hard else 1.0

    @property
    def factor(self) -> int:
        """Side of a latent cell in pixels."""
        return int(2 ** (len(self.decoder_blocks) - 1))

    def save(self, path: Path) -> None:
        """Write the recipe as JSON."""
        path.write_text(json.dumps(asdict(self), indent=2) + "\n")

    @classmethod
    def load(cls, path: Path, **changes: Any) -> Self:
        """Read a recipe and apply `changes`. Raises TypeError for an unknown field."""
        content: dict[str, Any] = json.loads(path.read_text()) | changes
        tuples = {k: tuple(v) for k, v in content.items() if isinstance(v, list)}
        return cls(**(content | tuples))
