"""Tiny pipelines with random weights of families with a transformer, made without a network."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROMPTS = ("a red square on white", "a stormy sea")
WIDTH = 16
"""Of text embeddings."""


@dataclass(frozen=True)
class TinyFamily:
    """A family's tiny pipeline, and how its stock pipeline is called."""

    build: Callable[[], Any]
    """A pipeline of a few thousand random weights."""
    guidance: float
    negative: str = ""
    steps: int = 3
    options: Mapping[str, Any] = field(default_factory=dict)
    """What else the stock pipeline is told, or instead."""
    through_autoencoder: Callable[[Any, Any], Any] = lambda vae, pixels: (
        vae.decode(vae.encode(pixels).latent_dist.mode()).sample
    )
    """Pictures (1, 3, h, w) in [-1, 1] as the autoencoder gives them back."""


def clip_tokenizer() -> Any:
    """A CLIP tokenizer of a few hundred tokens."""
    from momalisa.atelier.recipe import Recipe
    from momalisa.atelier.text import train_tokenizer

    return train_tokenizer(list(PROMPTS), Recipe(vocabulary=600, tokens=16))


def clip(tokenizer: Any, projection: int = 12) -> Any:
    """The configuration of a tiny CLIP text encoder."""
    from transformers import CLIPTextConfig

    return CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        projection_dim=projection,
        max_position_embeddings=tokenizer.model_max_length,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def t5_tokenizer() -> Any:
    """A T5 tokenizer of letters."""
    from transformers import T5Tokenizer

    letters: list[tuple[str, float]] = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    letters += [(letter, -2.0) for letter in "▁abcdefghijklmnopqrstuvwxyz"]
    return T5Tokenizer(vocab=letters, extra_ids=0, model_max_length=512)


def t5(width: int = WIDTH) -> Any:
    """A tiny T5 encoder."""
    from transformers import T5Config, T5EncoderModel

    config = T5Config(vocab_size=40, d_model=width, d_kv=8, d_ff=16, num_layers=1, num_heads=2)
    return T5EncoderModel(config).eval()


def autoencoder(shift: float | None = 0.1) -> Any:
    """A tiny autoencoder that halves sides three times."""
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        block_out_channels=(8, 8, 8, 8),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        norm_num_groups=4,
        sample_size=64,
        use_quant_conv=False,
        use_post_quant_conv=False,
        scaling_factor=1.5,
        shift_factor=shift,
    ).eval()


def unet(**options: Any) -> Any:
    """A tiny UNet of two sizes, of which the smaller one reads texts."""
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        block_out_channels=(16, 32),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=2,
        norm_num_groups=8,
        **options,
    )


def stable_diffusion_xl(scheduler: Any = None, **vae_options: Any) -> Any:
    """A `StableDiffusionXLPipeline`."""
    from diffusers import AutoencoderKL, EulerDiscreteScheduler, StableDiffusionXLPipeline
    from transformers import CLIPTextModel, CLIPTextModelWithProjection

    words = clip_tokenizer()
    network = unet(
        sample_size=8,
        cross_attention_dim=2 * WIDTH,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=12 + 6 * 8,
    )
    return StableDiffusionXLPipeline(
        vae=AutoencoderKL(
            block_out_channels=(16, 16, 16, 16),
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            norm_num_groups=8,
            sample_size=64,
            **vae_options,
        ),
        text_encoder=CLIPTextModel(clip(words)),
        text_encoder_2=CLIPTextModelWithProjection(clip(words)),
        tokenizer=words,
        tokenizer_2=words,
        unet=network,
        scheduler=scheduler or EulerDiscreteScheduler(beta_schedule="scaled_linear"),
        add_watermarker=False,
    )


def stable_diffusion_3(t5_is_there: bool = True) -> Any:
    """A `StableDiffusion3Pipeline`."""
    from diffusers import (
        FlowMatchEulerDiscreteScheduler,
        SD3Transformer2DModel,
        StableDiffusion3Pipeline,
    )
    from transformers import CLIPTextModelWithProjection

    words = clip_tokenizer()
    transformer = SD3Transformer2DModel(
        sample_size=16,
        patch_size=2,
        in_channels=4,
        out_channels=4,
        num_layers=1,
        attention_head_dim=8,
        num_attention_heads=2,
        joint_attention_dim=2 * WIDTH,
        caption_projection_dim=16,
        pooled_projection_dim=24,
        pos_embed_max_size=16,
    )
    return StableDiffusion3Pipeline(
        transformer=transformer.eval(),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
        vae=autoencoder(),
        text_encoder=CLIPTextModelWithProjection(clip(words)).eval(),
        tokenizer=words,
        text_encoder_2=CLIPTextModelWithProjection(clip(words)).eval(),
        tokenizer_2=words,
        text_encoder_3=t5(2 * WIDTH) if t5_is_there else None,
        tokenizer_3=t5_tokenizer() if t5_is_there else None,
    )


