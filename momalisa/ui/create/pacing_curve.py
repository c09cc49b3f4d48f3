"""Draws a pacing as SVG: its curve, and below it the places of a leg's frames."""

from momalisa.pacing import PacingName, spread

WIDTH, HEIGHT, RUG = 220, 110, 18
INK = "#85807a"  # reads on the white wall (3.8:1) and on the black one (4.9:1)


def draw_curve(pacing: PacingName, frames: int, strength: float) -> str:
    """Draw the curve as SVG: time on x, the place on the leg on y, and a tick for each frame."""
    line = " ".join(
        f"{6 + place * (WIDTH - 12) / 60:.1f},{6 + (1 - t) * (HEIGHT - 12):.1f}"
        for place, t in enumerate(spread(pacing, 61, strength))
    )
    ticks = "".join(
        f'<path d="M{6 + t * (WIDTH - 12):.1f} {HEIGHT}v{RUG - 6}"/>'
        for t in spread(pacing, frames, strength)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT + RUG}" '
        f'width="{WIDTH}" height="{HEIGHT + RUG}" fill="none" stroke="{INK}">'
        f'<path d="M6 {HEIGHT - 6}H{WIDTH - 6}M6 6V{HEIGHT - 6}" stroke-width=".5"/>'
        f'<polyline points="{line}" stroke-width="2"/>{ticks}</svg>'
    )


def describe(pacing: PacingName) -> str:
    """Describe the curve in a sentence."""
    return {
        "linear": "Equal steps all the way.",
        "ease": "Small steps at both ends, large ones in the middle.",
        "even": "Equal change from frame to frame, measured while the walk is made.",
        "dense-middle": "Small steps in the middle, where the picture changes most.",
    }[pacing]
