"""Simple things in two colours (ink and accent), in the square from -1 to 1."""

from collections.abc import Callable
from math import cos, pi, sin

import skia

from momalisa.atelier.painter.scene import Scene
from momalisa.atelier.painter.shapes import crescent, heart, leaf, rays, star

Motif = Callable[[Scene, str, str], None]


def sun(scene: Scene, ink: str, accent: str) -> None:
    """A sun with pointed rays."""
    scene.polygon(ink, *rays(14, 0.68))
    scene.disc(accent, 0, 0, 0.5)
    scene.disc(ink, 0, 0, 0.42)


def moon(scene: Scene, ink: str, accent: str) -> None:
    """A crescent moon and one star."""
    crescent(scene, ink)
    with scene.transform(0.45, -0.1, 0.28):
        star(scene, accent)


def five_pointed_star(scene: Scene, ink: str, accent: str) -> None:
    """A star within a star."""
    star(scene, ink)
    with scene.transform(0, 0.02, 0.4):
        star(scene, accent)


def big_heart(scene: Scene, ink: str, accent: str) -> None:
    """A heart with a glint."""
    heart(scene, ink)
    with scene.transform(-0.42, -0.5, 0.2, 35):
        scene.oval(accent, -1, -0.5, 1, 0.5)


def eye(scene: Scene, ink: str, accent: str) -> None:
    """An open eye."""
    path = skia.Path()
    path.moveTo(-1.1, 0)
    path.quadTo(0, -1.15, 1.1, 0)
    path.quadTo(0, 1.15, -1.1, 0)
    scene.canvas.drawPath(path, scene.ink("white"))
    scene.canvas.drawPath(path, scene.pen("black", 0.13))
    scene.disc(ink, 0, 0, 0.42)
    scene.disc("black", 0, 0, 0.2)
    scene.disc(accent if accent != ink else "white", 0.12, -0.12, 0.07)


def flower(scene: Scene, ink: str, accent: str) -> None:
    """A flower with a stem and two leaves."""
    scene.line("dark green", 0.1, (0, 0), (0, 1.05))
    for side in (-1, 1):
        with scene.transform(side * 0.28, 0.72, 0.3, side * 55):
            leaf(scene, "dark green")
    petals(scene, ink, accent, 0, -0.32, 0.68)


def petals(scene: Scene, ink: str, accent: str, x: float, y: float, radius: float) -> None:
    """A round blossom of seven petals."""
    for i in range(7):
        turn = 2 * pi * i / 7
        scene.disc(ink, x + 0.62 * radius * sin(turn), y - 0.62 * radius * cos(turn), 0.36 * radius)
    scene.disc(accent, x, y, 0.34 * radius)


def tree(scene: Scene, ink: str, accent: str) -> None:
    """A round tree; the accent is its trunk."""
    scene.polygon(accent, (-0.13, 1), (-0.08, 0), (0.08, 0), (0.13, 1))
    for x, y, radius in ((0, -0.5, 0.5), (-0.4, -0.15, 0.4), (0.4, -0.15, 0.4), (0, -0.1, 0.4)):
        scene.disc(ink, x, y, radius)


def fir(scene: Scene, ink: str, accent: str) -> None:
    """A fir tree; the accent is its trunk."""
    scene.rect(accent, -0.1, 0.6, 0.1, 1)
    for top, bottom, half in ((-1.0, -0.1, 0.42), (-0.6, 0.35, 0.58), (-0.2, 0.78, 0.74)):
        scene.polygon(ink, (0, top), (half, bottom), (-half, bottom))


def bare_tree(scene: Scene, ink: str, accent: str) -> None:
    """A tree without leaves, in the accent only."""
    del ink
    scene.line(accent, 0.16, (0, 1), (0, -0.2))
    for side in (-1, 1):
        scene.line(accent, 0.1, (0, 0.2), (side * 0.5, -0.5))
        scene.line(accent, 0.08, (0, -0.1), (side * 0.25, -0.9))
        scene.line(accent, 0.06, (side * 0.3, -0.22), (side * 0.72, -0.22))


def palm(scene: Scene, ink: str, accent: str) -> None:
    """A palm tree; the accent is its trunk."""
    scene.curve(accent, 0.16, (-0.15, 1), (0, 0.3), (0.05, -0.4))
    for turn in (-105, -65, -20, 20, 65, 105):
        with scene.transform(0.05, -0.42, 0.42, turn), scene.transform(0, -0.8, 1):
            scene.oval(ink, -0.25, -0.9, 0.25, 0.9)


def house(scene: Scene, ink: str, accent: str) -> None:
    """A house: walls in the ink, the roof in the accent."""
    scene.rect(ink, -0.7, -0.1, 0.7, 0.95)
    scene.polygon(accent, (-0.9, -0.08), (0, -0.9), (0.9, -0.08))
    scene.rect(accent, -0.14, 0.4, 0.18, 0.95)
    scene.rect(accent, -0.52, 0.12, -0.26, 0.38)
    scene.rect(accent, 0.28, 0.12, 0.54, 0.38)


