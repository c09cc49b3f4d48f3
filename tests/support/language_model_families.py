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


LANGUAGE_MODEL_FAMILIES = {
    "z-image": TinyFamily(
        z_image,
        guidance=5.0,
        negative="blur",
        options={"guidance_scale": 4.0},
    ),
    "z-image turbo": TinyFamily(z_image, guidance=1.0, options={"guidance_scale": 0.0}),
}
