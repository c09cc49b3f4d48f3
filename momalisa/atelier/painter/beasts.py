"""Animals seen from the side, facing right, in the square from -1 to 1 with feet near the bottom.

Each is painted in two colours: the ink is that of most of the body, the accent that of details.
"""

from collections.abc import Sequence

from momalisa.atelier.painter.motifs import Motif
from momalisa.atelier.painter.scene import Scene


def _legs(scene: Scene, ink: str, xs: Sequence[float], top: float, half: float) -> None:
    """Legs that taper from `top` down to the feet."""
    for x in xs:
        foot = 0.72 * half
        scene.polygon(ink, (x - half, top), (x + half, top), (x + foot, 0.97), (x - foot, 0.97))


def _eye(scene: Scene, x: float, y: float, radius: float) -> None:
    scene.disc("white", x, y, radius)
    scene.disc("black", x + 0.2 * radius, y, 0.55 * radius)


def fox(scene: Scene, ink: str, accent: str) -> None:
    """A fox with pointed ears and snout and a bushy tail, whose tip is in the accent."""
    scene.blob(
        ink, (-0.5, 0.02), (-0.72, -0.42), (-1.06, -0.74), (-1.16, -0.3), (-1.0, 0.1), (-0.6, 0.36)
    )
    scene.blob(accent, (-1.06, -0.76), (-0.86, -0.55), (-0.98, -0.4), (-1.17, -0.4))
    _legs(scene, ink, (-0.5, -0.3, 0.22, 0.42), 0.2, 0.1)
    for x in (-0.5, -0.3, 0.22, 0.42):
        scene.rect("black", x - 0.085, 0.72, x + 0.085, 0.97)
    scene.blob(ink, (-0.66, 0.1), (-0.4, -0.14), (0.2, -0.14), (0.52, 0), (0.5, 0.36), (-0.55, 0.4))
    scene.polygon(
        ink, (0.16, -0.1), (0.3, -0.5), (0.3, -1.02), (0.5, -0.72), (0.62, -0.72), (0.76, -1.02),
        (0.82, -0.52), (1.18, -0.2), (0.8, -0.02), (0.56, 0.3),
    )  # fmt: skip
    scene.polygon(accent, (0.62, -0.22), (1.18, -0.2), (0.8, -0.02), (0.56, 0.34), (0.42, 0.05))
    scene.disc("black", 1.14, -0.21, 0.08)
    scene.disc("black", 0.74, -0.4, 0.07)


def fox_head(scene: Scene, ink: str, accent: str) -> None:
    """A fox's head from the front, with large ears, and cheeks in the accent."""
    for side in (-1, 1):
        scene.polygon(ink, (side * 0.92, -1.0), (side * 1.0, 0.15), (side * 0.1, -0.42))
        scene.polygon("black", (side * 0.84, -0.78), (side * 0.84, -0.25), (side * 0.46, -0.42))
    scene.polygon(
        ink, (0, -0.5), (0.62, -0.42), (1.08, 0.2), (0.16, 0.92), (-0.16, 0.92), (-1.08, 0.2),
        (-0.62, -0.42),
    )  # fmt: skip
    for side in (-1, 1):
        scene.polygon(accent, (side * 1.06, 0.2), (side * 0.12, 0.9), (side * 0.3, 0.22))
        scene.disc("black", side * 0.36, -0.02, 0.1)
    scene.disc("black", 0, 0.86, 0.15)


def elephant(scene: Scene, ink: str, accent: str) -> None:
    """An elephant with a large ear, trunk and tusk."""
    scene.curve(ink, 0.08, (-0.85, -0.2), (-1.02, 0.1), (-1.0, 0.35))
    _legs(scene, ink, (-0.66, -0.36, 0.06, 0.34), 0.1, 0.15)
    scene.blob(
        ink, (-0.92, 0), (-0.7, -0.55), (-0.1, -0.68), (0.4, -0.5), (0.48, 0.2), (0, 0.42),
        (-0.75, 0.42),
    )  # fmt: skip
    scene.disc(ink, 0.56, -0.36, 0.4)
    scene.curve(ink, 0.24, (0.8, -0.3), (0.98, 0.1), (0.92, 0.5), (1.04, 0.7))
    scene.curve("white", 0.1, (0.68, 0.06), (0.8, 0.22), (0.98, 0.14))
    scene.blob(accent, (0.34, -0.72), (0.56, -0.3), (0.42, 0.12), (0.1, 0.1), (0.02, -0.4))
    scene.blob(ink, (0.34, -0.6), (0.46, -0.3), (0.36, 0.02), (0.18, 0.02), (0.12, -0.36))
    _eye(scene, 0.76, -0.42, 0.07)


