"""Preset prompts, in the vocabulary of modern painting that the shipped model was trained on."""

PRESETS: dict[str, tuple[str, ...]] = {
    "Square to sea": ("a red square on white", "a stormy sea at night"),
    "Sun to stripes": ("a yellow circle on a blue ground", "black and white stripes, op art"),
    "Grid to city": ("mondrian grid in red, yellow and blue", "a city at night"),
    "Still life to fields": (
        "a bottle, cubist still life",
        "soft fields of colour in orange and red",
    ),
    "Mask to stars": ("an orange mask on black", "a starry night over dark hills"),
    "Boat to dunes": ("a white boat on a calm sea at dawn", "sand dunes under an orange sky"),
    "Dots to leaves": ("pink polka dots on black", "green leaves on cream, matisse cut-out"),
    "Day to night": (
        "a green meadow by day",
        "hills at dusk, orange sky",
        "a village under the stars",
    ),
}

PLACEHOLDERS = (
    "a red square on white",
    "a stormy sea at night",
    "a yellow circle on a blue ground",
)
