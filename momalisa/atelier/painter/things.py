"""More things of everyday life in two colours (ink and accent), in the square from -1 to 1."""

from math import cos, pi, sin

from momalisa.atelier.painter.motifs import Motif, petals
from momalisa.atelier.painter.scene import Scene
from momalisa.atelier.painter.shapes import leaf


def bicycle(scene: Scene, ink: str, accent: str) -> None:
    """A bicycle with its saddle in the accent."""
    for x in (-0.62, 0.62):
        scene.ring(ink, x, 0.35, 0.42, 0.1)
        scene.disc(ink, x, 0.35, 0.08)
    scene.line(ink, 0.1, (-0.62, 0.35), (-0.26, -0.28), (0.42, -0.28), (0.02, 0.35), (-0.62, 0.35))
    scene.line(ink, 0.1, (0.02, 0.35), (-0.34, -0.5))
    scene.line(ink, 0.1, (0.62, 0.35), (0.36, -0.58), (0.62, -0.66))
    scene.line(accent, 0.16, (-0.5, -0.54), (-0.18, -0.54))


def lighthouse(scene: Scene, ink: str, accent: str) -> None:
    """A lighthouse with bands in the accent and a yellow lamp."""
    scene.polygon(ink, (-0.24, -0.5), (0.24, -0.5), (0.42, 0.95), (-0.42, 0.95))
    for top, bottom in ((-0.25, 0.05), (0.4, 0.7)):
        a, b = 0.24 + 0.124 * (top + 0.5), 0.24 + 0.124 * (bottom + 0.5)
        scene.polygon(accent, (-a, top), (a, top), (b, bottom), (-b, bottom))
    scene.rect("yellow", -0.17, -0.78, 0.17, -0.5)
    scene.polygon(accent, (-0.28, -0.76), (0, -1.05), (0.28, -0.76))
    scene.rect(accent, -0.34, -0.54, 0.34, -0.46)


def bridge(scene: Scene, ink: str, accent: str) -> None:
    """A suspension bridge: deck and towers in the ink, cables in the accent."""
    scene.curve(accent, 0.06, (-1.1, 0.1), (-0.9, -0.1), (-0.6, -0.66))
    scene.curve(accent, 0.06, (-0.6, -0.66), (-0.3, -0.08), (0, 0.08), (0.3, -0.08), (0.6, -0.66))
    scene.curve(accent, 0.06, (0.6, -0.66), (0.9, -0.1), (1.1, 0.1))
    for x, y in ((-0.4, -0.24), (-0.2, 0.02), (0, 0.08), (0.2, 0.02), (0.4, -0.24)):
        scene.line(accent, 0.04, (x, y), (x, 0.3))
    for x in (-0.6, 0.6):
        scene.rect(ink, x - 0.1, -0.75, x + 0.1, 0.8)
    scene.rect(ink, -1.15, 0.22, 1.15, 0.42)


def chair(scene: Scene, ink: str, accent: str) -> None:
    """A chair with a seat in the accent."""
    scene.line(ink, 0.13, (-0.5, -0.95), (-0.5, 0.95))
    scene.line(ink, 0.13, (0.5, 0.2), (0.5, 0.95))
    for y in (-0.82, -0.5):
        scene.rect(ink, -0.5, y, -0.1, y + 0.16)
    scene.line(ink, 0.1, (-0.12, -0.95), (-0.12, 0.1))
    scene.line(ink, 0.1, (-0.12, 0.2), (-0.12, 0.8))
    scene.rect(accent, -0.6, 0.06, 0.62, 0.26)


def window(scene: Scene, ink: str, accent: str) -> None:
    """A window with four panes in the accent."""
    scene.rect(ink, -0.8, -0.95, 0.8, 0.85)
    for x in (-0.66, 0.06):
        for y in (-0.81, 0.0):
            scene.rect(accent, x, y, x + 0.6, y + 0.7)
    scene.rect(ink, -0.95, 0.82, 0.95, 1.0)


