"""The training set: painted canvases as latents and captions, in shards on disk."""

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
from momalisa.atelier.captions import write_captions
from momalisa.atelier.meaning import word_table
from momalisa.atelier.painter import Facts, paint_any
from momalisa.atelier.recipe import Recipe
from momalisa.files import replacing

SHARD = 1_000
"""Canvases of a file."""
CHUNK = 50
"""Canvases that are painted and encoded at a time."""


@dataclass(frozen=True)
class Canvases:
    """Latents (n, channels, cells, cells) in fp16, and the captions of each."""

    latents: NDArray[np.float16]
    captions: list[list[str]]


def paint_batch(seeds: Sequence[int], size: int) -> tuple[Tensor, list[Facts]]:
    """Paint canvases (n, 3, size, size) with values in [0, 1]; returns them with their facts."""
    canvases = [paint_any(seed, size) for seed in seeds]
    pixels = np.stack([canvas.pixels for canvas in canvases])
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255.0
    return images, [canvas.facts for canvas in canvases]


def paint_shards(folder: Path, recipe: Recipe, patches: PatchMap, *, processes: int) -> list[Path]:
    """Paint the missing shards of the recipe's canvases, each written atomically; returns all."""
    folder.mkdir(parents=True, exist_ok=True)
    firsts = range(0, recipe.canvases, SHARD)
    seeds = [range(first, min(first + SHARD, recipe.canvases)) for first in firsts]
    paths = [folder / f"{shard.start:07d}-{shard.stop:07d}.npz" for shard in seeds]
    missing = [job for job in zip(paths, seeds, strict=True) if not job[0].exists()]
    with ProcessPoolExecutor(processes, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        jobs = [pool.submit(_paint_shard, *job, recipe, patches) for job in missing]
        for job in tqdm(jobs, desc="painting", unit="shard", disable=not jobs):
            job.result()
    return paths


def _paint_shard(path: Path, seeds: range, recipe: Recipe, patches: PatchMap) -> None:
    parts = (seeds[start : start + CHUNK] for start in range(0, len(seeds), CHUNK))
    chunks = [paint_canvases(part, recipe, patches) for part in parts]
    latents = np.concatenate([chunk.latents for chunk in chunks])
    texts = json.dumps([lines for chunk in chunks for lines in chunk.captions])
    with replacing(path) as draft, draft.open("wb") as file:
        np.savez(file, latents=latents, captions=np.frombuffer(texts.encode(), np.uint8))


def paint_canvases(seeds: Sequence[int], recipe: Recipe, patches: PatchMap) -> Canvases:
    """Paint the canvases of `seeds`, encode them and write their captions."""
    images, facts = paint_batch(seeds, recipe.size)
    table = word_table()
    texts = [
        write_captions(one, seed, recipe.captions, table.fitting_words(one))
        for one, seed in zip(facts, seeds, strict=True)
    ]
    return Canvases(patches(images).half().numpy(), texts)


def load_shards(paths: Sequence[Path]) -> Canvases:
    """Load all canvases of shards, in order."""
    latents, texts = zip(*(_read_shard(path) for path in paths), strict=True)
    return Canvases(np.concatenate(latents), [lines for shard in texts for lines in shard])


def _read_shard(path: Path) -> tuple[NDArray[np.float16], list[list[str]]]:
    with np.load(path) as file:
        return file["latents"], json.loads(file["captions"].tobytes())


class CanvasStream(torch.utils.data.IterableDataset[Tensor]):
    """An endless stream of canvases (3, size, size) in [0, 1] from seed `first` on.

    The workers of a data loader interleave its seeds.
    """

    def __init__(self, first: int, size: int) -> None:
        self.first, self.size = first, size

    def __iter__(self) -> Iterator[Tensor]:
        worker = torch.utils.data.get_worker_info()
        seed, stride = (worker.id, worker.num_workers) if worker else (0, 1)
        while True:
            images, _ = paint_batch([self.first + seed], self.size)
            yield images[0]
            seed += stride
