"""Painted canvases as latents and captions, kept in shards on disk."""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from momalisa.atelier.autoencoder import PatchMap
from momalisa.atelier.captions import captions
from momalisa.atelier.meaning import meaning
from momalisa.atelier.painter import Facts, paint_any
from momalisa.atelier.recipe import Recipe
from momalisa.files import replacing

SHARD = 1_000
CHUNK = 50


@dataclass(frozen=True)
class Canvases:
    """Latents (n, channels, cells, cells) in fp16 and, for each, its captions."""

    latents: NDArray[np.float16]
    captions: list[list[str]]


def paint_batch(seeds: Sequence[int], size: int) -> tuple[Tensor, list[Facts]]:
    """Canvases (n, 3, size, size) with values in [0, 1], and their facts."""
    painted = [paint_any(seed, size) for seed in seeds]
    pixels = np.stack([canvas.pixels for canvas in painted])
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255.0
    return images, [canvas.facts for canvas in painted]


def paint_shards(folder: Path, recipe: Recipe, patches: PatchMap, *, processes: int) -> list[Path]:
    """Paint what is missing of the recipe's canvases; a shard is written whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    firsts = range(0, recipe.canvases, SHARD)
    seeds = [range(first, min(first + SHARD, recipe.canvases)) for first in firsts]
    paths = [folder / f"{some.start:07d}-{some.stop:07d}.npz" for some in seeds]
    missing = [job for job in zip(paths, seeds, strict=True) if not job[0].exists()]
    with ProcessPoolExecutor(processes, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        jobs = [pool.submit(_paint_shard, *job, recipe, patches) for job in missing]
        for job in tqdm(jobs, desc="painting", unit="shard", disable=not jobs):
            job.result()
    return paths


def _paint_shard(path: Path, seeds: range, recipe: Recipe, patches: PatchMap) -> None:
    chunks = [_encode(seeds[i : i + CHUNK], recipe, patches) for i in range(0, len(seeds), CHUNK)]
    latents = np.concatenate([chunk.latents for chunk in chunks])
    texts = json.dumps([lines for chunk in chunks for lines in chunk.captions])
    with replacing(path) as part, part.open("wb") as file:
        np.savez(file, latents=latents, captions=np.frombuffer(texts.encode(), np.uint8))


def _encode(seeds: Sequence[int], recipe: Recipe, patches: PatchMap) -> Canvases:
    images, facts = paint_batch(seeds, recipe.size)
    offers = [meaning().offer(f) for f in facts]
    told = zip(facts, seeds, offers, strict=True)
    texts = [captions(f, seed, recipe.captions, offer) for f, seed, offer in told]
    return Canvases(patches(images).half().numpy(), texts)


def held_out(count: int, first: int, recipe: Recipe, patches: PatchMap) -> Canvases:
    """Canvases that no training sees, painted anew."""
    return _encode(range(first, first + count), recipe, patches)


def load_shards(paths: Sequence[Path]) -> Canvases:
    """All canvases of the shards, in order."""
    latents, texts = zip(*(_read(path) for path in paths), strict=True)
    return Canvases(np.concatenate(latents), [lines for shard in texts for lines in shard])


def _read(path: Path) -> tuple[NDArray[np.float16], list[list[str]]]:
    with np.load(path) as file:
        return file["latents"], json.loads(file["captions"].tobytes())


class FreshCanvases(torch.utils.data.IterableDataset[Tensor]):
    """An endless stream of canvases (3, size, size) in [0, 1], shared out among loader workers."""

    def __init__(self, first: int, size: int) -> None:
        self.first, self.size = first, size

    def __iter__(self) -> Iterator[Tensor]:
        worker = torch.utils.data.get_worker_info()
        seed, stride = (worker.id, worker.num_workers) if worker else (0, 1)
        while True:
            images, _ = paint_batch([self.first + seed], self.size)
            yield images[0]
            seed += stride