def door(scene: Scene, ink: str, accent: str) -> None:
    """A door with two panels and a knob in the accent."""
    scene.rect(accent, -0.64, -1.02, 0.64, 1.0)
    scene.rect(ink, -0.52, -0.9, 0.52, 1.0)
    for top, bottom in ((-0.74, -0.12), (0.2, 0.82)):
        scene.line(accent, 0.05, (-0.3, top), (0.22, top), (0.22, bottom), (-0.3, bottom),
                   (-0.3, top))  # fmt: skip
    scene.disc(accent, 0.38, 0.04, 0.09)


def car(scene: Scene, ink: str, accent: str) -> None:
    """A car with windows in the accent."""
    scene.blob(ink, (-0.66, -0.1), (-0.4, -0.56), (0.3, -0.56), (0.62, -0.1))
    scene.polygon(ink, (-1.05, -0.08), (1.0, -0.08), (1.1, 0.14), (1.1, 0.42), (-1.1, 0.42),
                  (-1.1, 0.1))  # fmt: skip
    scene.polygon(accent, (-0.48, -0.12), (-0.32, -0.46), (-0.05, -0.46), (-0.05, -0.12))
    scene.polygon(accent, (0.05, -0.12), (0.05, -0.46), (0.24, -0.46), (0.44, -0.12))
    for x in (-0.6, 0.6):
        scene.disc("black", x, 0.42, 0.27)
        scene.disc("grey", x, 0.42, 0.12)


def balloon(scene: Scene, ink: str, accent: str) -> None:
    """A hot-air balloon with stripes in the accent."""
    for side in (-1, 1):
        scene.line("brown", 0.04, (side * 0.4, 0.2), (side * 0.16, 0.7))
    scene.blob(ink, (0, -1.05), (0.72, -0.7), (0.78, -0.1), (0.22, 0.46), (-0.22, 0.46),
               (-0.78, -0.1), (-0.72, -0.7))  # fmt: skip
    scene.blob(accent, (0, -1.05), (0.28, -0.5), (0.2, 0.1), (0, 0.47), (-0.2, 0.1), (-0.28, -0.5))
    scene.rect("brown", -0.2, 0.68, 0.2, 0.98)


def clock(scene: Scene, ink: str, accent: str) -> None:
    """A round clock: its rim in the ink, the face in the accent."""
    scene.disc(ink, 0, 0, 0.96)
    scene.disc(accent, 0, 0, 0.76)
    for i in range(12):
        x, y = sin(i * pi / 6), -cos(i * pi / 6)
        scene.line(ink, 0.06, (0.6 * x, 0.6 * y), (0.68 * x, 0.68 * y))
    scene.line(ink, 0.1, (0, -0.5), (0, 0), (0.34, 0.16))


def book(scene: Scene, ink: str, accent: str) -> None:
    """An open book with lines of text in the accent."""
    for side in (-1, 1):
        scene.polygon(ink, (0, -0.42), (side * 1.05, -0.62), (side * 1.05, 0.5), (0, 0.72))
        for y in (-0.3, -0.08, 0.14):
            scene.line(accent, 0.07, (side * 0.18, y + 0.06), (side * 0.86, y - 0.08))
    scene.line(accent, 0.05, (0, -0.42), (0, 0.72))


def key(scene: Scene, ink: str, accent: str) -> None:
    """A key, upright."""
    del accent
    scene.ring(ink, 0, -0.55, 0.32, 0.2)
    scene.rect(ink, -0.1, -0.25, 0.1, 0.98)
    scene.rect(ink, 0, 0.5, 0.42, 0.66)
    scene.rect(ink, 0, 0.8, 0.34, 0.98)


def candle(scene: Scene, ink: str, accent: str) -> None:
    """A burning candle on a plate in the accent."""
    scene.rect(ink, -0.24, -0.3, 0.24, 0.8)
    scene.line("black", 0.05, (0, -0.3), (0, -0.5))
    with scene.transform(0, -0.72, 0.32):
        leaf(scene, "orange")
    with scene.transform(0, -0.64, 0.17):
        leaf(scene, "yellow")
    scene.oval(accent, -0.66, 0.7, 0.66, 0.98)


