"""From nothing to a diffusers pipeline: paint, encode, decode, denoise, export."""

import copy
import json
import logging
import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import torch
from diffusers import AutoencoderTiny, StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTokenizer

from momalisa.atelier.autoencoder import (
    PatchMap,
    build,
    fit_encoder,
    patch_map,
    start_decoder,
    train_decoder,
)
from momalisa.atelier.canvases import (
    CanvasStream,
    load_shards,
    paint_batch,
    paint_canvases,
    paint_shards,
)
from momalisa.atelier.card import model_card
from momalisa.atelier.diffusion import (
    Denoiser,
    Lesson,
    build_scheduler,
    build_unet,
    train_denoiser,
)
from momalisa.atelier.painter import MANNERS, manner_of
from momalisa.atelier.recipe import HELD_OUT_SEEDS, Recipe
from momalisa.atelier.text import (
    build_text_encoder,
    load_tokenizer,
    train_tokenizer,
    with_vocabulary,
)

log = logging.getLogger(__name__)
FIT_CANVASES = 768
FIT_SEEDS = HELD_OUT_SEEDS // 2
DECODER_SEEDS = FIT_SEEDS + FIT_CANVASES


def train(
    recipe: Recipe, folder: Path, *, device: str, processes: int, stages: tuple[str, ...] = ()
) -> None:
    """Run the stages that are not done yet (or those named), each resuming where it stopped.

    `folder` holds the recipe, shards, checkpoints, logs, and `pipeline/`: the exported model.
    """
    folder.mkdir(parents=True, exist_ok=True)
    recipe.save(folder / "recipe.json")
    torch.manual_seed(recipe.seed)
    autoencoder = _autoencoder(recipe, folder)
    patches = patch_map(autoencoder, recipe)
    if wanted("paint", stages):
        paint_shards(folder / "shards", recipe, patches, processes=processes)
    if wanted("decoder", stages):
        fresh = CanvasStream(DECODER_SEEDS, recipe.size)
        train_decoder(autoencoder, fresh, patches, recipe, folder, device=device, workers=processes)
        autoencoder.cpu().save_pretrained(folder / "autoencoder")
    if wanted("denoiser", stages):
        _denoiser(recipe, folder, patches, device=device)


def start_from_pipeline(pipeline: Path, folder: Path) -> None:
    """Let a new training begin with the weights of an exported pipeline and its recipe.

    The optimiser starts afresh, and the tokenizer is learned anew from the captions: words that
    were not there before are spelled in the old tokens. Raises FileExistsError if `folder` holds
    a training already.
    """
    if (folder / "recipe.json").exists():
        raise FileExistsError(f"{folder} holds a training already.")
    shutil.copytree(pipeline / "vae", folder / "autoencoder", dirs_exist_ok=True)
    for part in ("tokenizer", "unet", "text_encoder"):
        shutil.copytree(pipeline / part, folder / "start" / part, dirs_exist_ok=True)
    shutil.copy(pipeline / "recipe.json", folder)  # last: with it the adoption is whole


def _fresh_or_adopted(recipe: Recipe, folder: Path, tokenizer: CLIPTokenizer) -> Denoiser:
    start = folder / "start"
    if not start.exists():
        return Denoiser(build_unet(recipe), build_text_encoder(tokenizer, recipe))
    encoder = CLIPTextModel.from_pretrained(start / "text_encoder")
    return Denoiser(
        UNet2DConditionModel.from_pretrained(start / "unet"),
        with_vocabulary(encoder, load_tokenizer(start / "tokenizer"), tokenizer, recipe),
    )


def wanted(stage: str, stages: tuple[str, ...]) -> bool:
    """Whether a stage was named, or none was, which means all."""
    return not stages or stage in stages


def _autoencoder(recipe: Recipe, folder: Path) -> AutoencoderTiny:
    """The autoencoder as far as it has come; its closed-form start when there is none."""
    kept = folder / "autoencoder"
    if kept.exists():
        return AutoencoderTiny.from_pretrained(kept)
    model = build(recipe)
    images, _ = paint_batch(range(FIT_SEEDS, FIT_SEEDS + FIT_CANVASES), recipe.size)
    fit_encoder(model, images)
    start_decoder(model, images[:256], patch_map(model, recipe))
    model.save_pretrained(kept)
    return model


def _denoiser(recipe: Recipe, folder: Path, patches: PatchMap, *, device: str) -> None:
    shards = paint_shards(folder / "shards", recipe, patches, processes=1)
    canvases = load_shards(shards)
    tokenizer = _tokenizer(recipe, folder, (t for lines in canvases.captions for t in lines))
    manners = [manner_of(seed) for seed in range(recipe.canvases)]
    odds = [recipe.odds(manner) for manner in manners]
    lesson = Lesson.of(canvases, tokenizer, odds, [MANNERS.index(one) for one in manners])
    unseen = range(HELD_OUT_SEEDS, HELD_OUT_SEEDS + 256)
    exam = Lesson.of(paint_canvases(unseen, recipe, patches), tokenizer)
    model = _fresh_or_adopted(recipe, folder, tokenizer)
    count = sum(p.numel() for p in model.unet.parameters())
    log.info("%d canvases, UNet of %.1f M parameters", len(lesson.latents), count / 1e6)

    def export_now(denoiser: Denoiser, samples: int) -> None:
        parts = denoiser, tokenizer, _autoencoder(recipe, folder)
        export(*parts, recipe, folder / "pipeline", samples=samples)

    train_denoiser(model, lesson, exam, recipe, folder, device=device, on_checkpoint=export_now)


def _tokenizer(recipe: Recipe, folder: Path, texts: Iterable[str]) -> CLIPTokenizer:
    kept = folder / "tokenizer"
    if not kept.exists():
        train_tokenizer(texts, recipe).save_pretrained(kept)
    return load_tokenizer(kept)


def export(
    model: Denoiser,
    tokenizer: CLIPTokenizer,
    autoencoder: AutoencoderTiny,
    recipe: Recipe,
    folder: Path,
    *,
    samples: int,
) -> None:
    """Write a stock `StableDiffusionPipeline` in fp16 safetensors, with its model card.

    The one that was in `folder` stays until the new one is whole.
    """
    draft = folder.with_name(folder.name + ".draft")
    shutil.rmtree(draft, ignore_errors=True)
    pipeline = StableDiffusionPipeline(
        unet=_half(model.unet),
        text_encoder=_half(model.text_encoder),
        vae=_half(autoencoder),
        tokenizer=tokenizer,
        scheduler=build_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(draft, safe_serialization=True)
    for config in draft.glob("*/config.json"):
        _tidy(config)
    weights = sum(p.numel() for part in (model, autoencoder) for p in part.parameters())
    recipe = replace(recipe, seen=recipe.seen + samples)
    recipe.save(draft / "recipe.json")
    (draft / "README.md").write_text(model_card(recipe, weights))
    shutil.rmtree(folder, ignore_errors=True)
    draft.rename(folder)


def _tidy(config: Path) -> None:
    """Take this machine's paths out, and let it compute in fp32: halves are for the disk.

    transformers would compute in the precision it finds here, which CPUs are slow at.
    """
    content = json.loads(config.read_text())
    content.pop("_name_or_path", None)
    if "dtype" in content:
        content["dtype"] = "float32"
    config.write_text(json.dumps(content, indent=2) + "\n")


def _half(model: torch.nn.Module) -> torch.nn.Module:
    """A copy on the CPU in fp16."""
    return copy.deepcopy(model).cpu().half().eval().requires_grad_(False)
