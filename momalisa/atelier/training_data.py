"""The denoiser's training data in memory: latents and tokenised captions, drawn in batches."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import CLIPTokenizer

from momalisa.atelier.canvases import Canvases
from momalisa.atelier.recipe import Recipe
from momalisa.atelier.text import tokenise

BANDS = 10
"""Equal bands of diffusion time; a canvas's manner and band are its stratum."""


@dataclass
class TrainingData:
    """Latents (n, c, h, w) and tokens (n, captions, length) of n canvases.

    `negative` (length) are the tokens of the empty caption. A canvas is drawn in proportion to
    its weight in `weights` (n). Canvases of one stratum, which is their manner in `manners` (n)
    and a band of times, are about equally hard to denoise, see `LossBalance`.
    """

    latents: Tensor
    tokens: Tensor
    negative: Tensor
    weights: Tensor
    manners: Tensor

    @classmethod
    def from_canvases(
        cls,
        canvases: Canvases,
        tokenizer: CLIPTokenizer,
        weights: Sequence[float] | None = None,
        manners: Sequence[int] | None = None,
    ) -> "TrainingData":
        """Tokenise each distinct caption once; captions repeat if a canvas has fewer than others.

        By default all weights are 1 and all manners 0.
        """
        most = max(len(lines) for lines in canvases.captions)
        captions = [(lines * most)[:most] for lines in canvases.captions]
        distinct = sorted({text for lines in captions for text in lines})
        tokens = tokenise(tokenizer, distinct).to(torch.int16)
        rows = {text: row for row, text in enumerate(distinct)}
        index = torch.tensor([[rows[text] for text in lines] for lines in captions])
        count = len(canvases.latents)
        return cls(
            latents=torch.from_numpy(canvases.latents),
            tokens=tokens[index],
            negative=tokenise(tokenizer, [""])[0],
            weights=torch.ones(count) if weights is None else torch.tensor(weights),
            manners=torch.tensor([0] * count if manners is None else manners),
        )

    def draw(self, step: int, recipe: Recipe) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Draw the batch of a training step, deterministic in the recipe's seed and the step.

        Returns strata (n), and latents (n, c, h, w), noise (n, c, h, w), times (n) and tokens
        (n, length). A share of the tokens is replaced by the negative ones, for guidance.
        """
        rng = torch.Generator().manual_seed(recipe.seed * 1_000_003 + step)
        n = recipe.batch
        rows = torch.multinomial(self.weights, n, replacement=True, generator=rng)
        column = torch.randint(self.tokens.shape[1], (n,), generator=rng)
        tokens = self.tokens[rows, column].long()
        dropped = torch.rand(n, generator=rng) < recipe.caption_dropout
        tokens = torch.where(dropped[:, None], self.negative, tokens)
        latents = self.latents[rows].float()
        # Stratified sampling, one time from each of n equal intervals, reduces the variance.
        times = (torch.arange(n) + torch.rand(n, generator=rng)) / n
        noise = torch.randn(latents.shape, generator=rng)
        strata = self.manners[rows] * BANDS + (times * BANDS).long()
        return strata, (latents, noise, (times * 1000).long(), tokens)

    @property
    def strata(self) -> int:
        """The number of strata."""
        return (int(self.manners.max()) + 1) * BANDS
