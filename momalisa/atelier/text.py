"""The text side: a tokenizer learned from the captions, and the encoder that reads its tokens."""

import json
from collections.abc import Iterable
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from momalisa.atelier.recipe import Recipe

START, END = "<|startoftext|>", "<|endoftext|>"


def train_tokenizer(captions: Iterable[str], recipe: Recipe) -> CLIPTokenizer:
    """A byte-level BPE in CLIP's layout: every text can be written in it, known words in one."""
    learner = Tokenizer(models.BPE(end_of_word_suffix="</w>", unk_token=END))
    learner.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    learner.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Whitespace(), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=recipe.vocabulary - len(alphabet) - 2,
        initial_alphabet=alphabet,
        end_of_word_suffix="</w>",
        show_progress=False,
    )
    learner.train_from_iterator(captions, trainer)
    learned = learner.get_vocab(with_added_tokens=False)
    words = sorted(learned, key=lambda word: learned[word])
    missing = [f"{letter}</w>" for letter in alphabet if f"{letter}</w>" not in learned]
    vocabulary = {word: i for i, word in enumerate([*words, *missing, START, END])}
    return CLIPTokenizer(vocab=vocabulary, merges=_merges(learner), model_max_length=recipe.tokens)


def _merges(learner: Tokenizer) -> list[tuple[str, str]]:
    pairs = json.loads(learner.to_str())["model"]["merges"]
    return [tuple(pair.split(" ") if isinstance(pair, str) else pair) for pair in pairs]


def build_text_encoder(tokenizer: CLIPTokenizer, recipe: Recipe) -> CLIPTextModel:
    """A small CLIP text model with fresh weights."""
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
def with_vocabulary(
    encoder: CLIPTextModel, old: CLIPTokenizer, new: CLIPTokenizer, recipe: Recipe
) -> CLIPTextModel:
    """The same encoder, reading the tokens of `new` in place of those of `old`.

    A token that both know keeps its embedding; another starts as the mean of the old tokens
    that spell it.
    """
    successor = build_text_encoder(new, recipe)
    weights = encoder.state_dict()
    name = next(name for name in weights if name.endswith("token_embedding.weight"))
    known, rows = old.get_vocab(), []
    for token, _ in sorted(new.get_vocab().items(), key=lambda item: item[1]):
        spelled = [known[token]] if token in known else _spelled(token, old)
        rows.append(weights[name][spelled].mean(0))
    successor.load_state_dict(weights | {name: torch.stack(rows)})
    return successor


def _spelled(token: str, tokenizer: CLIPTokenizer) -> list[int]:
    text = token.removesuffix("</w>")
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids


def load_tokenizer(folder: Path) -> CLIPTokenizer:
    """The tokenizer saved in `folder`."""
    return CLIPTokenizer.from_pretrained(folder)
