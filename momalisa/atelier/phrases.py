"""Phrases about a canvas's motif, colours and mood, the building blocks of captions."""

import re
from collections.abc import Callable, Sequence
from random import Random

from momalisa.atelier.painter import Facts
from momalisa.atelier.painter.words import (
    COLOUR_WORDS,
    MANY,
    MOOD_WORDS,
    MOTIF_WORDS,
    NUMBERS,
    PATTERNS,
    PLURALS,
    SCATTERED,
)

Phrase = Callable[[Facts, Random], str]

# Motifs whose ink is the colour of their clothes.
_DRESSED = ("woman", "man")
# Manners with several equal grounds.
_PATCHWORK = ("pop-grid", "cubist-facets")
# Written with an initial vowel but pronounced with a consonant, and the other way round.
_CONSONANT_SOUND = re.compile("eu|uk|uni[cftv]")
_VOWEL_SOUND = re.compile("hour")

_SYNONYM = 0.12
"""Probability of a synonym in place of a colour's name."""


def colour_word(name: str, rng: Random) -> str:
    """The colour's name, or sometimes a synonym."""
    return rng.choice(COLOUR_WORDS[name]) if rng.random() < _SYNONYM else name


def with_article(phrase: str) -> str:
    """Prepend "a" or "an" by pronunciation: "an hour", "a unicorn"."""
    vowel = phrase[0] in "aeiou" and not _CONSONANT_SOUND.match(phrase)
    return f"{'an' if vowel or _VOWEL_SOUND.match(phrase) else 'a'} {phrase}"


def join_words(words: Sequence[str]) -> str:
    """Join words as an English list: "red, blue and white"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def colour_list(facts: Facts, rng: Random, most: int = 3) -> str:
    """The `most` largest colours as a list, sometimes with the ground."""
    names = list(facts.colours[:most])
    if len(names) < 2 or (rng.random() < 0.5 and len(names) < most):
        names.append(facts.ground)
    if sorted(names) == ["black", "white"]:
        return "black and white"
    return join_words([colour_word(name, rng) for name in names])


def _motif_name(facts: Facts, rng: Random) -> str:
    synonyms = MOTIF_WORDS.get(facts.motif, ())
    return rng.choice(synonyms) if synonyms and rng.random() < 0.3 else facts.motif


def motif_phrase(facts: Facts, rng: Random, coloured: bool) -> str:
    """The motif with its number or article: "two red squares", "black and white stripes"."""
    if facts.motif == "target" and facts.count == 1 and rng.random() < 0.4:
        rings = f"concentric {rng.choice(('circles', 'circles', 'rings'))}"
        return f"{rings} in {colour_list(facts, rng)}" if coloured else rings
    word = f"{facts.form} {_motif_name(facts, rng)}".strip()
    colour = _motif_colour(facts, rng) if coloured else ""
    noun = f"{colour} {word}".strip()
    if facts.motif in MANY:
        return noun
    if coloured and facts.motif in _DRESSED:
        return f"{with_article(word)} in {colour}"
    if facts.count > 1:
        return f"{NUMBERS[facts.count]} {plural(noun, word)}"
    return with_article(noun)


def _motif_colour(facts: Facts, rng: Random) -> str:
    """The motif's colour, or the colours of a pattern; empty if it has none."""
    if facts.motif in MANY or facts.motif in PATTERNS:
        return colour_list(facts, rng)
    return colour_word(facts.ink, rng) if facts.ink else ""


def plural(noun: str, word: str) -> str:
    """The plural of a noun that ends in `word`."""
    if word in PLURALS:
        return noun.removesuffix(word) + PLURALS[word]
    head, of, rest = noun.partition(" of ")
    ending = "es" if head.endswith(("s", "x", "ch")) else "s"
    return f"{head}{ending}{of}{rest}"


def mood_phrase(facts: Facts, rng: Random) -> str:
    """A phrase that names the mood: "a sad blue picture"."""
    mood = rng.choice(MOOD_WORDS[facts.mood])
    noun = rng.choice(("picture", "painting", "image"))
    if facts.motif == "face" or facts.motif == "mask":
        return rng.choice(
            (f"{with_article(mood)} {facts.motif}", f"{_without_article(facts, rng)}, {mood}")
        )
    colour = colour_word(rng.choice((facts.ground, facts.ground, *facts.colours[:1])), rng)
    return rng.choice(
        (
            f"{with_article(mood)} {colour} {noun}",
            f"{with_article(mood)} {noun} in {colour_list(facts, rng, 2)}",
            f"{with_article(mood)} {noun} of {motif_phrase(facts, rng, rng.random() < 0.6)}",
            f"{motif_phrase(facts, rng, True)}, {mood}",
            f"{mood} {colour}",
        )
    )


def _on_ground(facts: Facts, rng: Random) -> str:
    """The motif on its ground: "three yellow circles on a blue ground"."""
    fills = (facts.motif in MANY and facts.motif not in SCATTERED) or facts.motif in PATTERNS
    if fills or facts.manner in _PATCHWORK:
        return motif_phrase(facts, rng, True)
    ground = colour_word(facts.ground, rng)
    noun = rng.choice(("", "", "", "background", "ground"))
    motif = motif_phrase(facts, rng, True)
    return f"{motif} on {with_article(f'{ground} {noun}') if noun else ground}"


def _without_article(facts: Facts, rng: Random) -> str:
    """The motif without an article: "red square"."""
    if facts.count > 1 or facts.motif in MANY or facts.motif in _DRESSED:
        return motif_phrase(facts, rng, True)
    return f"{_motif_colour(facts, rng)} {_motif_name(facts, rng)}".strip()


def _motif_alone(facts: Facts, rng: Random) -> str:
    return motif_phrase(facts, rng, False)


def _motif_coloured(facts: Facts, rng: Random) -> str:
    return motif_phrase(facts, rng, True)


def _motif_in_colours(facts: Facts, rng: Random) -> str:
    return f"{motif_phrase(facts, rng, False)} in {colour_list(facts, rng)}"


def _colours_alone(facts: Facts, rng: Random) -> str:
    ground = colour_word(facts.ground, rng)
    noun = rng.choice(("picture", "painting", "abstract"))
    if not facts.colours:
        return f"{with_article(ground)} {noun}"
    others = join_words([colour_word(name, rng) for name in facts.colours[:3]])
    picture = f"{with_article(colour_list(facts, rng))} {noun}"
    return rng.choice((f"{others} on {ground}", picture, f"{ground} with {others}"))


_FLAT_PHRASES: tuple[Phrase, ...] = (
    _on_ground,
    _on_ground,
    _on_ground,
    _without_article,
    _motif_coloured,
    _motif_coloured,
    _motif_alone,
    _motif_in_colours,
    _colours_alone,
)


def flat_phrase(facts: Facts, rng: Random) -> str:
    """A phrase about a canvas that shows no place."""
    return rng.choice(_FLAT_PHRASES)(facts, rng)
