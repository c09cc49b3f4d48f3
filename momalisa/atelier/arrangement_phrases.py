"""Phrases about compositions: "two blue circles above a yellow triangle"."""

from random import Random

from momalisa.atelier.painter import Facts
from momalisa.atelier.painter.facts import Arrangement, Group
from momalisa.atelier.painter.words import NUMBERS
from momalisa.atelier.phrases import colour_word, join_words, plural, with_article

# How a caption says where one group is, from the first to the second and from the second to it.
_RELATIONS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "above": (("above", "above", "over"), ("below", "under", "beneath")),
    "below": (("below", "below", "under"), ("above", "over")),
    "left of": (("left of", "to the left of", "on the left of"), ("right of", "to the right of")),
    "right of": (("right of", "to the right of"), ("left of", "to the left of")),
    "inside": (("inside", "inside", "in", "within"), ("around",)),
    "between": (("between",), ("around",)),
}
_SPOTS = {
    "in the centre": ("in the centre", "in the middle", "in the center"),
    "at the top": ("at the top",),
    "at the bottom": ("at the bottom",),
    "on the left": ("on the left", "at the left"),
    "on the right": ("on the right", "at the right"),
}


def _group_phrase(group: Group, rng: Random) -> str:
    """A group with its number or article, size and colour: "three small red squares"."""
    size = {"large": ("large", "big", ""), "small": ("small", "little", "")}.get(group.size, ("",))
    colour = colour_word(group.colour, rng) if group.colour else ""
    words = " ".join(word for word in (rng.choice(size), colour, group.thing) if word)
    if group.count > 1:
        return f"{NUMBERS[group.count]} {plural(words, group.thing)}"
    return with_article(words)


def arrangement_phrase(arrangement: Arrangement, rng: Random) -> str:
    """All groups, usually with their relation: "a red square left of a green circle"."""
    phrases = [_group_phrase(group, rng) for group in arrangement.groups]
    relation = arrangement.relation
    if len(phrases) == 1:
        spot = rng.choice(_SPOTS.get(relation, (relation, relation.removesuffix(" corner"))))
        return f"{phrases[0]} {spot}" if rng.random() < 0.9 else phrases[0]
    if relation == "and" or rng.random() < 0.15:
        return join_words(phrases)
    there, back = _RELATIONS[relation]
    first, second = phrases
    if rng.random() < 0.7:
        return f"{first} {rng.choice(there)} {second}"
    return f"{second} {rng.choice(back)} {first}"


def composition_phrase(facts: Facts, arrangement: Arrangement, rng: Random) -> str:
    """The arrangement, in two of five phrases on its ground: "a red circle in a square on blue"."""
    text = arrangement_phrase(arrangement, rng)
    if rng.random() < 0.4:
        ground = colour_word(facts.ground, rng)
        noun = rng.choice(("", "", "background", "ground"))
        return f"{text} on {with_article(f'{ground} {noun}') if noun else ground}"
    return text
