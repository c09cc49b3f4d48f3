"""Generates random pairs of prompts in the vocabulary of the Atelier model.

Both prompts share a colour and are of different kinds, so that the walk changes much and keeps
something.
"""

import re
from random import Random

GROUNDS = {
    "red": ("white", "cream", "black", "sky blue"),
    "orange": ("navy", "cream", "black", "teal"),
    "yellow": ("blue", "black", "grey", "purple"),
    "ochre": ("cream", "navy", "black", "maroon"),
    "green": ("cream", "white", "pink", "navy"),
    "turquoise": ("white", "orange", "maroon", "black"),
    "blue": ("white", "cream", "yellow", "orange"),
    "navy": ("cream", "peach", "white", "ochre"),
    "purple": ("yellow", "cream", "grey", "peach"),
    "magenta": ("black", "cream", "turquoise", "navy"),
    "pink": ("red", "black", "olive", "grey"),
    "white": ("black", "red", "blue", "green"),
    "black": ("white", "red", "yellow", "cream"),
}
"""Each colour, and the background colours that contrast with it."""

KINDS: dict[str, tuple[str, ...]] = {
    "form": (
        "a {colour} {form} on {ground}",
        "a {colour} {form} on {ground}, suprematism",
        "a {colour} {form} on a {ground} ground, hard-edge painting",
        "suprematist composition in {colour} and {ground}",
        "mondrian grid in {colour} and {ground}",
        "bauhaus composition in {colour} and {ground}",
        "homage to the square in {colour} and {ground}",
        "kandinsky composition in {colour} and {ground}",
        "{colour} organic shapes on {ground}, jean arp",
    ),
    "pattern": (
        "{colour} and {ground} stripes, op art",
        "{colour} and {ground} waves, bridget riley",
        "a {colour} and {ground} spiral, op art",
        "{colour} polka dots on {ground}",
        "sunburst in {colour} and {ground}",
        "{colour} and {ground} zigzags, frank stella",
        "harlequin pattern in {colour} and {ground}",
        "drip painting in {colour} and {ground}",
        "{colour} leaves on {ground}, matisse cut-out",
        "colour field painting in {colour} and {ground}",
        "a broad {colour} stroke on {ground}, action painting",
    ),
    "place": (
        "a {weather} sea {hour}, {colour} sky",
        "{land} {hour} under a {colour} sky",
        "{land} in {season}, {colour} sky",
        "{land} in {colour} and {ground}, pointillism",
        "a {colour} boat on a {weather} sea",
        "a {colour} house in the {wild} {hour}",
        "a {colour} tree in a field in {season}",
        "a {colour} sun over {hills}",
        "a starry night over dark hills in {colour} and {ground}",
    ),
    "creature": (
        "a {colour} {animal} on {ground}, naive art",
        "a {colour} {animal} in the {wild}",
        "a {animal} in {colour} and {ground}, pop art",
        "a {mood} {colour} mask",
        "a {mood} woman in {colour}, portrait painting",
        "a man in {colour}, modigliani",
        "a dancer in {colour} on {ground}, paper cut-out",
    ),
    "thing": (
        "a {colour} {thing} on {ground}",
        "a {colour} {thing}, cubist still life",
        "a {colour} {thing} on {ground}, pop art",
        "a {thing} in {colour} and {ground}, warhol print",
        "a bowl of fruit in {colour} and {ground}, matisse",
        "a {mood} picture of a {colour} {thing}",
        "a {colour} {sign} on {ground}, miro",
    ),
}

SLOT_WORDS: dict[str, tuple[str, ...]] = {
    "form": ("square", "circle", "triangle", "cross", "ring", "diamond", "half circle"),
    "weather": ("calm", "stormy", "still", "wild", "quiet"),
    "hour": ("at dawn", "at dusk", "at night", "by day", "in the moonlight"),
    "season": ("spring", "summer", "autumn", "winter"),
    "land": ("sand dunes", "a city", "a village", "mountains", "rolling hills", "a forest"),
    "hills": ("rolling hills", "the desert", "a calm sea", "mountains", "a city"),
    "wild": ("hills", "mountains", "forest", "desert"),
    "animal": ("cat", "dog", "bird", "owl", "fish", "whale", "horse", "rabbit", "butterfly"),
    "mood": ("sad", "joyful", "calm", "angry", "tender", "gloomy", "cheerful"),
    "thing": ("bottle", "guitar", "umbrella", "cup", "apple", "pear", "cactus", "vase of flowers"),
    "sign": ("star", "moon", "heart", "eye", "flower"),
}

_SLOT = re.compile(r"{(\w+)}")
_A_BEFORE_VOWEL = re.compile(r"\ba (?=[aeiou])")


def random_pair(rng: Random) -> tuple[str, str]:
    """Generate two prompts; deterministic for a given state of `rng`."""
    colour = rng.choice(list(GROUNDS))
    here, there = rng.sample(list(KINDS), 2)
    return _prompt(here, colour, rng), _prompt(there, colour, rng)


def _prompt(kind: str, colour: str, rng: Random) -> str:
    """Fill in a random template of that kind."""
    words = {**SLOT_WORDS, "colour": (colour,), "ground": GROUNDS[colour]}
    text = _SLOT.sub(lambda slot: rng.choice(words[slot[1]]), rng.choice(KINDS[kind]))
    return _A_BEFORE_VOWEL.sub("an ", text)