def dog(scene: Scene, ink: str, accent: str) -> None:
    """A dog with a hanging ear, a wagging tail and a red collar."""
    scene.curve(ink, 0.15, (-0.66, 0), (-0.92, -0.3), (-0.92, -0.66))
    _legs(scene, ink, (-0.6, -0.4, 0.2, 0.4), 0.15, 0.11)
    scene.blob(
        ink, (-0.78, 0.1), (-0.5, -0.18), (0.2, -0.16), (0.52, 0), (0.48, 0.38), (0, 0.3),
        (-0.7, 0.4),
    )  # fmt: skip
    scene.polygon(ink, (0.14, -0.1), (0.52, 0.2), (0.76, -0.4), (0.34, -0.6))
    scene.blob(
        ink, (0.26, -0.72), (0.5, -0.98), (0.78, -0.82), (0.9, -0.66), (1.16, -0.6), (1.16, -0.34),
        (0.8, -0.28), (0.4, -0.34),
    )  # fmt: skip
    scene.blob(accent, (0.34, -0.9), (0.54, -0.74), (0.5, -0.2), (0.3, -0.12), (0.22, -0.5))
    scene.line("red", 0.1, (0.32, -0.16), (0.62, -0.08))
    scene.disc("black", 1.15, -0.54, 0.1)
    _eye(scene, 0.76, -0.66, 0.08)


def cat(scene: Scene, ink: str, accent: str) -> None:
    """A cat that stands with its tail up and looks at the viewer."""
    scene.curve(ink, 0.15, (-0.66, 0.05), (-0.96, -0.2), (-0.84, -0.66), (-1.02, -0.95))
    _legs(scene, ink, (-0.58, -0.38, 0.2, 0.4), 0.15, 0.09)
    scene.blob(ink, (-0.76, 0.1), (-0.5, -0.14), (0.2, -0.1), (0.56, 0), (0.5, 0.4), (-0.68, 0.44))
    for side in (-1, 1):
        scene.polygon(
            ink, (0.6 + side * 0.4, -1.0), (0.6 + side * 0.4, -0.36), (0.6 + side * 0.04, -0.64)
        )
    scene.oval(ink, 0.18, -0.72, 1.02, 0.02)
    for side in (-1, 1):
        scene.disc(accent, 0.6 + side * 0.18, -0.4, 0.12)
        scene.oval("black", 0.56 + side * 0.18, -0.5, 0.64 + side * 0.18, -0.3)
        for y in (-0.2, -0.1):
            scene.line(accent, 0.03, (0.6 + side * 0.14, y), (0.6 + side * 0.6, 1.4 * y))
    scene.polygon(accent, (0.53, -0.26), (0.67, -0.26), (0.6, -0.17))


def rabbit(scene: Scene, ink: str, accent: str) -> None:
    """A sitting rabbit with long ears and a round tail."""
    scene.disc(accent, -0.76, 0.62, 0.2)
    scene.blob(
        ink, (-0.5, 0.96), (-0.82, 0.5), (-0.5, -0.02), (0.1, -0.02), (0.44, 0.4), (0.46, 0.96)
    )
    for x, turn in ((0.28, -22), (0.5, 4)):
        with scene.transform(x, -0.38, 1, turn):
            scene.oval(ink, -0.14, -0.72, 0.14, 0.1)
            scene.oval(accent, -0.06, -0.6, 0.06, -0.05)
    scene.oval(ink, 0.06, -0.52, 0.82, 0.16)
    scene.oval(ink, -0.5, 0.76, 0.2, 0.98)
    scene.curve(accent, 0.04, (-0.3, 0.78), (-0.42, 0.5), (-0.1, 0.3))
    scene.disc("pink" if ink != "pink" else "black", 0.8, -0.16, 0.07)
    _eye(scene, 0.54, -0.24, 0.09)


def flying_bird(scene: Scene, ink: str, accent: str) -> None:
    """A bird in flight with its wing up."""
    scene.polygon(ink, (-0.4, 0.1), (-1.1, 0.12), (-0.95, 0.3), (-1.05, 0.52), (-0.3, 0.36))
    scene.blob(ink, (-0.6, 0.24), (0, -0.04), (0.5, -0.3), (0.86, -0.18), (0.6, 0.2), (0, 0.46))
    scene.polygon("orange", (0.8, -0.3), (1.16, -0.14), (0.8, -0.04))
    scene.blob(ink, (0.34, 0.02), (0.1, -0.7), (-0.5, -1.02), (-0.6, -0.5), (-0.36, 0.14))
    scene.blob(accent, (0.2, 0.04), (0.0, -0.5), (-0.4, -0.76), (-0.4, -0.3), (-0.2, 0.12))
    _eye(scene, 0.66, -0.18, 0.08)


