"""Tiny pipelines with random weights of families whose prompts a language model reads."""

from typing import Any

from tests.support.families import WIDTH, TinyFamily, autoencoder

CHAT = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and not enable_thinking %}<think>\n</think>\n{% endif %}"
)


def qwen_tokenizer() -> Any:
    """A Qwen tokenizer of bytes, with a chat's template."""
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import Qwen2Tokenizer

    letters = {letter: number for number, letter in enumerate(sorted(ByteLevel.alphabet()))}
    tokenizer = Qwen2Tokenizer(vocab=letters, merges=[], model_max_length=1024)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    tokenizer.chat_template = CHAT
    return tokenizer


def language_model(width: int = WIDTH, layers: int = 2, **changes: Any) -> dict[str, Any]:
    """The settings of a tiny language model."""
    return {
        "vocab_size": 320,
        "hidden_size": width,
        "intermediate_size": 16,
        "num_hidden_layers": layers,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 8,
        "max_position_embeddings": 2048,
        **changes,
    }


def flow_scheduler(**options: Any) -> Any:
    """A scheduler of a model that was trained by flow matching."""
    from diffusers import FlowMatchEulerDiscreteScheduler

    return FlowMatchEulerDiscreteScheduler(**options)


def z_image() -> Any:
    """A `ZImagePipeline`."""
    import torch
    from diffusers import ZImagePipeline, ZImageTransformer2DModel
    from transformers import Qwen3Config, Qwen3Model

    transformer = ZImageTransformer2DModel(
        in_channels=4,
        dim=32,
        n_layers=1,
        n_refiner_layers=1,
        n_heads=2,
        n_kv_heads=2,
        cap_feat_dim=WIDTH,
        axes_dims=[4, 4, 8],
        axes_lens=[1024, 64, 64],
    )
    for name in ("x_pad_token", "cap_pad_token"):
        torch.nn.init.normal_(getattr(transformer, name))
    return ZImagePipeline(
        transformer=transformer.eval(),
        scheduler=flow_scheduler(shift=3.0),
        vae=autoencoder(),
        text_encoder=Qwen3Model(Qwen3Config(**language_model(layers=3))).eval(),
        tokenizer=qwen_tokenizer(),
    )


def qwen_image() -> Any:
    """A `QwenImagePipeline`."""
    from diffusers import (
        AutoencoderKLQwenImage,
        QwenImagePipeline,
        QwenImageTransformer2DModel,
    )
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    config = Qwen2_5_VLConfig(
        text_config=language_model(
            rope_parameters={
                "rope_type": "default",
                "rope_theta": 10000.0,
                "mrope_section": [1, 1, 2],
            }
        ),
        vision_config={
            "depth": 1,
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_heads": 2,
            "out_hidden_size": WIDTH,
        },
    )
    transformer = QwenImageTransformer2DModel(
        in_channels=16,
        out_channels=4,
        num_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=WIDTH,
        axes_dims_rope=(4, 4, 8),
    )
    vae = AutoencoderKLQwenImage(
        base_dim=8,
        z_dim=4,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        latents_mean=[0.1, -0.2, 0.3, 0.0],
        latents_std=[2.0, 1.5, 1.2, 0.8],
    )
    return QwenImagePipeline(
        transformer=transformer.eval(),
        scheduler=flow_scheduler(use_dynamic_shifting=True),
        vae=vae.eval(),
        text_encoder=Qwen2_5_VLForConditionalGeneration(config).eval(),
        tokenizer=qwen_tokenizer(),
    )


def through_film_autoencoder(vae: Any, pixels: Any) -> Any:
    """Pictures as an autoencoder of films gives them back."""
    return vae.decode(vae.encode(pixels[:, :, None]).latent_dist.mode()).sample[:, :, 0]


def gemma_tokenizer() -> Any:
    """A Gemma tokenizer of letters."""
    from transformers import GemmaTokenizer

    letters = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", *map(chr, range(33, 127)), "▁", "\n"]
    vocabulary = {letter: number for number, letter in enumerate(letters)}
    return GemmaTokenizer(vocab=vocabulary, merges=[], model_max_length=1024)


def gemma() -> Any:
    """A tiny Gemma 2."""
    from transformers import Gemma2Config, Gemma2Model

    return Gemma2Model(Gemma2Config(**language_model(query_pre_attn_scalar=8))).eval()


def coarse_autoencoder() -> Any:
    """An autoencoder with cells of 32 pixels."""
    from diffusers import AutoencoderDC

    stages = 6
    return AutoencoderDC(
        latent_channels=4,
        encoder_block_types="ResBlock",
        decoder_block_types="ResBlock",
        encoder_block_out_channels=(8,) * stages,
        decoder_block_out_channels=(8,) * stages,
        encoder_layers_per_block=(1,) * stages,
        decoder_layers_per_block=(1,) * stages,
        encoder_qkv_multiscales=((),) * stages,
        decoder_qkv_multiscales=((),) * stages,
        scaling_factor=0.7,
    ).eval()


def through_coarse_autoencoder(vae: Any, pixels: Any) -> Any:
    """Pictures as that autoencoder gives them back."""
    return vae.decode(vae.encode(pixels).latent).sample


def sana_transformer(**options: Any) -> Any:
    """Sana's transformer."""
    from diffusers import SanaTransformer2DModel

    return SanaTransformer2DModel(
        in_channels=4,
        out_channels=4,
        num_attention_heads=2,
        attention_head_dim=8,
        num_layers=1,
        num_cross_attention_heads=2,
        cross_attention_head_dim=8,
        cross_attention_dim=16,
        caption_channels=WIDTH,
        **options,
    ).eval()