def cloud(scene: Scene, ink: str, accent: str) -> None:
    """A cloud, all in the ink."""
    del accent
    for x, y, radius in (
        (-0.6, 0.14, 0.38),
        (-0.16, -0.2, 0.48),
        (0.4, -0.04, 0.42),
        (0.72, 0.2, 0.32),
    ):
        scene.disc(ink, x, y, radius)
    scene.rect(ink, -0.6, 0.1, 0.72, 0.52)


def rainbow(scene: Scene, ink: str, accent: str) -> None:
    """A rainbow; its outer band is in the ink."""
    del accent
    for i, name in enumerate((ink, "red", "orange", "yellow", "green", "blue", "purple")):
        scene.arc(name, 0, 0.5, 0.98 - 0.11 * i, 180, 180, 0.11)


def snowman(scene: Scene, ink: str, accent: str) -> None:
    """A snowman with a hat and a scarf in the accent."""
    scene.disc(ink, 0, 0.5, 0.5)
    scene.disc(ink, 0, -0.2, 0.36)
    scene.rect(accent, -0.3, 0.0, 0.3, 0.14)
    scene.rect("black", -0.42, -0.56, 0.42, -0.46)
    scene.rect("black", -0.26, -1.0, 0.26, -0.5)
    for x in (-0.12, 0.12):
        scene.disc("black", x, -0.28, 0.05)
    scene.polygon("orange", (0, -0.2), (0.34, -0.13), (0, -0.1))
    for y in (0.36, 0.6):
        scene.disc("black", 0, y, 0.06)


def mushroom(scene: Scene, ink: str, accent: str) -> None:
    """A mushroom with its stem and dots in the accent."""
    scene.blob(accent, (-0.24, 0), (0.24, 0), (0.34, 0.9), (-0.34, 0.9))
    scene.pie(ink, 0, 0.12, 0.95, 180, 180)
    for x, y, radius in (
        (-0.5, -0.2, 0.14),
        (0, -0.5, 0.17),
        (0.5, -0.18, 0.14),
        (-0.04, -0.06, 0.1),
    ):
        scene.disc(accent, x, y, radius)


def crown(scene: Scene, ink: str, accent: str) -> None:
    """A crown with jewels in the accent."""
    scene.polygon(ink, (-0.9, 0.65), (-1.0, -0.5), (-0.45, 0.05), (0, -0.75), (0.45, 0.05),
                  (1.0, -0.5), (0.9, 0.65))  # fmt: skip
    for x, y in ((-1.0, -0.55), (0, -0.8), (1.0, -0.55)):
        scene.disc(ink, x, y, 0.13)
    for x in (-0.5, 0, 0.5):
        scene.disc(accent, x, 0.38, 0.13)


def hat(scene: Scene, ink: str, accent: str) -> None:
    """A hat with a ribbon in the accent."""
    scene.oval(ink, -1.08, 0.22, 1.08, 0.66)
    scene.blob(ink, (-0.6, 0.4), (-0.55, -0.5), (0, -0.42), (0.55, -0.5), (0.6, 0.4))
    scene.rect(accent, -0.6, 0.06, 0.6, 0.28)


def teapot(scene: Scene, ink: str, accent: str) -> None:
    """A teapot with its lid and handle in the accent."""
    scene.arc(accent, -0.66, 0.1, 0.36, 90, 180, 0.13)
    scene.polygon(ink, (0.4, 0.3), (1.1, -0.4), (1.0, -0.46), (0.4, -0.1))
    scene.oval(ink, -0.75, -0.42, 0.7, 0.76)
    scene.pie(accent, 0, -0.34, 0.4, 180, 180)
    scene.disc(accent, 0, -0.8, 0.12)


def kite(scene: Scene, ink: str, accent: str) -> None:
    """A kite with a tail in the accent."""
    scene.curve(accent, 0.06, (0, 0.4), (-0.2, 0.66), (0.1, 0.8), (-0.1, 1.02))
    scene.polygon(ink, (0, -1.05), (0.66, -0.4), (0, 0.46), (-0.66, -0.4))
    scene.line(accent, 0.06, (0, -1.02), (0, 0.44))
    scene.line(accent, 0.06, (-0.64, -0.4), (0.64, -0.4))


