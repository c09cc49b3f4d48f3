"""Captions for canvases as a curator would type prompts: short, plain, true to the facts."""

from collections.abc import Callable
from random import Random

from momalisa.atelier.arrangement_phrases import arrangement_phrase, composition_phrase
from momalisa.atelier.meaning import FittingWords, Word
from momalisa.atelier.painter import Facts
from momalisa.atelier.painter.words import STYLES
from momalisa.atelier.phrases import (
    colour_list,
    flat_phrase,
    mood_phrase,
    motif_phrase,
    with_article,
)
from momalisa.atelier.scene_phrases import scene_phrase, time_phrase

# Manners whose motif can be at any place: "a cat in paris".
_MOVABLE = frozenset(
    {"animal", "naive-sign", "pop-dots", "pop-grid", "portrait", "dancers", "mask", "still-life"}
)

NO_WORDS = FittingWords()

_NO_ARTICLE = 0.12
"""Probability of a caption without its article."""
_NEGATION = 0.05
"""Probability that a caption also names a colour that is absent."""
_MAX_WORDS = 20


def write_captions(
    facts: Facts, seed: int, count: int = 6, fitting: FittingWords = NO_WORDS
) -> list[str]:
    """Write `count` distinct captions for a canvas; fewer if there are not as many.

    Half of them name the manner or its movement. A quarter uses an everyday word of `fitting`,
    if it has any, instead of what is visible. Deterministic in the arguments, order included.
    """
    rng = Random(f"{seed}:{facts}")
    everyday_count = count // 4 if fitting.words else 0
    everyday = _distinct(lambda _: _everyday_caption(facts, rng, fitting), everyday_count)
    visible = _distinct(lambda i: _visible_caption(facts, rng, i), count - len(everyday))
    captions = [*visible, *everyday]
    rng.shuffle(captions)
    return captions


def _distinct(write: Callable[[int], str], count: int) -> list[str]:
    """Call `write` with 0, 1, ... until it gave `count` distinct texts of at most _MAX_WORDS.

    Returns fewer after 30 × `count` calls.
    """
    texts: dict[str, None] = {}
    for attempt in range(30 * count):
        if len(texts) == count:
            break
        text = write(attempt)
        if len(text.split()) <= _MAX_WORDS:
            texts[text] = None
    return list(texts)


def _visible_caption(facts: Facts, rng: Random, attempt: int) -> str:
    """A caption of what is visible; at even attempts it names the manner."""
    plain = _plain_caption(facts, rng)
    if rng.random() < _NO_ARTICLE:
        plain = plain.removeprefix("a ").removeprefix("an ")
    text = plain if attempt % 2 else _style_caption(facts, rng, plain)
    if facts.absent and rng.random() < _NEGATION:
        link = rng.choice((" without", " without", ", no", ", without any", " with no"))
        text = f"{text}{link} {rng.choice(facts.absent)}"
    return text


def _subject(facts: Facts, rng: Random, coloured: bool) -> str:
    """What a picture is "of": the arrangement of a composition, or the motif."""
    if facts.arrangement:
        return arrangement_phrase(facts.arrangement, rng)
    return motif_phrase(facts, rng, coloured)


def _plain_caption(facts: Facts, rng: Random) -> str:
    """A caption that does not name the manner."""
    if facts.mood and rng.random() < 0.2:
        return mood_phrase(facts, rng)
    if rng.random() < 0.08:
        noun = rng.choice(("painting", "picture"))
        return f"a {noun} of {_subject(facts, rng, rng.random() < 0.7)}"
    if facts.arrangement:
        return composition_phrase(facts, facts.arrangement, rng)
    if facts.place:
        return scene_phrase(facts, rng)
    return flat_phrase(facts, rng)


def _style_caption(facts: Facts, rng: Random, plain: str) -> str:
    """A caption that names the manner, usually after the plain caption."""
    names, labels = STYLES[facts.manner]
    label, name = rng.choice(labels), rng.choice(names)
    link = rng.choice(("in the manner of", "in the style of"))
    is_noun = label.endswith(("painting", "portrait", "print")) and facts.motif not in label
    if is_noun and rng.random() < 0.15:
        return f"{label} of {_subject(facts, rng, rng.random() < 0.7)}"
    return rng.choice(
        (
            f"{plain}, {label}",
            f"{plain}, {name}",
            f"{plain}, {link} {name}",
            f"{plain} {link} {name}",
            f"{label}: {plain}",
            f"{label} in {colour_list(facts, rng)}",
            f"{label} in {colour_list(facts, rng, 2)}",
            f"{name}, {plain}",
        )
    )


def noun_phrase(word: Word) -> str:
    """The word as a noun phrase: "an elephant", "rain", "the milky way", "a lonely picture"."""
    match word.kind:
        case "thing":
            return with_article(word.text)
        case "the":
            return f"the {word.text}"
        case "quality":
            return f"{with_article(word.text)} picture"
        case _:
            return word.text


def _everyday_caption(facts: Facts, rng: Random, fitting: FittingWords) -> str:
    """A caption with one of the fitting words, alone or with something that is visible."""
    (word,) = rng.choices(fitting.words, fitting.odds)
    text = noun_phrase(word) if rng.random() < 0.8 else word.text
    if rng.random() < 0.3:
        return rng.choice((text, _word_in_phrase(word, rng)))
    names, labels = STYLES[facts.manner]
    return rng.choice(
        (
            f"{text} in {colour_list(facts, rng, 2)}",
            f"{text}, {rng.choice((*names, *labels))}",
            f"{text} in the style of {rng.choice(names)}",
            _word_pair(facts, rng, fitting, word),
            f"{_word_in_phrase(word, rng)} {time_phrase(facts, rng)}".strip(),
        )
    )


def _word_in_phrase(word: Word, rng: Random) -> str:
    """The word in a longer phrase: "a picture of grief", "the feeling of joy", "jazz music"."""
    phrases = {
        "feeling": f"the feeling of {word.text}",
        "music": f"{word.text} music",
        "quality": f"something {word.text}",
        "place": f"a street in {word.text}",
    }
    noun = rng.choice(("picture", "painting"))
    picture = noun_phrase(word) if word.kind == "quality" else f"a {noun} of {noun_phrase(word)}"
    return rng.choice((picture, phrases.get(word.kind, picture)))


def _word_pair(facts: Facts, rng: Random, fitting: FittingWords, word: Word) -> str:
    """Two fitting words, or a word and a place: "love and hope", "an elephant in africa"."""
    movable = facts.manner in _MOVABLE
    subject = noun_phrase(word)
    if movable and rng.random() < 0.5:
        subject = motif_phrase(facts, rng, rng.random() < 0.3)
    if word.kind == "place":
        return f"{subject} in {word.text}" if movable else noun_phrase(word)
    other = rng.choice([one for one in fitting.words if one.kind == word.kind])
    if word.kind == "quality":
        return noun_phrase(word) if other == word else f"{word.text} and {other.text}"
    if other == word or rng.random() < 0.5:
        return f"{subject} in {rng.choice(fitting.places).text}"
    return f"{noun_phrase(word)} and {noun_phrase(other)}"
