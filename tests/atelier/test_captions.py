"""Captions: repeatable, different from each other, short and true."""

from dataclasses import replace

import pytest

from momalisa.atelier.captions import captions, joined, with_article
from momalisa.atelier.painter import MANNERS, Facts, paint
from momalisa.atelier.painter.words import COLOUR_WORDS, MOTIF_WORDS, STYLES

SQUARE = Facts("suprematist-shapes", "white", ("red",), "square", ink="red")


def spoken(names: tuple[str, ...]) -> set[str]:
    """All words for these colours."""
    return {word for name in names for word in (name, *COLOUR_WORDS[name])}


ALL_COLOURS = spoken(tuple(COLOUR_WORDS))


@pytest.mark.parametrize("manner", MANNERS)
def test_six_different_short_captions_for_every_manner(manner: str) -> None:
    for seed in range(12):
        facts = paint(manner, seed, 64).facts
        texts = captions(facts, seed)
        assert texts == captions(facts, seed)
        assert len(texts) == len(set(texts)) == 6
        assert all(text == text.strip() and "  " not in text for text in texts)
        assert all(0 < len(text) <= 200 and len(text.split()) <= 20 for text in texts)


@pytest.mark.parametrize("manner", MANNERS)
def test_captions_name_something_true(manner: str) -> None:
    facts = paint(manner, 2, 64).facts
    names, labels = STYLES[manner]
    true = spoken((facts.ground, *facts.colours)) | {facts.motif, facts.place, facts.mood}
    true |= {*MOTIF_WORDS.get(facts.motif, ()), *names, *labels} - {""}
    texts = captions(facts, 2)
    assert sum(any(word and word in text for word in true) for text in texts) >= 4


def test_most_captions_name_a_colour_and_about_half_the_manner() -> None:
    texts, styled = [], 0
    for manner in MANNERS:
        for seed in range(6):
            facts = paint(manner, seed, 64).facts
            found = captions(facts, seed)
            texts += found
            names, labels = STYLES[manner]
            styled += sum(any(style in text for style in (*names, *labels)) for text in found)
    coloured = sum(any(word in text for word in ALL_COLOURS) for text in texts)
    assert 0.7 < coloured / len(texts) < 0.92
    assert 0.4 < styled / len(texts) < 0.65


def test_a_red_square_is_called_so_and_never_another_colour() -> None:
    texts = {text for seed in range(60) for text in captions(SQUARE, seed)}
    assert {"a red square on white", "red square", "a red square", "a square"} <= texts
    wrong = {"blue", "green", "yellow", "purple", "orange", "navy", "pink", "brown"}
    assert not any(word in text.split() for text in texts for word in wrong)


def test_several_are_counted() -> None:
    texts = {t for seed in range(60) for t in captions(replace(SQUARE, count=3), seed)}
    assert "three red squares on white" in texts
    assert not any(text.startswith("a red square") for text in texts)


def test_a_stormy_sea_at_night() -> None:
    sea = Facts(
        "seascape",
        "navy",
        ("blue",),
        "sea",
        place="sea",
        time="night",
        weather="stormy",
        sky="navy",
    )
    texts = {text for seed in range(120) for text in captions(sea, seed)}
    assert "a stormy sea at night" in texts
    assert not any("calm" in text or "day" in text.split() for text in texts)


def test_moods_are_spoken() -> None:
    sad = replace(SQUARE, mood="sad", ground="blue", colours=("grey",), ink="grey")
    texts = {text for seed in range(300) for text in captions(sad, seed)}
    assert "a sad blue picture" in texts


def test_words_are_joined_and_take_the_right_article() -> None:
    assert joined(["red"]) == "red"
    assert joined(["red", "blue", "white"]) == "red, blue and white"
    assert with_article("orange sun") == "an orange sun"
    assert with_article("red sun") == "a red sun"
