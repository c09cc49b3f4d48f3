"""Captions are deterministic, distinct, short and true to the facts."""

import re
from dataclasses import replace

import pytest

from momalisa.atelier.captions import write_captions
from momalisa.atelier.painter import MANNERS, Facts, paint
from momalisa.atelier.painter.facts import Arrangement, Group
from momalisa.atelier.painter.words import COLOUR_WORDS, MOTIF_WORDS, STYLES
from momalisa.atelier.phrases import join_words, with_article

SQUARE = Facts("suprematist-shapes", "white", ("red",), "square", ink="red")


def all_names(colours: tuple[str, ...]) -> set[str]:
    """The names and synonyms of colours."""
    return {word for name in colours for word in (name, *COLOUR_WORDS[name])}


ALL_COLOURS = all_names(tuple(COLOUR_WORDS))


@pytest.mark.parametrize("manner", MANNERS)
def test_every_manner_gets_six_distinct_short_captions(manner: str) -> None:
    for seed in range(12):
        facts = paint(manner, seed, 64).facts
        texts = write_captions(facts, seed)
        assert texts == write_captions(facts, seed)
        assert len(texts) == len(set(texts)) == 6
        assert all(text == text.strip() and "  " not in text for text in texts)
        assert all(0 < len(text) <= 200 and len(text.split()) <= 20 for text in texts)


@pytest.mark.parametrize("manner", MANNERS)
def test_captions_name_something_true(manner: str) -> None:
    facts = paint(manner, 2, 64).facts
    names, labels = STYLES[manner]
    true = all_names((facts.ground, *facts.colours)) | {facts.motif, facts.place, facts.mood}
    true |= {*MOTIF_WORDS.get(facts.motif, ()), *names, *labels} - {""}
    texts = write_captions(facts, 2)
    assert sum(any(word and word in text for word in true) for text in texts) >= 4


def test_most_captions_name_a_colour_and_about_half_the_manner() -> None:
    texts, styled = [], 0
    for manner in MANNERS:
        for seed in range(6):
            facts = paint(manner, seed, 64).facts
            captions = write_captions(facts, seed)
            texts += captions
            names, labels = STYLES[manner]
            styled += sum(any(style in text for style in (*names, *labels)) for text in captions)
    coloured = sum(any(word in text for word in ALL_COLOURS) for text in texts)
    assert 0.7 < coloured / len(texts) < 0.92
    assert 0.4 < styled / len(texts) < 0.65


def test_a_red_square_is_called_red_and_no_other_colour() -> None:
    texts = {text for seed in range(60) for text in write_captions(SQUARE, seed)}
    assert {"a red square on white", "red square", "a red square", "a square"} <= texts
    wrong = {"blue", "green", "yellow", "purple", "orange", "navy", "pink", "brown"}
    assert not any(word in text.split() for text in texts for word in wrong)


def test_captions_name_the_number_of_things() -> None:
    texts = {t for seed in range(60) for t in write_captions(replace(SQUARE, count=3), seed)}
    assert "three red squares on white" in texts
    assert not any(text.startswith("a red square") for text in texts)


def test_captions_name_weather_and_time() -> None:
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
    texts = {text for seed in range(120) for text in write_captions(sea, seed)}
    assert "a stormy sea at night" in texts
    assert not any("calm" in text or "day" in text.split() for text in texts)


def test_captions_name_the_mood() -> None:
    sad = replace(SQUARE, mood="sad", ground="blue", colours=("grey",), ink="grey")
    texts = {text for seed in range(300) for text in write_captions(sad, seed)}
    assert "a sad blue picture" in texts


def test_words_are_joined_and_get_the_right_article() -> None:
    assert join_words(["red"]) == "red"
    assert join_words(["red", "blue", "white"]) == "red, blue and white"
    assert with_article("orange sun") == "an orange sun"
    assert with_article("red sun") == "a red sun"


def test_captions_name_an_animal_and_its_surroundings() -> None:
    fox = Facts(
        "animal",
        "white",
        ("orange", "blue"),
        "fox",
        place="field",
        weather="snow",
        season="winter",
        ink="orange",
        sky="blue",
    )
    texts = {text for seed in range(200) for text in write_captions(fox, seed)}
    assert {"a fox in the snow", "an orange fox in the snow"} <= texts
    whale = replace(fox, motif="whale", ink="grey", place="sea", weather="", season="", sky="")
    assert "a whale in the sea" in {t for s in range(200) for t in write_captions(whale, s)}


def test_captions_name_the_relation_of_shapes() -> None:
    groups = (Group("circle", "blue", 2), Group("triangle", "yellow"))
    both = replace(
        SQUARE, motif="circle", count=2, ink="blue", arrangement=Arrangement("above", groups)
    )
    texts = {text for seed in range(200) for text in write_captions(both, seed)}
    assert {
        "two blue circles above a yellow triangle",
        "a yellow triangle below two blue circles",
        "two blue circles and a yellow triangle",
    } <= texts
    assert not any("triangle above" in text or "triangles" in text for text in texts)
    corner = Arrangement("in the top left corner", (Group("cross", "black"),))
    single = replace(SQUARE, motif="cross", ink="black", arrangement=corner)
    assert "a black cross in the top left corner" in {
        text for seed in range(60) for text in write_captions(single, seed)
    }


def test_negations_name_only_absent_colours() -> None:
    without_red = replace(SQUARE, ink="blue", colours=("blue",), absent=("red", "green"))
    texts = [text for seed in range(200) for text in write_captions(without_red, seed)]
    negations = [text for text in texts if re.search(r"(no|without|any) (red|green)$", text)]
    assert 0.02 < len(negations) / len(texts) < 0.1
    assert any(text.endswith("without red") for text in negations)
    assert all("without red" not in text for s in range(99) for text in write_captions(SQUARE, s))


def test_a_target_is_called_concentric_circles() -> None:
    target = Facts("concentric-circles", "white", ("red", "blue"), "target")
    texts = {text for seed in range(80) for text in write_captions(target, seed)}
    assert "concentric circles in red, blue and white" in texts
    assert any("target" in text for text in texts)
