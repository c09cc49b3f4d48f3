"""Draws a contact sheet: a grid of pictures with their prompts."""

from collections.abc import Sequence

from PIL import Image, ImageDraw

from momalisa.engine.frame_cache import Frame

PROMPTS = (
    "a red square on white",
    "a stormy sea at night",
    "black and white stripes",
    "three yellow circles on blue",
    "composition with red, blue and yellow, de stijl",
    "colour field painting in orange and maroon",
    "a starry night over a village",
    "op art, a black and white bulge",
    "a skyline at night",
    "mountains in the snow",
    "a green cat on pink",
    "a blue mask on orange",
    "concentric circles in red, cream and black",
    "a vase of flowers on yellow",
    "a boat on a calm sea",
    "paper cut-outs, blue leaves",
    "a desert at dusk",
    "a forest in autumn",
    "pink and turquoise chevrons",
    "bauhaus circles on cream",
    "a zip painting in red",
    "a pop art heart",
    "a portrait of a woman on blue",
    "black and white spiral",
)


def contact_sheet(
    frames: Sequence[Frame], captions: Sequence[str], columns: int = 6
) -> Image.Image:
    """Draw frames in a grid, each with its caption below it."""
    side, line = 192, 26
    rows = -(-len(frames) // columns)
    sheet = Image.new("RGB", (columns * side, rows * (side + line)), "white")
    draw = ImageDraw.Draw(sheet)
    for number, (frame, caption) in enumerate(zip(frames, captions, strict=True)):
        x, y = number % columns * side, number // columns * (side + line)
        small = Image.fromarray(frame).resize((side - 8, side - 8), Image.Resampling.LANCZOS)
        sheet.paste(small, (x + 4, y + 4))
        draw.text((x + 4, y + side), caption[:34], fill="black")
    return sheet
