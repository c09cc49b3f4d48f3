"""Trains the shipped model in stages, from painted canvases to a diffusers pipeline."""

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
    build_autoencoder,
    fit_encoder,
    initialise_decoder,
    patch_map,
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
from momalisa.atelier.denoiser import Denoiser, build_scheduler, build_unet
from momalisa.atelier.denoiser_training import train_denoiser
from momalisa.atelier.painter import MANNERS, manner_of
from momalisa.atelier.recipe import HELD_OUT_SEEDS, Recipe
from momalisa.atelier.text import (
    build_text_encoder,
    load_tokenizer,
    replace_vocabulary,
    train_tokenizer,
)
from momalisa.atelier.training_data import TrainingData
from momalisa.atelier.widening import widen_autoencoder, widen_unet

log = logging.getLogger(__name__)
ENCODER_CANVASES = 768
ENCODER_SEEDS = HELD_OUT_SEEDS // 2
DECODER_SEEDS = ENCODER_SEEDS + ENCODER_CANVASES
VALIDATION_CANVASES = 256


def train(
    recipe: Recipe, folder: Path, *, device: str, processes: int, stages: tuple[str, ...] = ()
) -> None:
    """Run the given stages, by default all, each resuming from its checkpoint in `folder`.

    `folder` holds the recipe, shards, checkpoints, logs, and in `pipeline/` the exported model.
    """
    folder.mkdir(parents=True, exist_ok=True)
    recipe.save(folder / "recipe.json")
    torch.manual_seed(recipe.seed)
    autoencoder = _load_autoencoder(recipe, folder)
    patches = patch_map(autoencoder, recipe)
    if _is_selected("paint", stages):
        paint_shards(folder / "shards", recipe, patches, processes=processes)
    if _is_selected("decoder", stages):
        train_decoder(
            autoencoder,
            CanvasStream(DECODER_SEEDS, recipe.size),
            patches,
            recipe,
            folder,
            device=device,
            workers=processes,
        )
        autoencoder.cpu().save_pretrained(folder / "autoencoder")
    if _is_selected("denoiser", stages):
        _train_denoiser(recipe, folder, patches, device=device)


def start_from_pipeline(pipeline: Path, folder: Path) -> None:
    """Prepare a new training folder with the weights and the recipe of an exported pipeline.

    The optimiser state is new, and so is the tokenizer, trained on the captions: embeddings of
    new tokens come from the old tokens that spell them. Raises FileExistsError if `folder`
    holds a training already.
    """
    if (folder / "recipe.json").exists():
        raise FileExistsError(f"{folder} holds a training already.")
    shutil.copytree(pipeline / "vae", folder / "autoencoder", dirs_exist_ok=True)
    for part in ("tokenizer", "unet", "text_encoder"):
        shutil.copytree(pipeline / part, folder / "start" / part, dirs_exist_ok=True)
    shutil.copy(pipeline / "recipe.json", folder)  # last: it marks the folder as complete


def _build_denoiser(recipe: Recipe, folder: Path, tokenizer: CLIPTokenizer) -> Denoiser:
    """A denoiser with the weights of `start_from_pipeline`, or with random ones."""
    start = folder / "start"
    if not start.exists():
        return Denoiser(build_unet(recipe), build_text_encoder(tokenizer, recipe))
    encoder = CLIPTextModel.from_pretrained(start / "text_encoder")
    unet = UNet2DConditionModel.from_pretrained(start / "unet")
    if unet.config.in_channels < recipe.latent_channels:
        unet = widen_unet(unet, recipe)
    return Denoiser(
        unet,
        replace_vocabulary(encoder, load_tokenizer(start / "tokenizer"), tokenizer, recipe),
    )


def _is_selected(stage: str, stages: tuple[str, ...]) -> bool:
    """Whether a stage is in `stages`; an empty tuple selects all."""
    return not stages or stage in stages


