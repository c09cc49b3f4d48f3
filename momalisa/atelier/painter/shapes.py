"""Plain shapes in one colour, in the square from -1 to 1."""

from collections.abc import Callable
from math import cos, pi, sin

import skia

from momalisa.atelier.painter.scene import Point, Scene


def rays(points: int, inner: float) -> list[Point]:
    """The corners of a star with one tip at the top."""
    return [
        (
            (1.0 if i % 2 == 0 else inner) * sin(i * pi / points),
            -(1.0 if i % 2 == 0 else inner) * cos(i * pi / points),
        )
        for i in range(2 * points)
    ]


def square(scene: Scene, ink: str) -> None:
    """A square."""
    scene.rect(ink, -0.86, -0.86, 0.86, 0.86)


def circle(scene: Scene, ink: str) -> None:
    """A disc."""
    scene.disc(ink, 0, 0, 0.95)


def triangle(scene: Scene, ink: str) -> None:
    """A triangle, point up."""
    scene.polygon(ink, (0, -0.92), (1, 0.8), (-1, 0.8))


def cross(scene: Scene, ink: str) -> None:
    """A cross with four equal arms."""
    scene.rect(ink, -0.95, -0.32, 0.95, 0.32)
    scene.rect(ink, -0.32, -0.95, 0.32, 0.95)


def rectangle(scene: Scene, ink: str) -> None:
    """A rectangle, twice as wide as high."""
    scene.rect(ink, -1.1, -0.5, 1.1, 0.5)


def diamond(scene: Scene, ink: str) -> None:
    """A rhombus on its point."""
    scene.polygon(ink, (0, -1.05), (0.8, 0), (0, 1.05), (-0.8, 0))


def semicircle(scene: Scene, ink: str) -> None:
    """Half a disc, flat side down."""
    scene.pie(ink, 0, 0.45, 1.0, 180, 180)


def ring(scene: Scene, ink: str) -> None:
    """A thick ring."""
    scene.ring(ink, 0, 0, 0.72, 0.42)


def star(scene: Scene, ink: str) -> None:
    """A star of five points."""
    scene.polygon(ink, *rays(5, 0.42))


def heart(scene: Scene, ink: str) -> None:
    """A heart."""
    path = skia.Path()
    path.moveTo(0, 0.95)
    path.cubicTo(-1.5, -0.1, -0.95, -1.15, -0.45, -0.95)
    path.cubicTo(-0.2, -0.87, -0.05, -0.7, 0, -0.45)
    path.cubicTo(0.05, -0.7, 0.2, -0.87, 0.45, -0.95)
    path.cubicTo(0.95, -1.15, 1.5, -0.1, 0, 0.95)
    scene.canvas.drawPath(path, scene.ink(ink))


def crescent(scene: Scene, ink: str) -> None:
    """A crescent moon, open to the right."""
    path = skia.Path()
    path.moveTo(0.35, -0.95)
    path.cubicTo(-1.45, -1.15, -1.45, 1.15, 0.35, 0.95)
    path.cubicTo(-0.55, 0.55, -0.55, -0.55, 0.35, -0.95)
    scene.canvas.drawPath(path, scene.ink(ink))


def leaf(scene: Scene, ink: str) -> None:
    """A pointed leaf."""
    path = skia.Path()
    path.moveTo(0, -1.1)
    path.cubicTo(0.95, -0.4, 0.8, 0.6, 0, 1.0)
    path.cubicTo(-0.8, 0.6, -0.95, -0.4, 0, -1.1)
    scene.canvas.drawPath(path, scene.ink(ink))


SHAPES: dict[str, Callable[[Scene, str], None]] = {
    "square": square,
    "circle": circle,
    "triangle": triangle,
    "cross": cross,
    "rectangle": rectangle,
    "diamond": diamond,
    "semicircle": semicircle,
    "ring": ring,
    "star": star,
    "heart": heart,
}
