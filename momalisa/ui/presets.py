"""Prompt pairs to begin with, in the vocabulary of modern painting."""

PRESETS: dict[str, tuple[str, ...]] = {
    "Square to sea": ("a red square on white", "a stormy sea at night"),
    "Cubes to city": ("a cubist still life with a guitar", "a city skyline of thin black lines"),
    "Sun over fields": ("a yellow sun over blue hills", "wide fields of orange and violet"),
    "Mask to moon": ("an African mask in ochre and black", "a white moon above a green sea"),
    "Circles to lines": (
        "floating circles in blue and pink",
        "a grid of black lines and primaries",
    ),
    "Fruit to stripes": ("a still life with lemons and a jug", "vertical stripes of warm colours"),
    "Drips to dusk": ("black and white paint drips", "a harbour at dusk in thick strokes"),
    "Day and night": ("a bright beach at noon", "a dark forest at night", "a red dawn over snow"),
}

PLACEHOLDERS = (
    "a red square on white",
    "a stormy sea at night",
    "then a yellow sun over blue hills",
)
