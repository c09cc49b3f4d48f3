"""The autoencoder: a linear encoder in closed form, and a trained decoder.

The encoder is a principal component analysis of patches, computed level by level (2 × 2 cells
become one), so that it is exactly the strided convolutions of diffusers' `AutoencoderTiny`
without blocks. Each channel is divided by the fourth root of its variance only, so that the
channels keep their order of variance, and diffusion learns coarse structure before details.
"""

import csv
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812 (torch's own idiom)
from diffusers import AutoencoderTiny
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset
from tqdm import tqdm

from momalisa.atelier.recipe import Recipe
from momalisa.files import replacing

LATENT_PEAK = 3.5
"""The 99.9th percentile of latents: the decoder of `AutoencoderTiny` saturates at ±3 by tanh."""

LATENT_NOISE = 0.12
"""The maximal noise added in the decoder's training, because sampled latents are noisy."""


@dataclass(frozen=True)
class PatchMap:
    """The linear encoder as one matrix: latent = matrix @ patch + bias, for fast encoding."""

    matrix: Tensor
    bias: Tensor
    factor: int

    def __call__(self, images: Tensor) -> Tensor:
        """Latents (n, c, h/f, w/f) of images (n, 3, h, w) in [0, 1]."""
        patches = F.pixel_unshuffle(images, self.factor)
        return torch.einsum("cp,nphw->nchw", self.matrix, patches) + self.bias[:, None, None]


def build_autoencoder(recipe: Recipe) -> AutoencoderTiny:
    """Build the autoencoder with random weights."""
    levels = len(recipe.decoder_blocks)
    return AutoencoderTiny(
        latent_channels=recipe.latent_channels,
        encoder_block_out_channels=(recipe.encoder_width,) * levels,
        num_encoder_blocks=(0,) * levels,
        decoder_block_out_channels=(recipe.decoder_width,) * levels,
        num_decoder_blocks=recipe.decoder_blocks,
    )


@torch.no_grad()
def fit_encoder(model: AutoencoderTiny, images: Tensor) -> None:
    """Set the encoder to the principal components of `images` (n, 3, h, w) in [0, 1]."""
    first, *strided, last = model.encoder.layers
    mean = images.mean(dim=(0, 2, 3))
    nn.init.zeros_(first.weight)
    nn.init.zeros_(first.bias)
    first.weight[:3, :, 1, 1] = torch.eye(3)
    first.bias[:3] = -mean
    features = images - mean[:, None, None]
    for layer in strided:
        cells = F.pixel_unshuffle(features, 2)
        basis, _ = principal_directions(cells, min(layer.out_channels, cells.shape[1]))
        nn.init.zeros_(layer.weight)
        # pixel_unshuffle orders channels (c, dy, dx); taps 1 and 2 are the cell's own pixels.
        taps = basis.reshape(len(basis), features.shape[1], 2, 2)
        layer.weight[: len(basis), : features.shape[1], 1:, 1:] = taps
        features = torch.einsum("bc,nchw->nbhw", basis, cells)
    basis, variance = principal_directions(features, last.out_channels)
    scaled = basis * variance.pow(-0.25)[:, None]
    latents = torch.einsum("bc,nchw->nbhw", scaled, features)
    scaled *= LATENT_PEAK / _quantile(latents.abs(), 0.999)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    last.weight[:, : scaled.shape[1], 1, 1] = scaled


def principal_directions(features: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The first principal directions (count, c) of features (n, c, h, w), with their variances."""
    rows = features.permute(0, 2, 3, 1).reshape(-1, features.shape[1]).double()
    variance, vectors = torch.linalg.eigh(rows.T @ rows / len(rows))
    largest = variance.argsort(descending=True)[:count]
    return vectors[:, largest].T.float(), variance[largest].float()


def _quantile(values: Tensor, share: float) -> float:
    """An approximate quantile, from about a million evenly spaced values."""
    flat = values.flatten()
    return float(flat[:: max(1, len(flat) // 1_000_000)].quantile(share))


@torch.no_grad()
def patch_map(model: AutoencoderTiny, recipe: Recipe) -> PatchMap:
    """The encoder as one matrix, computed from its outputs for all unit patches."""
    size = 3 * recipe.factor**2
    units = F.pixel_shuffle(torch.eye(size)[:, :, None, None], recipe.factor)
    bias = model.encoder(torch.full_like(units[:1], -1.0)).flatten()
    columns = model.encoder(units * 2.0 - 1.0)[:, :, 0, 0] - bias
    return PatchMap(columns.T.contiguous(), bias, recipe.factor)


@torch.no_grad()
def initialise_decoder(model: AutoencoderTiny, images: Tensor, patches: PatchMap) -> None:
    """Initialise the decoder so that it outputs the mean colour of each cell."""
    latents = patches(images).permute(0, 2, 3, 1).reshape(-1, len(patches.bias))
    bounded = torch.tanh(latents / 3.0) * 3.0
    colours = F.avg_pool2d(images, patches.factor).permute(0, 2, 3, 1).reshape(-1, 3)
    ones = torch.ones(len(bounded), 1)
    solution = torch.linalg.lstsq(torch.cat([bounded, ones], 1), colours).solution
    convolutions = [m for m in model.decoder.layers if isinstance(m, nn.Conv2d)]
    first, *between, last = convolutions
    assert first.bias is not None
    assert last.bias is not None
    first.weight[:3] = 0.0
    first.weight[:3, :, 1, 1] = solution[:-1].T
    first.bias[:3] = solution[-1]
    for layer in between:
        layer.weight[:3] = 0.0
        layer.weight[:3, :3, 1, 1] = torch.eye(3)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    last.weight[:, :3, 1, 1] = torch.eye(3)
    for module in model.decoder.modules():
        if type(module).__name__ == "AutoencoderTinyBlock":
            nn.init.zeros_(module.conv[-1].weight)
            nn.init.zeros_(module.conv[-1].bias)


def train_decoder(
    model: AutoencoderTiny,
    canvases: IterableDataset[Tensor],
    patches: PatchMap,
    recipe: Recipe,
    folder: Path,
    *,
    device: str,
    workers: int,
) -> None:
    """Train the decoder on random crops, resuming from the checkpoint in `folder`."""
    checkpoint = folder / "decoder.pt"
    model.to(device)
    optimiser = torch.optim.AdamW(model.decoder.parameters(), lr=1e-3, weight_decay=0.0)
    start = 0
    if checkpoint.exists():
        saved = torch.load(checkpoint, map_location=device, weights_only=True)
        model.decoder.load_state_dict(saved["decoder"])
        optimiser.load_state_dict(saved["optimiser"])
        start = saved["step"]
    steps = range(start, recipe.decoder_steps)
    loader = DataLoader(canvases, batch_size=recipe.decoder_batch, num_workers=workers)
    start_time = time.monotonic()
    for step, batch in zip(tqdm(steps, desc="decoder"), _crops(loader, patches, recipe, start)):  # noqa: B905
        latents, target = (part.to(device) for part in batch)
        for group in optimiser.param_groups:
            group["lr"] = 1e-3 * _learning_rate(step / recipe.decoder_steps)
        decoded = (model.decoder(latents) + 1.0) / 2.0
        loss = picture_loss(decoded, target)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.decoder.parameters(), 1.0)
        optimiser.step()
        if step % 50 == 49 or step + 1 == recipe.decoder_steps:
            metrics = f"{loss.item():.5f}", f"{psnr(decoded.detach(), target):.2f}"
            seconds = round(time.monotonic() - start_time)
            with (folder / "decoder.csv").open("a", newline="") as log:
                csv.writer(log).writerow([step + 1, seconds, *metrics])
        if step % 200 == 199 or step + 1 == recipe.decoder_steps:
            state = {"decoder": model.decoder.state_dict(), "optimiser": optimiser.state_dict()}
            with replacing(checkpoint) as part:
                torch.save(state | {"step": step + 1}, part)


def _learning_rate(progress: float) -> float:
    """The share of the full rate at `progress` in [0, 1]: 2 % warm-up, fall in the last half."""
    return min(1.0, progress / 0.02 + 0.01, max(0.02, 2.0 * (1.0 - progress)))


def _crops(
    loader: DataLoader[Tensor], patches: PatchMap, recipe: Recipe, start: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield pairs of a noisy latent crop and the picture crop that it encodes."""
    rng = torch.Generator().manual_seed(recipe.seed + start)
    span = recipe.cells - recipe.decoder_crop + 1
    side, f = recipe.decoder_crop, recipe.factor
    for images in loader:
        latents = patches(images)
        y, x = (int(v) for v in torch.randint(span, (2,), generator=rng))
        crop = latents[:, :, y : y + side, x : x + side]
        strength = LATENT_NOISE * torch.rand(len(crop), 1, 1, 1, generator=rng)
        noise = strength * torch.randn(crop.shape, generator=rng)
        yield crop + noise, images[:, :, y * f : (y + side) * f, x * f : (x + side) * f]


def picture_loss(decoded: Tensor, target: Tensor) -> Tensor:
    """Error of pixels, absolute and squared, and of gradients at three scales, for sharp edges."""
    loss = (decoded - target).abs().mean() + 2.0 * F.mse_loss(decoded, target)
    for _ in range(3):
        for dim in (-1, -2):
            loss = loss + 0.5 * (decoded.diff(dim=dim) - target.diff(dim=dim)).abs().mean()
        decoded, target = F.avg_pool2d(decoded, 2), F.avg_pool2d(target, 2)
    return loss


def psnr(decoded: Tensor, target: Tensor) -> float:
    """The mean peak signal-to-noise ratio in dB of pictures (n, 3, h, w) in [0, 1]."""
    error = (decoded.clamp(0, 1) - target).square().flatten(1).mean(1).clamp_min(1e-10)
    return float((-10.0 * error.log10()).mean())