def boat(scene: Scene, ink: str, accent: str) -> None:
    """A sailing boat: sails in the ink, the hull in the accent."""
    scene.polygon(accent, (-0.95, 0.5), (0.95, 0.5), (0.6, 0.92), (-0.65, 0.92))
    scene.line(accent, 0.07, (0, 0.5), (0, -0.98))
    scene.polygon(ink, (0.08, -0.9), (0.8, 0.34), (0.08, 0.34))
    scene.polygon(ink, (-0.08, -0.7), (-0.08, 0.34), (-0.6, 0.34))


def apple(scene: Scene, ink: str, accent: str) -> None:
    """An apple with a leaf."""
    scene.blob(
        ink, (0, -0.45), (0.5, -0.62), (0.9, -0.15), (0.7, 0.6), (0.25, 0.92), (0, 0.82),
        (-0.25, 0.92), (-0.7, 0.6), (-0.9, -0.15), (-0.5, -0.62),
    )  # fmt: skip
    scene.line("brown", 0.1, (0, -0.5), (0.08, -0.95))
    with scene.transform(0.42, -0.82, 0.3, 65):
        leaf(scene, "green" if ink != "green" else "dark green")
    with scene.transform(-0.45, -0.15, 0.2, -70):
        scene.oval(accent, -1, -0.45, 1, 0.45)


def pear(scene: Scene, ink: str, accent: str) -> None:
    """A pear."""
    scene.blob(
        ink, (0, -0.75), (0.3, -0.5), (0.42, 0), (0.72, 0.5), (0.35, 0.95),
        (-0.35, 0.95), (-0.72, 0.5), (-0.42, 0), (-0.3, -0.5),
    )  # fmt: skip
    scene.line("brown", 0.1, (0, -0.7), (0.1, -1.05))
    with scene.transform(-0.32, 0.42, 0.17, -70):
        scene.oval(accent, -1, -0.45, 1, 0.45)


def lips(scene: Scene, ink: str, accent: str) -> None:
    """A mouth."""
    scene.blob(
        ink, (-1.05, -0.02), (-0.35, -0.5), (0, -0.36), (0.35, -0.5), (1.05, -0.02),
        (0.5, 0.48), (0, 0.6), (-0.5, 0.48),
    )  # fmt: skip
    scene.curve(accent, 0.09, (-0.85, -0.02), (-0.3, -0.06), (0, 0.02), (0.3, -0.06), (0.85, -0.02))


def umbrella(scene: Scene, ink: str, accent: str) -> None:
    """An open umbrella."""
    scene.pie(ink, 0, 0.05, 0.95, 180, 180)
    scene.line(accent, 0.09, (0, -0.9), (0, 0.8))
    scene.arc(accent, 0.17, 0.8, 0.17, 0, 180, 0.09)
    scene.pie(ink, 0, 0.05, 0.95, 180, 180)


def guitar(scene: Scene, ink: str, accent: str) -> None:
    """A guitar, upright."""
    scene.rect(accent, -0.08, -1.05, 0.08, 0)
    scene.rect(accent, -0.16, -1.2, 0.16, -0.98)
    scene.disc(ink, 0, 0.05, 0.38)
    scene.disc(ink, 0, 0.6, 0.52)
    scene.rect(ink, -0.3, 0.1, 0.3, 0.5)
    scene.disc(accent, 0, 0.22, 0.17)
    scene.rect(accent, -0.24, 0.78, 0.24, 0.86)


def cup(scene: Scene, ink: str, accent: str) -> None:
    """A cup with a handle."""
    scene.ring(ink, 0.62, 0.05, 0.3, 0.15)
    scene.polygon(ink, (-0.72, -0.45), (0.66, -0.45), (0.5, 0.62), (-0.56, 0.62))
    scene.oval(accent, -0.72, -0.58, 0.66, -0.3)
    scene.oval(ink, -0.95, 0.58, 0.9, 0.8)


def cactus(scene: Scene, ink: str, accent: str) -> None:
    """A cactus with two arms and a flower."""
    scene.line(ink, 0.4, (0, 0.9), (0, -0.7))
    scene.line(ink, 0.26, (0, 0.35), (-0.6, 0.35), (-0.6, -0.2))
    scene.line(ink, 0.26, (0, 0.1), (0.6, 0.1), (0.6, -0.45))
    scene.disc(accent, 0, -0.92, 0.14)


THINGS: dict[str, Motif] = {
    "sun": sun,
    "moon": moon,
    "star": five_pointed_star,
    "heart": big_heart,
    "eye": eye,
    "flower": flower,
    "tree": tree,
    "house": house,
    "boat": boat,
    "apple": apple,
    "pear": pear,
    "mouth": lips,
    "umbrella": umbrella,
    "guitar": guitar,
    "cup": cup,
    "cactus": cactus,
}