def _load_autoencoder(recipe: Recipe, folder: Path) -> AutoencoderTiny:
    """Load the autoencoder; on first use, initialise it, or widen a narrower one, and save it."""
    path = folder / "autoencoder"
    narrow = AutoencoderTiny.from_pretrained(path).float() if path.exists() else None
    if narrow and narrow.config.latent_channels == recipe.latent_channels:
        return narrow
    seeds = range(ENCODER_SEEDS, ENCODER_SEEDS + ENCODER_CANVASES)
    images, _ = paint_batch(seeds, recipe.size)
    if narrow:
        model = widen_autoencoder(narrow, recipe, images)
    else:
        model = build_autoencoder(recipe)
        fit_encoder(model, images)
        initialise_decoder(model, images[:256], patch_map(model, recipe))
    model.save_pretrained(path)
    return model


def _train_denoiser(recipe: Recipe, folder: Path, patches: PatchMap, *, device: str) -> None:
    shards = paint_shards(folder / "shards", recipe, patches, processes=1)
    canvases = load_shards(shards)
    texts = (text for lines in canvases.captions for text in lines)
    tokenizer = _load_tokenizer(recipe, folder, texts)
    manners = [manner_of(seed) for seed in range(recipe.canvases)]
    weights = [recipe.sampling_weight(manner) for manner in manners]
    indices = [MANNERS.index(manner) for manner in manners]
    data = TrainingData.from_canvases(canvases, tokenizer, weights, indices)
    held_out = range(HELD_OUT_SEEDS, HELD_OUT_SEEDS + VALIDATION_CANVASES)
    validation_canvases = paint_canvases(held_out, recipe, patches)
    validation = TrainingData.from_canvases(validation_canvases, tokenizer)
    model = _build_denoiser(recipe, folder, tokenizer)
    count = sum(p.numel() for p in model.unet.parameters())
    log.info("%d canvases, UNet of %.1f M parameters", len(data.latents), count / 1e6)

    def export(denoiser: Denoiser, samples: int) -> None:
        autoencoder = _load_autoencoder(recipe, folder)
        export_pipeline(
            denoiser, tokenizer, autoencoder, recipe, folder / "pipeline", samples=samples
        )

    train_denoiser(model, data, validation, recipe, folder, device=device, on_checkpoint=export)


def _load_tokenizer(recipe: Recipe, folder: Path, texts: Iterable[str]) -> CLIPTokenizer:
    """Load the tokenizer; on first use, train it on `texts` and save it."""
    path = folder / "tokenizer"
    if not path.exists():
        train_tokenizer(texts, recipe).save_pretrained(path)
    return load_tokenizer(path)


def export_pipeline(
    model: Denoiser,
    tokenizer: CLIPTokenizer,
    autoencoder: AutoencoderTiny,
    recipe: Recipe,
    folder: Path,
    *,
    samples: int,
) -> None:
    """Write a stock `StableDiffusionPipeline` in fp16 safetensors, with its model card.

    `samples` is the number of latents drawn in this training. An earlier pipeline in `folder` is
    replaced only when the new one is complete.
    """
    draft = folder.with_name(folder.name + ".draft")
    shutil.rmtree(draft, ignore_errors=True)
    pipeline = StableDiffusionPipeline(
        unet=_half_copy(model.unet),
        text_encoder=_half_copy(model.text_encoder),
        vae=_half_copy(autoencoder),
        tokenizer=tokenizer,
        scheduler=build_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(draft, safe_serialization=True)
    for config in draft.glob("*/config.json"):
        clean_config(config)
    weights = sum(p.numel() for part in (model, autoencoder) for p in part.parameters())
    recipe = replace(recipe, seen=recipe.seen + samples)
    recipe.save(draft / "recipe.json")
    (draft / "README.md").write_text(model_card(recipe, weights))
    shutil.rmtree(folder, ignore_errors=True)
    draft.rename(folder)


def clean_config(config: Path) -> None:
    """Remove local paths from a configuration, and set its dtype to float32.

    transformers computes in that dtype, and CPUs are slow at fp16, which is for storage only.
    """
    content = json.loads(config.read_text())
    content.pop("_name_or_path", None)
    if "dtype" in content:
        content["dtype"] = "float32"
    config.write_text(json.dumps(content, indent=2) + "\n")


def _half_copy(model: torch.nn.Module) -> torch.nn.Module:
    """A copy of a model on the CPU in fp16, for inference."""
    return copy.deepcopy(model).cpu().half().eval().requires_grad_(False)
