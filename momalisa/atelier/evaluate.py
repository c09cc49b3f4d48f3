"""Judge a trained model: are the colours that a prompt names in the picture, and how does it look?

Every figure stands beside the same figure for the painter's own canvases (the best that could
be learned) and for pictures of the wrong prompts (chance).
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from momalisa.atelier.autoencoder import psnr
from momalisa.atelier.canvases import paint_batch
from momalisa.atelier.painter import COLOURS, paint
from momalisa.atelier.recipe import HELD_OUT_SEEDS
from momalisa.frames import Frame
from momalisa.models.sd import StableDiffusion

NEAR = 22.0
"""CIELAB distance within which a pixel counts as of a named colour."""
GROUND_SHARE, INK_SHARE = 0.25, 0.01
"""The least share of a picture's pixels that a named ground and a named motif take."""
SHAPES = ("square", "circle", "triangle", "cross", "star", "heart")
BATCH = 8

GALLERY = (
    "a red square on white",
    "a stormy sea at night",
    "black and white stripes",
    "three yellow circles on blue",
    "composition with red, blue and yellow, de stijl",
    "colour field painting in orange and maroon",
    "a starry night over a village",
    "op art, a black and white bulge",
    "a skyline at night",
    "mountains in the snow",
    "a green cat on pink",
    "a blue mask on orange",
    "concentric circles in red, cream and black",
    "a vase of flowers on yellow",
    "a boat on a calm sea",
    "paper cut-outs, blue leaves",
    "a desert at dusk",
    "a forest in autumn",
    "pink and turquoise chevrons",
    "bauhaus circles on cream",
    "a zip painting in red",
    "a pop art heart",
    "a portrait of a woman on blue",
    "black and white spiral",
)


@dataclass(frozen=True)
class ColourPrompt:
    """A prompt that names the colour of its ground and of its motif."""

    text: str
    ground: str
    ink: str


@dataclass(frozen=True)
class Report:
    """Shares of pictures, from 0 to 1, and decibels."""

    prompts: int
    ground: float
    ink: float
    both: float
    ground_by_chance: float
    ink_by_chance: float
    ground_on_canvases: float
    autoencoder_psnr: float


def colour_prompts(count: int, seed: int = 0) -> list[ColourPrompt]:
    """Plain prompts of a shape on a ground, of colours that are easily told apart."""
    dice = Random(seed)
    prompts: list[ColourPrompt] = []
    while len(prompts) < count:
        ground, ink = dice.sample(sorted(COLOURS), 2)
        if _lab_distance(ground, ink) > 2.0 * NEAR:
            shape = dice.choice(SHAPES)
            prompts.append(ColourPrompt(f"a {ink} {shape} on {ground}", ground, ink))
    return prompts


def share_of(colour: str, picture: Frame) -> float:
    """The share of a picture's pixels that are near a named colour, after a little smoothing."""
    smooth = cv2.GaussianBlur(picture, (0, 0), 2.0)
    distance = np.linalg.norm(_lab(smooth) - _lab_of(colour), axis=-1)
    return float((distance < NEAR).mean())


def _lab(picture: Frame) -> NDArray[np.float32]:
    lab: NDArray[np.float32] = cv2.cvtColor(picture.astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB)
    return lab


def _lab_of(colour: str) -> NDArray[np.float32]:
    pixel: NDArray[np.float32] = _lab(np.array([[COLOURS[colour]]], np.uint8))[0, 0]
    return pixel


def _lab_distance(one: str, other: str) -> float:
    return float(np.linalg.norm(_lab_of(one) - _lab_of(other)))


@torch.no_grad()
def pictures(
    model: StableDiffusion, prompts: Sequence[str], *, steps: int, guidance: float, seed: int = 0
) -> list[Frame]:
    """A picture for each prompt, each from noise of its own."""
    size = int(model.pipeline.unet.config.sample_size) * model.factor
    silence = model.encode([""])[0]
    found: list[Frame] = []
    for start in range(0, len(prompts), BATCH):
        some = prompts[start : start + BATCH]
        seeds = [seed + start + i for i in range(len(some))]
        noise = torch.stack([model.noise(s, size) for s in seeds])
        latents, _ = model.denoise(
            noise, model.encode(some), silence, steps=steps, guidance=guidance, seeds=seeds
        )
        found += model.decode(latents)
    return found


def evaluate(model: StableDiffusion, *, count: int, steps: int, guidance: float) -> Report:
    """Measure a model on prompts and canvases that it was not trained on."""
    asked = colour_prompts(count)
    shown = pictures(model, [p.text for p in asked], steps=steps, guidance=guidance)
    grounds = [share_of(p.ground, f) >= GROUND_SHARE for p, f in zip(asked, shown, strict=True)]
    inks = [share_of(p.ink, f) >= INK_SHARE for p, f in zip(asked, shown, strict=True)]
    wrong = list(zip(asked[1:] + asked[:1], shown, strict=True))
    canvases = [paint("suprematist-shapes", HELD_OUT_SEEDS + i) for i in range(count)]
    return Report(
        prompts=count,
        ground=float(np.mean(grounds)),
        ink=float(np.mean(inks)),
        both=float(np.mean([a and b for a, b in zip(grounds, inks, strict=True)])),
        ground_by_chance=float(np.mean([share_of(p.ground, f) >= GROUND_SHARE for p, f in wrong])),
        ink_by_chance=float(np.mean([share_of(p.ink, f) >= INK_SHARE for p, f in wrong])),
        ground_on_canvases=float(
            np.mean([share_of(c.facts.ground, c.pixels) >= GROUND_SHARE for c in canvases])
        ),
        autoencoder_psnr=_reconstruction(model),
    )


@torch.no_grad()
def _reconstruction(model: StableDiffusion) -> float:
    """PSNR in dB of held-out canvases through encoder and decoder."""
    vae = model.pipeline.vae
    images, _ = paint_batch(range(HELD_OUT_SEEDS, HELD_OUT_SEEDS + 64), 256)
    again = [vae.decoder(vae.encoder(part * 2.0 - 1.0)) for part in torch.split(images, BATCH)]
    return psnr(torch.cat(again) / 2.0 + 0.5, images)


def contact_sheet(
    frames: Sequence[Frame], captions: Sequence[str], columns: int = 6
) -> Image.Image:
    """Frames in rows, each with its prompt below it."""
    side, line = 192, 26
    rows = -(-len(frames) // columns)
    sheet = Image.new("RGB", (columns * side, rows * (side + line)), "white")
    draw = ImageDraw.Draw(sheet)
    for number, (frame, caption) in enumerate(zip(frames, captions, strict=True)):
        x, y = number % columns * side, number // columns * (side + line)
        small = Image.fromarray(frame).resize((side - 8, side - 8), Image.Resampling.LANCZOS)
        sheet.paste(small, (x + 4, y + 4))
        draw.text((x + 4, y + side), caption[:34], fill="black")
    return sheet


def table(report: Report) -> str:
    """The report as lines of name and value."""
    return "\n".join(f"{name:20} {value:8.3f}" for name, value in asdict(report).items())


def write(report: Report, path: Path) -> None:
    """The report as JSON."""
    path.write_text(json.dumps(asdict(report), indent=2) + "\n")
