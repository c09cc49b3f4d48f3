"""Tokenizers are read in each form in which checkpoints bring them."""

import json
from pathlib import Path
from typing import Any

from transformers.convert_slow_tokenizer import import_protobuf

from momalisa.models.registry import load
from tests.support.families import FAMILIES, write

NORMAL, UNKNOWN, CONTROL = 1, 2, 3
SPECIAL = {"<pad>": CONTROL, "</s>": CONTROL, "<unk>": UNKNOWN}


def sentencepiece_model(vocabulary: list[tuple[str, float]]) -> bytes:
    """A vocabulary as SentencePiece writes it."""
    model: Any = import_protobuf().ModelProto()
    for text, score in vocabulary:
        kind = SPECIAL.get(text, NORMAL)
        model.pieces.add(piece=text, score=score, type=kind)
    for name, number in {"pad": 0, "eos": 1, "unk": 2, "bos": -1}.items():
        setattr(model.trainer_spec, f"{name}_id", number)
    data: bytes = model.SerializeToString()
    return data


def test_t5_reads_a_vocabulary_of_sentencepiece_alone(tmp_path: Path) -> None:
    """As PixArt-Sigma and Chroma bring it."""
    folder = write(FAMILIES["pixart"], tmp_path)
    usual: Any = load(str(folder), "cpu").model
    file = folder / "tokenizer" / "tokenizer.json"
    vocabulary = json.loads(file.read_text())["model"]["vocab"]
    (file.parent / "spiece.model").write_bytes(sentencepiece_model(vocabulary))
    file.unlink()
    model: Any = load(str(folder), "cpu").model
    for prompt in ("a red square on white", ""):
        one, other = (m.pipeline.tokenizer(prompt)["input_ids"] for m in (usual, model))
        assert one == other
