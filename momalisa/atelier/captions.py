"""Captions for canvases, as a curator would type them: short, plain, true to the facts."""

import re
from collections.abc import Callable, Sequence
from random import Random

from .meaning import Offer, Word
from .painter import Facts
from .painter.words import (
    COLOUR_WORDS,
    MANY,
    MOOD_WORDS,
    MOTIF_WORDS,
    NUMBERS,
    PATTERNS,
    PLURALS,
    SCATTERED,
    STYLES,
)

Phrase = Callable[[Facts, Random], str]

# Whose ink is what they wear.
_DRESSED = ("woman", "man")
# Manners with several equal grounds.
_PATCHWORK = ("pop-grid", "cubist-facets")

# Whose motif can be anywhere: "a cat in paris".
_AT_LARGE = frozenset(
    {"animal", "naive-sign", "pop-dots", "pop-grid", "portrait", "dancers", "mask", "still-life"}
)
# Spelled with a vowel and spoken without, and the other way round.
_LIKE_YOU = re.compile("eu|uk|uni[cftv]")
_SILENT_H = re.compile("hour")

NOTHING = Offer()

_SYNONYM = 0.12
_NO_ARTICLE = 0.12
_LONGEST = 20


def captions(facts: Facts, seed: int, count: int = 6, offer: Offer = NOTHING) -> list[str]:
    """Different captions for one canvas, `count` or, where words run out, fewer.

    Every other caption names the manner or its movement. A quarter of them says one of the words
    on offer, if there are any, in place of what is seen. The same arguments give the same
    captions, in the same order.
    """
    rng = Random(f"{seed}:{facts}")
    meant = _different(lambda _: _meant(facts, rng, offer), count // 4 if offer.words else 0)
    seen = _different(lambda attempt: _seen(facts, rng, attempt), count - len(meant))
    chosen = [*seen, *meant]
    rng.shuffle(chosen)
    return chosen


def _different(say: Callable[[int], str], count: int) -> list[str]:
    """At most `count` different captions, none too long, from as many attempts as it may take."""
    found: dict[str, None] = {}
    for attempt in range(30 * count):
        if len(found) == count:
            break
        text = say(attempt)
        if len(text.split()) <= _LONGEST:
            found[text] = None
    return list(found)


def _seen(facts: Facts, rng: Random, attempt: int) -> str:
    """A caption of what is there to be seen."""
    plain = _plain(facts, rng)
    if rng.random() < _NO_ARTICLE:
        plain = plain.removeprefix("a ").removeprefix("an ")
    return plain if attempt % 2 else _in_manner(facts, rng, plain)


def colour_word(name: str, rng: Random) -> str:
    """The colour's name, now and then another word for it."""
    return rng.choice(COLOUR_WORDS[name]) if rng.random() < _SYNONYM else name


def with_article(phrase: str) -> str:
    """The phrase after "a" or "an", as it is spoken: "an hour", "a unicorn"."""
    vowel = phrase[0] in "aeiou" and not _LIKE_YOU.match(phrase)
    return f"{'an' if vowel or _SILENT_H.match(phrase) else 'a'} {phrase}"


def joined(words: Sequence[str]) -> str:
    """The words as a list: "red, blue and white"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _colours(facts: Facts, rng: Random, most: int = 3) -> str:
    """The strongest colours, with the ground where there is room for it."""
    seen = list(facts.colours[:most])
    if len(seen) < 2 or (rng.random() < 0.5 and len(seen) < most):
        seen.append(facts.ground)
    if sorted(seen) == ["black", "white"]:
        return "black and white"
    return joined([colour_word(name, rng) for name in seen])


def _motif_word(facts: Facts, rng: Random) -> str:
    others = MOTIF_WORDS.get(facts.motif, ())
    return rng.choice(others) if others and rng.random() < 0.3 else facts.motif


def _motif(facts: Facts, rng: Random, coloured: bool) -> str:
    """The motif with its number or article: "two red squares", "black and white stripes"."""
    word = _motif_word(facts, rng)
    tint = _tint(facts, rng) if coloured else ""
    named = f"{tint} {word}".strip()
    if facts.motif in MANY:
        return named
    if coloured and facts.motif in _DRESSED:
        return f"{with_article(word)} in {tint}"
    if facts.count > 1:
        return f"{NUMBERS[facts.count]} {_plural(named, word)}"
    return with_article(named)


def _tint(facts: Facts, rng: Random) -> str:
    """The motif's own colour, or for a pattern its colours."""
    if facts.motif in MANY or facts.motif in PATTERNS:
        return _colours(facts, rng)
    return colour_word(facts.ink, rng) if facts.ink else ""


def _plural(named: str, word: str) -> str:
    if word in PLURALS:
        return named.removesuffix(word) + PLURALS[word]
    head, of, rest = named.partition(" of ")
    ending = "es" if head.endswith(("s", "x", "ch")) else "s"
    return f"{head}{ending}{of}{rest}"


def _plain(facts: Facts, rng: Random) -> str:
    """A caption that does not name the manner."""
    if facts.mood and rng.random() < 0.2:
        return _moody(facts, rng)
    if rng.random() < 0.08:
        noun = rng.choice(("painting", "picture"))
        return f"a {noun} of {_motif(facts, rng, rng.random() < 0.7)}"
    if facts.place:
        return _scene(facts, rng)
    return rng.choice(_FLAT_PHRASES)(facts, rng)


def _moody(facts: Facts, rng: Random) -> str:
    mood = rng.choice(MOOD_WORDS[facts.mood])
    noun = rng.choice(("picture", "painting", "image"))
    if facts.motif == "face" or facts.motif == "mask":
        return rng.choice((f"{with_article(mood)} {facts.motif}", f"{_bare(facts, rng)}, {mood}"))
    colour = colour_word(rng.choice((facts.ground, facts.ground, *facts.colours[:1])), rng)
    return rng.choice(
        (
            f"{with_article(mood)} {colour} {noun}",
            f"{with_article(mood)} {noun} in {_colours(facts, rng, 2)}",
            f"{with_article(mood)} {noun} of {_motif(facts, rng, rng.random() < 0.6)}",
            f"{_motif(facts, rng, True)}, {mood}",
            f"{mood} {colour}",
        )
    )


def _on_ground(facts: Facts, rng: Random) -> str:
    """The motif on its ground: "three yellow circles on a blue ground"."""
    fills = (facts.motif in MANY and facts.motif not in SCATTERED) or facts.motif in PATTERNS
    if fills or facts.manner in _PATCHWORK:
        return _motif(facts, rng, True)
    ground = colour_word(facts.ground, rng)
    back = rng.choice(("", "", "", "background", "ground"))
    return f"{_motif(facts, rng, True)} on {with_article(f'{ground} {back}') if back else ground}"


def _bare(facts: Facts, rng: Random) -> str:
    """Without article: "red square"."""
    if facts.count > 1 or facts.motif in MANY or facts.motif in _DRESSED:
        return _motif(facts, rng, True)
    return f"{_tint(facts, rng)} {_motif_word(facts, rng)}".strip()


def _motif_alone(facts: Facts, rng: Random) -> str:
    return _motif(facts, rng, False)


def _motif_coloured(facts: Facts, rng: Random) -> str:
    return _motif(facts, rng, True)


def _motif_in_colours(facts: Facts, rng: Random) -> str:
    return f"{_motif(facts, rng, False)} in {_colours(facts, rng)}"


def _colours_alone(facts: Facts, rng: Random) -> str:
    ground = colour_word(facts.ground, rng)
    noun = rng.choice(("picture", "painting", "abstract"))
    if not facts.colours:
        return f"{with_article(ground)} {noun}"
    over = joined([colour_word(name, rng) for name in facts.colours[:3]])
    whole = f"{with_article(_colours(facts, rng))} {noun}"
    return rng.choice((f"{over} on {ground}", whole, f"{ground} with {over}"))


_FLAT_PHRASES: tuple[Phrase, ...] = (
    _on_ground,
    _on_ground,
    _on_ground,
    _bare,
    _motif_coloured,
    _motif_coloured,
    _motif_alone,
    _motif_in_colours,
    _colours_alone,
)


def _when(facts: Facts, rng: Random) -> str:
    """The hour, and sometimes the season, after the motif."""
    hours = {
        "day": ("by day", "in daylight", ""),
        "night": ("at night", "at night", "by night", "in the moonlight"),
        "dawn": ("at dawn", "at sunrise", "in the early morning"),
        "dusk": ("at dusk", "at sunset", "in the evening"),
    }
    hour = rng.choice(hours[facts.time]) if facts.time and rng.random() < 0.75 else ""
    season = f"in {facts.season}" if facts.season and rng.random() < 0.5 else ""
    return " ".join(word for word in rng.choice(((hour, season), (season, hour))) if word)


def _place(facts: Facts, rng: Random) -> str:
    """The place as the whole motif: "a stormy sea", "a winter landscape", "a city"."""
    if facts.place == "sea":
        weather = {"calm": ("calm", "still", "quiet"), "stormy": ("stormy", "rough", "wild")}
        word = rng.choice(weather.get(facts.weather, ("",)))
        return with_article(f"{word} {rng.choice(('sea', 'sea', 'ocean'))}".strip())
    names = {
        "mountains": ("mountains", "mountains", "a mountain landscape"),
        "hills": ("hills", "a hilly landscape", "rolling hills"),
        "field": ("a field", "a meadow", "open country"),
        "desert": ("a desert", "the desert", "sand dunes"),
        "forest": ("a forest", "a wood", "trees in a forest"),
        "city": ("a city", "a skyline", "city towers", "a town with lit windows"),
        "village": ("a village", "a small village", "a village under the stars"),
    }
    return rng.choice(names[facts.place])


def _scene(facts: Facts, rng: Random) -> str:
    """A caption for land, sea or city."""
    if facts.motif == "starry sky":
        return _night_sky(facts, rng)
    whole = facts.motif in ("sea", "desert", "forest", "skyline", facts.place)
    subject = _place(facts, rng) if whole else _motif_in_place(facts, rng)
    when = _when(facts, rng)
    if facts.weather == "snow" and rng.random() < 0.5:
        when = f"in the snow {when}".strip()
    text = f"{subject} {when}".strip()
    if rng.random() < 0.6:
        text = f"{text}{_air(facts, rng)}"
    return text


def _night_sky(facts: Facts, rng: Random) -> str:
    sky = rng.choice(
        ("a starry night", "a starry sky", "stars in a swirling sky", "stars and a moon")
    )
    tint = colour_word(facts.sky or facts.ground, rng)
    over = rng.choice(("", f" over {'a village' if facts.place == 'village' else 'dark hills'}"))
    kinds = (
        f"{sky}{over}",
        f"{with_article(tint)} night sky{over}",
        f"{sky}{over} in {_colours(facts, rng)}",
    )
    return rng.choice(kinds)


def _motif_in_place(facts: Facts, rng: Random) -> str:
    motif = _motif(facts, rng, rng.random() < 0.65)
    if facts.place == "sea":
        return rng.choice(
            (motif, f"{motif} on {_place(facts, rng)}", f"{motif} on {_place(facts, rng)}")
        )
    where = {"mountains": "in the mountains", "hills": "in the hills", "field": "in a field"}
    return rng.choice((motif, f"{motif} {where.get(facts.place, f'in the {facts.place}')}"))


def _air(facts: Facts, rng: Random) -> str:
    """The sky or the colours of a scene, after it."""
    if facts.sky and rng.random() < 0.6:
        sky = colour_word(facts.sky, rng)
        return rng.choice((f" under {with_article(sky)} sky", f", {sky} sky"))
    return f" in {_colours(facts, rng)}"


def _in_manner(facts: Facts, rng: Random, plain: str) -> str:
    """A caption that names the manner, mostly after the plain one."""
    names, labels = STYLES[facts.manner]
    label, name = rng.choice(labels), rng.choice(names)
    link = rng.choice(("in the manner of", "in the style of"))
    thing = label.endswith(("painting", "portrait", "print")) and facts.motif not in label
    if thing and rng.random() < 0.15:
        return f"{label} of {_motif(facts, rng, rng.random() < 0.7)}"
    return rng.choice(
        (
            f"{plain}, {label}",
            f"{plain}, {name}",
            f"{plain}, {link} {name}",
            f"{plain} {link} {name}",
            f"{label}: {plain}",
            f"{label} in {_colours(facts, rng)}",
            f"{label} in {_colours(facts, rng, 2)}",
            f"{name}, {plain}",
        )
    )


def named(word: Word) -> str:
    """The word as a caption says it: "an elephant", "rain", "the milky way", "a lonely picture"."""
    match word.kind:
        case "thing":
            return with_article(word.text)
        case "the":
            return f"the {word.text}"
        case "quality":
            return f"{with_article(word.text)} picture"
        case _:
            return word.text


def _meant(facts: Facts, rng: Random, offer: Offer) -> str:
    """A caption that says a word on offer, by itself or with something that is seen."""
    (word,) = rng.choices(offer.words, offer.odds)
    text = named(word) if rng.random() < 0.8 else word.text
    if rng.random() < 0.3:
        return rng.choice((text, _about(word, rng)))
    names, labels = STYLES[facts.manner]
    return rng.choice(
        (
            f"{text} in {_colours(facts, rng, 2)}",
            f"{text}, {rng.choice((*names, *labels))}",
            f"{text} in the style of {rng.choice(names)}",
            _together(facts, rng, offer, word),
            f"{_about(word, rng)} {_when(facts, rng)}".strip(),
        )
    )


def _about(word: Word, rng: Random) -> str:
    """The word in a longer phrase: "a picture of grief", "the feeling of joy", "jazz music"."""
    phrases = {
        "feeling": f"the feeling of {word.text}",
        "music": f"{word.text} music",
        "quality": f"something {word.text}",
        "place": f"a street in {word.text}",
    }
    noun = rng.choice(("picture", "painting"))
    whole = named(word) if word.kind == "quality" else f"a {noun} of {named(word)}"
    return rng.choice((whole, phrases.get(word.kind, whole)))


def _together(facts: Facts, rng: Random, offer: Offer, word: Word) -> str:
    """Two words on offer, or one and a place: "love and hope", "an elephant in africa"."""
    at_large = facts.manner in _AT_LARGE
    who = _motif(facts, rng, rng.random() < 0.3) if at_large and rng.random() < 0.5 else named(word)
    if word.kind == "place":
        return f"{who} in {word.text}" if at_large else named(word)
    other = rng.choice([one for one in offer.words if one.kind == word.kind])
    if word.kind == "quality":
        return named(word) if other == word else f"{word.text} and {other.text}"
    if other == word or rng.random() < 0.5:
        return f"{who} in {rng.choice(offer.places).text}"
    return f"{named(word)} and {named(other)}"