def sana() -> Any:
    """A `SanaPipeline`, whose scheduler is a solver on a flow."""
    from diffusers import DPMSolverMultistepScheduler, SanaPipeline

    return SanaPipeline(
        transformer=sana_transformer(),
        scheduler=DPMSolverMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0
        ),
        vae=coarse_autoencoder(),
        text_encoder=gemma(),
        tokenizer=gemma_tokenizer(),
    )


def sana_sprint() -> Any:
    """A `SanaSprintPipeline`."""
    from diffusers import SanaSprintPipeline, SCMScheduler

    return SanaSprintPipeline(
        transformer=sana_transformer(guidance_embeds=True, qk_norm="rms_norm_across_heads"),
        scheduler=SCMScheduler(),
        vae=coarse_autoencoder(),
        text_encoder=gemma(),
        tokenizer=gemma_tokenizer(),
    )


def lumina2() -> Any:
    """A `Lumina2Pipeline`, whose scheduler shifts by size."""
    from diffusers import Lumina2Pipeline, Lumina2Transformer2DModel

    transformer = Lumina2Transformer2DModel(
        sample_size=16,
        in_channels=4,
        hidden_size=32,
        num_layers=1,
        num_refiner_layers=1,
        num_attention_heads=2,
        num_kv_heads=1,
        multiple_of=16,
        axes_dim_rope=(8, 4, 4),
        axes_lens=(300, 64, 64),
        cap_feat_dim=WIDTH,
    )
    return Lumina2Pipeline(
        transformer=transformer.eval(),
        scheduler=flow_scheduler(use_dynamic_shifting=True),
        vae=autoencoder(),
        text_encoder=gemma(),
        tokenizer=gemma_tokenizer(),
    )


def flux2_klein(distilled: bool = False) -> Any:
    """A `Flux2KleinPipeline`; its language model has as many layers as are read."""
    import torch
    from diffusers import AutoencoderKLFlux2, Flux2KleinPipeline, Flux2Transformer2DModel
    from transformers import Qwen3Config, Qwen3ForCausalLM

    transformer = Flux2Transformer2DModel(
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=3 * WIDTH,
        timestep_guidance_channels=16,
        axes_dims_rope=(4, 4, 4, 4),
        guidance_embeds=False,
    )
    vae = AutoencoderKLFlux2(
        block_out_channels=(8, 8, 8, 8), latent_channels=4, norm_num_groups=4, layers_per_block=1
    )
    with torch.no_grad():
        vae.bn.running_mean.normal_(std=0.2)
        vae.bn.running_var.uniform_(0.5, 2.0)
    return Flux2KleinPipeline(
        transformer=transformer.eval(),
        scheduler=flow_scheduler(use_dynamic_shifting=True),
        vae=vae.eval(),
        text_encoder=Qwen3ForCausalLM(Qwen3Config(**language_model(layers=28))).eval(),
        tokenizer=qwen_tokenizer(),
        is_distilled=distilled,
    )


def prx() -> Any:
    """A `PRXPipeline`."""
    from diffusers import PRXPipeline, PRXTransformer2DModel
    from transformers import T5GemmaConfig
    from transformers.models.t5gemma.modeling_t5gemma import T5GemmaEncoder

    settings = language_model(query_pre_attn_scalar=8, layer_types=["full_attention"] * 2)
    config = T5GemmaConfig(encoder=settings, decoder=settings, vocab_size=320)
    text_encoder = T5GemmaEncoder(config.encoder).eval()
    text_encoder.config = config  # checkpoints hold that of the whole
    tokenizer = gemma_tokenizer()
    tokenizer.model_max_length = 64
    transformer = PRXTransformer2DModel(
        in_channels=4,
        context_in_dim=WIDTH,
        hidden_size=32,
        num_heads=2,
        depth=1,
        axes_dim=[8, 8],
    )
    return PRXPipeline(
        transformer=transformer.eval(),
        scheduler=flow_scheduler(shift=3.0),
        vae=autoencoder(),
        text_encoder=text_encoder,
        tokenizer=tokenizer,
        default_sample_size=256,
    )


LANGUAGE_MODEL_FAMILIES = {
    "z-image": TinyFamily(
        z_image,
        guidance=5.0,
        negative="blur",
        options={"guidance_scale": 4.0},
    ),
    "z-image turbo": TinyFamily(z_image, guidance=1.0, options={"guidance_scale": 0.0}),
    "qwen-image": TinyFamily(
        qwen_image,
        guidance=4.0,
        negative="blur",
        options={"guidance_scale": None, "true_cfg_scale": 4.0},
        through_autoencoder=through_film_autoencoder,
    ),
    "sana": TinyFamily(
        sana,
        guidance=4.5,
        negative="blur",
        options={"use_resolution_binning": False},
        through_autoencoder=through_coarse_autoencoder,
    ),
    "sana-sprint": TinyFamily(
        sana_sprint,
        guidance=4.5,
        steps=2,
        options={"use_resolution_binning": False},
        through_autoencoder=through_coarse_autoencoder,
    ),
    "lumina2": TinyFamily(lumina2, guidance=4.0, negative="blur"),
    "flux.2 klein base": TinyFamily(flux2_klein, guidance=4.0),
    "flux.2 klein": TinyFamily(lambda: flux2_klein(distilled=True), guidance=1.0),
    "prx": TinyFamily(
        prx, guidance=4.0, negative="blur", options={"use_resolution_binning": False}
    ),
}
