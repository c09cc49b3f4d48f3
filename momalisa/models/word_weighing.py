"""Weighs the words of a prompt by compel, for the text encoders of a pipeline of diffusers.

A token's embedding moves away from that of an empty prompt for weights above 1, and for those below
towards that of the prompt in which the words are masked.
"""

from typing import Any

import torch
from torch import Tensor

from momalisa.prompt_weights import WeightedPrompt


def weigh_words(
    prompt: WeightedPrompt,
    pipeline: Any,
    device: torch.device,
    *,
    number: int = 1,
    penultimate: bool = False,
    length: int | None = None,
) -> Tensor:
    """The embeddings (1, length, width) of a prompt in fp32, by the pipeline's text encoder 1 or 2.

    They are those of its last layer, or of the last but one. `length` is in tokens, as many as the
    tokenizer says by default.
    """
    # It imports the pipelines of all families that it knows, which takes a second.
    from compel import EmbeddingsProvider, ReturnedEmbeddingsType

    end = "" if number == 1 else f"_{number}"
    encoder = getattr(pipeline, f"text_encoder{end}")
    layers = ReturnedEmbeddingsType
    provider = EmbeddingsProvider(
        tokenizer=getattr(pipeline, f"tokenizer{end}"),
        text_encoder=encoder,
        returned_embeddings_type=(
            layers.PENULTIMATE_HIDDEN_STATES_NON_NORMALIZED
            if penultimate
            else layers.LAST_HIDDEN_STATES_NORMALIZED
        ),
        padding_attention_mask_value=int(not getattr(encoder.config, "use_attention_mask", False)),
        model_max_length=length,
        device=device,
    )
    # Compel cannot lower the weight of what is no token.
    parts = [part for part in prompt if any(provider.get_token_ids([part.text], False))]
    embeddings: Tensor = provider.get_embeddings_for_weighted_prompt_fragments(
        [[part.text for part in parts]], [[part.weight for part in parts]], device=device
    )
    return embeddings.float()
