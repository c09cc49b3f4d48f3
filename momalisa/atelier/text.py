"""The tokenizer, trained on the captions, and the text encoder."""

import json
from collections.abc import Iterable
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from momalisa.atelier.recipe import Recipe

START, END = "<|startoftext|>", "<|endoftext|>"


def train_tokenizer(captions: Iterable[str], recipe: Recipe) -> CLIPTokenizer:
    """Train a byte-level BPE tokenizer in CLIP's layout, which can encode any text."""
    bpe = Tokenizer(models.BPE(end_of_word_suffix="</w>", unk_token=END))
    bpe.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Whitespace(), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=recipe.vocabulary - len(alphabet) - 2,
        initial_alphabet=alphabet,
        end_of_word_suffix="</w>",
        show_progress=False,
    )
    bpe.train_from_iterator(captions, trainer)
    ids = bpe.get_vocab(with_added_tokens=False)
    tokens = sorted(ids, key=lambda token: ids[token])
    missing = [f"{letter}</w>" for letter in alphabet if f"{letter}</w>" not in ids]
    vocabulary = {token: i for i, token in enumerate([*tokens, *missing, START, END])}
    return CLIPTokenizer(vocab=vocabulary, merges=_merges(bpe), model_max_length=recipe.tokens)


def _merges(bpe: Tokenizer) -> list[tuple[str, str]]:
    pairs = json.loads(bpe.to_str())["model"]["merges"]
    return [tuple(pair.split(" ") if isinstance(pair, str) else pair) for pair in pairs]


def build_text_encoder(tokenizer: CLIPTokenizer, recipe: Recipe) -> CLIPTextModel:
    """Build a small CLIP text model with fresh weights."""
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=recipe.text_width,
            projection_dim=recipe.text_width,
            intermediate_size=4 * recipe.text_width,
            num_hidden_layers=recipe.text_layers,
            num_attention_heads=recipe.text_heads,
            max_position_embeddings=recipe.tokens,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


@torch.no_grad()
def replace_vocabulary(
    encoder: CLIPTextModel, old: CLIPTokenizer, new: CLIPTokenizer, recipe: Recipe
) -> CLIPTextModel:
    """Copy an encoder of the tokens of `old` to one of the tokens of `new`.

    Tokens of both keep their embedding; a new token gets the mean embedding of the old tokens
    that spell it.
    """
    copy = build_text_encoder(new, recipe)
    weights = encoder.state_dict()
    name = next(name for name in weights if name.endswith("token_embedding.weight"))
    old_ids, rows = old.get_vocab(), []
    for token, _ in sorted(new.get_vocab().items(), key=lambda item: item[1]):
        ids = [old_ids[token]] if token in old_ids else _spell(token, old)
        rows.append(weights[name][ids].mean(0))
    copy.load_state_dict(weights | {name: torch.stack(rows)})
    return copy


def _spell(token: str, tokenizer: CLIPTokenizer) -> list[int]:
    """The ids of the tokens that spell a token of another vocabulary."""
    text = token.removesuffix("</w>")
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids


def tokenise(tokenizer: CLIPTokenizer, texts: list[str]) -> Tensor:
    """Token ids (n, length) of texts, padded or truncated to the tokenizer's length."""
    batch = tokenizer(texts, padding="max_length", truncation=True, return_tensors="pt")
    return batch["input_ids"]  # type: ignore[no-any-return]


def load_tokenizer(folder: Path) -> CLIPTokenizer:
    """Load the tokenizer saved in `folder`."""
    return CLIPTokenizer.from_pretrained(folder)