def turtle(scene: Scene, ink: str, accent: str) -> None:
    """A turtle: its shell in the ink, head and legs in the accent."""
    scene.blob(
        accent, (0.4, 0.4), (0.7, -0.1), (1.06, -0.14), (1.12, 0.16), (0.8, 0.34), (0.6, 0.6)
    )
    scene.polygon(accent, (-0.8, 0.35), (-1.1, 0.55), (-0.6, 0.55))
    for x in (-0.5, 0.3):
        scene.oval(accent, x - 0.22, 0.3, x + 0.22, 0.94)
    scene.pie(ink, -0.12, 0.5, 0.86, 180, 180)
    scene.oval(ink, -0.98, 0.36, 0.74, 0.64)
    for x in (-0.55, -0.12, 0.31):
        scene.blob(accent, (x - 0.13, 0.24), (x, 0.02 - 0.1 * (x == -0.12)), (x + 0.13, 0.24))
    _eye(scene, 0.92, 0, 0.07)


def snail(scene: Scene, ink: str, accent: str) -> None:
    """A snail: its shell in the ink with a spiral, the body in the accent."""
    scene.curve(accent, 0.26, (-0.95, 0.84), (0, 0.84), (0.6, 0.8), (0.84, 0.4), (0.86, 0.1))
    for x in (0.7, 1.04):
        scene.line(accent, 0.06, (0.86, 0.1), (x, -0.3))
        scene.disc(accent, x, -0.32, 0.07)
    scene.disc(ink, -0.12, 0.12, 0.7)
    turns = ((0.46, 0.2), (0.1, -0.44), (-0.62, -0.1), (-0.5, 0.5), (0.06, 0.46), (0.16, 0.0),
             (-0.2, -0.12), (-0.28, 0.2))  # fmt: skip
    scene.curve(accent, 0.09, *turns)


def penguin(scene: Scene, ink: str, accent: str) -> None:
    """A penguin from the front: back and wings in the ink, the belly in the accent."""
    for side in (-1, 1):
        scene.blob(
            ink, (side * 0.36, -0.3), (side * 0.86, 0.3), (side * 0.72, 0.5), (side * 0.4, 0.2)
        )
        scene.oval("orange", side * 0.26 - 0.22, 0.8, side * 0.26 + 0.22, 1.0)
    scene.oval(ink, -0.56, -0.98, 0.56, 0.94)
    scene.oval(accent, -0.38, -0.3, 0.38, 0.86)
    for side in (-1, 1):
        scene.disc(accent, side * 0.18, -0.52, 0.17)
        scene.disc("black", side * 0.16, -0.52, 0.08)
    scene.polygon("orange", (-0.13, -0.42), (0.13, -0.42), (0, -0.18))


def duck(scene: Scene, ink: str, accent: str) -> None:
    """A swimming duck with an orange bill."""
    scene.blob(
        ink, (-1.02, 0.0), (-0.6, 0.2), (0.1, 0.14), (0.6, 0.1), (0.74, 0.5), (0.3, 0.86),
        (-0.5, 0.86), (-0.9, 0.5),
    )  # fmt: skip
    scene.polygon(ink, (0.16, 0.3), (0.66, 0.3), (0.62, -0.3), (0.3, -0.3))
    scene.disc(ink, 0.46, -0.42, 0.36)
    scene.blob("orange", (0.76, -0.5), (1.14, -0.4), (1.16, -0.26), (0.74, -0.24))
    scene.blob(accent, (-0.6, 0.36), (0.1, 0.28), (0.36, 0.46), (0.0, 0.68), (-0.4, 0.62))
    _eye(scene, 0.54, -0.5, 0.08)


def bear(scene: Scene, ink: str, accent: str) -> None:
    """A bear on four legs, with round ears."""
    _legs(scene, ink, (-0.62, -0.34, 0.14, 0.4), 0.1, 0.16)
    scene.blob(
        ink, (-0.9, 0.1), (-0.66, -0.42), (0, -0.5), (0.5, -0.4), (0.56, 0.3), (0, 0.5),
        (-0.78, 0.48),
    )  # fmt: skip
    for x in (0.44, 0.8):
        scene.disc(ink, x, -0.74, 0.16)
        scene.disc(accent, x, -0.74, 0.08)
    scene.disc(ink, 0.64, -0.42, 0.4)
    scene.oval(accent, 0.66, -0.42, 1.1, -0.06)
    scene.disc("black", 0.98, -0.32, 0.1)
    _eye(scene, 0.66, -0.52, 0.07)


BEASTS: dict[str, Motif] = {
    "fox": fox,
    "elephant": elephant,
    "dog": dog,
    "cat": cat,
    "rabbit": rabbit,
    "bird": flying_bird,
    "turtle": turtle,
    "snail": snail,
    "penguin": penguin,
    "duck": duck,
    "bear": bear,
}
