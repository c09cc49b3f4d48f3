"""Weights of words: what signs in prompts mean, what is refused, and where it is said."""

from contextlib import nullcontext

import pytest
from pydantic import ValidationError

from momalisa.errors import BadInput
from momalisa.prompt_weights import parse_prompt
from momalisa.spec import Place, WalkSpec, explain
from momalisa.ui.wall_label import spec_lines
from tests.support.walks import walk_spec


def test_punctuation_after_a_weighted_word_has_no_weight() -> None:
    parts = parse_prompt("red++, blue-.")
    assert [(part.text, part.weight) for part in parts] == [
        *(("red", 1.21), (",", 1.0), (" blue", 0.9), (".", 1.0))
    ]
    assert parts.text == "red, blue."


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("(a cat", "a parenthesis that opens is also closed"),
        ("a cat)1.3", "a parenthesis that closes is also opened"),
        ("(" * 250, r"A plain one is written \( or \)"),
        ("(cat)-1", "“-1” is no weight"),
        ("(cat)1.3.4", "“1.3.4” is no weight"),
        ("(cat)99", "“cat” has the weight 99; please give one from 0 to 4"),
        ("((cat)3)3", "“cat” has the weight 9"),
        ("cat" + "+" * 99, "“cat” has the weight"),
    ],
)
def test_signs_that_mean_nothing_get_a_sentence_with_the_prompts_number(
    prompt: str, said: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        walk_spec("a sea", prompt, prompt_weights=True)
    sentence = explain(caught.value)["prompt_weights"]
    assert sentence.startswith("Prompt 2: ")
    assert said in sentence
    with pytest.raises(ValidationError) as caught:
        walk_spec(negative=prompt, prompt_weights=True)
    assert explain(caught.value)["prompt_weights"].startswith("The negative prompt: ")
    assert walk_spec("a sea", prompt).stops[1].prompt == prompt
    with pytest.raises(BadInput):
        parse_prompt(prompt)


def test_a_walk_without_weights_is_stored_as_it_was_before_there_were_any() -> None:
    plain, weighted = walk_spec("a (cat", "b"), walk_spec("a (cat)1.3", "b", prompt_weights=True)
    assert "prompt_weights" not in plain.model_dump()
    assert not WalkSpec.from_stored(plain.model_dump(mode="json")).prompt_weights
    assert WalkSpec.from_stored(weighted.model_dump(mode="json")) == weighted
    assert weighted.digest() != walk_spec("a (cat)1.3", "b").digest()
    assert "Words of the prompts weighted" in spec_lines(weighted, 24)


def test_prompts_that_differ_in_signs_without_effect_are_the_same() -> None:
    for other in ("a (red sea)1", "A (red)1 (sea)", "(a (red)0.5 sea)"):
        walk_spec("a red sea", other)
        same = parse_prompt(other.lower()) == parse_prompt("a red sea")
        with pytest.raises(ValidationError) if same else nullcontext():
            walk_spec("a red sea", other, prompt_weights=True)


def test_the_switch_is_on_or_off() -> None:
    with pytest.raises(ValidationError) as caught:
        walk_spec(prompt_weights="perhaps")
    assert explain(caught.value) == {"prompt_weights": "Prompt weights must be true or false."}


def test_a_stop_of_two_weighted_walks_is_one_frame_and_another_without() -> None:
    from momalisa.engine.frame_cache import frame_key

    walks = [
        walk_spec("a (cat)1.3", other, prompt_weights=weigh)
        for other, weigh in (("a sea", True), ("a moon", True), ("a sea", False))
    ]
    one, same, plain = (frame_key(walk, Place(0, 0.0), "0" * 64) for walk in walks)
    assert one == same != plain