def flux(guided: bool = False) -> Any:
    """A `FluxPipeline`: schnell, or with embedded guidance dev."""
    from diffusers import (
        FlowMatchEulerDiscreteScheduler,
        FluxPipeline,
        FluxTransformer2DModel,
    )
    from transformers import CLIPTextModel

    words = clip_tokenizer()
    transformer = FluxTransformer2DModel(
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=WIDTH,
        pooled_projection_dim=WIDTH,
        axes_dims_rope=(4, 4, 8),
        guidance_embeds=guided,
    )
    return FluxPipeline(
        transformer=transformer.eval(),
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=guided),
        vae=autoencoder(),
        text_encoder=CLIPTextModel(clip(words)).eval(),
        tokenizer=words,
        text_encoder_2=t5(),
        tokenizer_2=t5_tokenizer(),
    )


def chroma() -> Any:
    """A `ChromaPipeline`."""
    from diffusers import (
        ChromaPipeline,
        ChromaTransformer2DModel,
        FlowMatchEulerDiscreteScheduler,
    )

    transformer = ChromaTransformer2DModel(
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=WIDTH,
        axes_dims_rope=(4, 4, 8),
        approximator_num_channels=8,
        approximator_hidden_dim=16,
        approximator_layers=1,
    )
    return ChromaPipeline(
        transformer=transformer.eval(),
        scheduler=FlowMatchEulerDiscreteScheduler(),
        vae=autoencoder(),
        text_encoder=t5(),
        tokenizer=t5_tokenizer(),
    )


def pixart_sigma() -> Any:
    """A `PixArtSigmaPipeline`, which learns the variance, too."""
    from diffusers import (
        DPMSolverMultistepScheduler,
        PixArtSigmaPipeline,
        PixArtTransformer2DModel,
    )

    transformer = PixArtTransformer2DModel(
        num_attention_heads=2,
        attention_head_dim=8,
        in_channels=4,
        out_channels=8,
        num_layers=1,
        cross_attention_dim=16,
        caption_channels=WIDTH,
        sample_size=8,
        norm_num_groups=4,
        use_additional_conditions=False,
    )
    return PixArtSigmaPipeline(
        transformer=transformer.eval(),
        # Random weights predict no noise: where the signal is nearly zero, latents would explode.
        scheduler=DPMSolverMultistepScheduler(beta_end=0.005),
        vae=autoencoder(shift=None),
        text_encoder=t5(),
        tokenizer=t5_tokenizer(),
    )


def consistency_model(guidance_embedded: bool = True) -> Any:
    """A `LatentConsistencyModelPipeline`, or Stable Diffusion with the scheduler of one."""
    from diffusers import LatentConsistencyModelPipeline, LCMScheduler, StableDiffusionPipeline
    from transformers import CLIPTextModel

    words = clip_tokenizer()
    network = unet(
        sample_size=32,
        cross_attention_dim=WIDTH,
        time_cond_proj_dim=16 if guidance_embedded else None,
    )
    kind = LatentConsistencyModelPipeline if guidance_embedded else StableDiffusionPipeline
    return kind(
        unet=network.eval(),
        scheduler=LCMScheduler(clip_sample=False, steps_offset=1),
        vae=autoencoder(shift=None),
        text_encoder=CLIPTextModel(clip(words)).eval(),
        tokenizer=words,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


FAMILIES = {
    "sdxl": TinyFamily(stable_diffusion_xl, guidance=5.0, negative="blur"),
    "lcm": TinyFamily(consistency_model, guidance=8.5),
    "sd with lcm": TinyFamily(lambda: consistency_model(False), guidance=1.0),
    "sd3": TinyFamily(stable_diffusion_3, guidance=5.0, negative="blur"),
    "sd3 without t5": TinyFamily(lambda: stable_diffusion_3(False), guidance=5.0),
    "flux schnell": TinyFamily(flux, guidance=0.0),
    "flux dev": TinyFamily(lambda: flux(True), guidance=3.5),
    "chroma": TinyFamily(chroma, guidance=5.0, negative="blur"),
    "pixart": TinyFamily(
        pixart_sigma,
        guidance=4.5,
        negative="blur",
        options={"clean_caption": False, "use_resolution_binning": False},
    ),
}


def write(family: TinyFamily, folder: Path) -> Path:
    """Write a family's pipeline into a folder."""
    import torch

    torch.manual_seed(0)
    family.build().save_pretrained(folder)
    return folder
