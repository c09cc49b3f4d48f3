"""Phrases about land, sea and city, with time of day, season, weather and sky."""

from random import Random

from momalisa.atelier.painter import Facts
from momalisa.atelier.phrases import colour_list, colour_word, motif_phrase, with_article


def time_phrase(facts: Facts, rng: Random) -> str:
    """Time of day and season, in either order; either may be missing: "at dusk in winter"."""
    hours = {
        "day": ("by day", "in daylight", ""),
        "night": ("at night", "at night", "by night", "in the moonlight"),
        "dawn": ("at dawn", "at sunrise", "in the early morning"),
        "dusk": ("at dusk", "at sunset", "in the evening"),
    }
    hour = rng.choice(hours[facts.time]) if facts.time and rng.random() < 0.75 else ""
    season = f"in {facts.season}" if facts.season and rng.random() < 0.5 else ""
    return " ".join(word for word in rng.choice(((hour, season), (season, hour))) if word)


def _place_phrase(facts: Facts, rng: Random) -> str:
    """The place as the motif: "a stormy sea", "a mountain landscape", "a city"."""
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


def scene_phrase(facts: Facts, rng: Random) -> str:
    """A phrase about a canvas of land, sea or city."""
    if facts.motif == "starry sky":
        return _night_sky_phrase(facts, rng)
    is_place = facts.motif in ("sea", "desert", "forest", "skyline", facts.place)
    subject = _place_phrase(facts, rng) if is_place else _motif_in_place(facts, rng)
    time = time_phrase(facts, rng)
    if facts.weather == "snow" and "snow" not in subject and rng.random() < 0.5:
        time = f"in the snow {time}".strip()
    text = f"{subject} {time}".strip()
    if rng.random() < 0.6:
        text = f"{text}{_background(facts, rng)}"
    return text


def _night_sky_phrase(facts: Facts, rng: Random) -> str:
    sky = rng.choice(
        ("a starry night", "a starry sky", "stars in a swirling sky", "stars and a moon")
    )
    colour = colour_word(facts.sky or facts.ground, rng)
    over = rng.choice(("", f" over {'a village' if facts.place == 'village' else 'dark hills'}"))
    phrases = (
        f"{sky}{over}",
        f"{with_article(colour)} night sky{over}",
        f"{sky}{over} in {colour_list(facts, rng)}",
    )
    return rng.choice(phrases)


def _motif_in_place(facts: Facts, rng: Random) -> str:
    motif = motif_phrase(facts, rng, rng.random() < 0.65)
    if facts.manner == "animal":
        return f"{motif} {_around_animal(facts, rng)}".strip()
    if facts.place == "sea":
        on_sea = [f"{motif} on {_place_phrase(facts, rng)}" for _ in range(2)]
        return rng.choice((motif, *on_sea))
    where = {"mountains": "in the mountains", "hills": "in the hills", "field": "in a field"}
    return rng.choice((motif, f"{motif} {where.get(facts.place, f'in the {facts.place}')}"))


def _around_animal(facts: Facts, rng: Random) -> str:
    """Where an animal is: "in the snow", "in a meadow", "in the sea"; sometimes empty."""
    if facts.weather == "snow":
        return rng.choice(("in the snow", "in the snow", "in a snowy field", "in snow", ""))
    if facts.place == "sea":
        return rng.choice(("in the sea", "in the sea", "in the ocean", "under water", ""))
    places = {
        "city": ("in the city", "in a city", "in town", "in the street", ""),
        "forest": ("in the forest", "in the forest", "in a forest", "in the wood", ""),
        "hills": ("in the hills", "", ""),
        "field": ("in a meadow", "in a meadow", "in a field", "in the grass", ""),
    }
    return rng.choice(places[facts.place])


def _background(facts: Facts, rng: Random) -> str:
    """The sky or the colours, to be appended to a scene: " under a red sky", " in blue"."""
    if facts.sky and rng.random() < 0.6:
        sky = colour_word(facts.sky, rng)
        return rng.choice((f" under {with_article(sky)} sky", f", {sky} sky"))
    return f" in {colour_list(facts, rng)}"