def train(scene: Scene, ink: str, accent: str) -> None:
    """A steam train, heading right, with its window in the accent."""
    scene.rect(ink, -0.95, -0.7, -0.25, 0.45)
    scene.rect(ink, -0.3, -0.2, 0.85, 0.45)
    scene.polygon(ink, (0.5, -0.2), (0.44, -0.72), (0.82, -0.72), (0.76, -0.2))
    scene.polygon(ink, (0.8, 0.45), (1.1, 0.7), (0.8, 0.7))
    scene.rect(accent, -0.78, -0.5, -0.42, -0.12)
    scene.rect("black", -1.0, 0.4, 0.9, 0.52)
    for x in (-0.68, -0.12, 0.42):
        scene.disc("black", x, 0.62, 0.25)
        scene.disc(accent, x, 0.62, 0.1)


def rocket(scene: Scene, ink: str, accent: str) -> None:
    """A rocket: its fins in the accent, with a flame."""
    scene.polygon("orange", (-0.2, 0.6), (0.2, 0.6), (0, 1.06))
    for side in (-1, 1):
        scene.polygon(accent, (side * 0.26, 0.1), (side * 0.66, 0.7), (side * 0.2, 0.62))
    scene.blob(ink, (0, -1.05), (0.34, -0.4), (0.32, 0.3), (0.2, 0.66), (-0.2, 0.66), (-0.32, 0.3),
               (-0.34, -0.4))  # fmt: skip
    scene.disc(accent, 0, -0.3, 0.17)


def sunflower(scene: Scene, ink: str, accent: str) -> None:
    """A tall flower with pointed petals; the accent is its heart."""
    scene.line("green", 0.1, (0, 0), (0, 1.05))
    for side in (-1, 1):
        with scene.transform(side * 0.3, 0.72, 0.3, side * 55):
            leaf(scene, "green")
    for turn in range(0, 360, 30):
        with scene.transform(0, -0.3, 0.3, turn), scene.transform(0, -1.35, 0.85):
            leaf(scene, ink)
    scene.disc(accent, 0, -0.3, 0.36)


def lamp(scene: Scene, ink: str, accent: str) -> None:
    """A table lamp: its shade in the ink, the foot in the accent."""
    scene.line(accent, 0.14, (0, 0), (0, 0.85))
    scene.oval(accent, -0.45, 0.78, 0.45, 1.0)
    scene.polygon(ink, (-0.36, -0.9), (0.36, -0.9), (0.8, 0.14), (-0.8, 0.14))


def vase(scene: Scene, ink: str, accent: str) -> None:
    """A vase with one flower in the accent."""
    scene.line("green", 0.08, (0, 0.1), (0, -0.5))
    petals(scene, accent, "yellow" if accent != "yellow" else "red", 0, -0.62, 0.4)
    scene.blob(ink, (-0.26, 0.02), (0.26, 0.02), (0.24, 0.2), (0.5, 0.55), (0.26, 0.98),
               (-0.26, 0.98), (-0.5, 0.55), (-0.24, 0.2))  # fmt: skip


def mountain(scene: Scene, ink: str, accent: str) -> None:
    """A pointed mountain; its peak is in the accent."""
    scene.polygon(ink, (-1.15, 0.8), (-0.1, -0.9), (0.3, -0.3), (0.5, -0.46), (1.15, 0.8))
    scene.polygon(accent, (-0.1, -0.9), (0.2, -0.45), (0.02, -0.3), (-0.14, -0.46), (-0.36, -0.32),
                  (-0.4, -0.42))  # fmt: skip


EVERYDAY_THINGS: dict[str, Motif] = {
    "bicycle": bicycle,
    "lighthouse": lighthouse,
    "bridge": bridge,
    "chair": chair,
    "window": window,
    "door": door,
    "car": car,
    "hot air balloon": balloon,
    "clock": clock,
    "book": book,
    "key": key,
    "candle": candle,
    "cloud": cloud,
    "rainbow": rainbow,
    "snowman": snowman,
    "mushroom": mushroom,
    "crown": crown,
    "hat": hat,
    "teapot": teapot,
    "kite": kite,
    "train": train,
    "rocket": rocket,
    "sunflower": sunflower,
    "lamp": lamp,
    "vase": vase,
    "mountain": mountain,
}
