"""Animals as silhouettes in two colours (ink and accent), in the square from -1 to 1."""

from momalisa.atelier.painter.motifs import Motif
from momalisa.atelier.painter.scene import Scene


def _eyes(scene: Scene, accent: str, x: float, y: float, radius: float) -> None:
    for side in (-1, 1):
        scene.disc(accent, side * x, y, radius)
        scene.disc("black", side * x, y, radius * 0.5)


def cat(scene: Scene, ink: str, accent: str) -> None:
    """A cat's head with whiskers."""
    for side in (-1, 1):
        scene.polygon(ink, (side * 0.9, -1.0), (side * 0.88, 0.1), (side * 0.15, -0.5))
        scene.polygon(accent, (side * 0.78, -0.76), (side * 0.76, -0.3), (side * 0.45, -0.5))
    scene.oval(ink, -0.95, -0.62, 0.95, 0.88)
    _eyes(scene, accent, 0.4, -0.02, 0.2)
    scene.polygon(accent, (-0.12, 0.26), (0.12, 0.26), (0, 0.42))
    for side in (-1, 1):
        scene.curve(accent, 0.05, (0, 0.42), (side * 0.12, 0.56), (side * 0.28, 0.5))
        scene.line(accent, 0.04, (side * 0.4, 0.38), (side * 1.1, 0.24))
        scene.line(accent, 0.04, (side * 0.4, 0.48), (side * 1.1, 0.54))


def sitting_cat(scene: Scene, ink: str, accent: str) -> None:
    """A sitting cat, seen from behind."""
    scene.curve(ink, 0.2, (0.3, 0.85), (0.95, 0.75), (0.85, 0.1), (0.6, -0.05))
    scene.blob(ink, (0, -0.3), (0.48, 0.2), (0.52, 0.92), (0, 0.98), (-0.52, 0.92), (-0.48, 0.2))
    for side in (-1, 1):
        scene.polygon(ink, (side * 0.4, -1.05), (side * 0.42, -0.45), (side * 0.05, -0.75))
    scene.oval(ink, -0.46, -0.85, 0.46, -0.12)
    _eyes(scene, accent, 0.2, -0.5, 0.11)
    scene.polygon(accent, (-0.07, -0.36), (0.07, -0.36), (0, -0.27))


def dog(scene: Scene, ink: str, accent: str) -> None:
    """A dog's head with hanging ears and its tongue out."""
    scene.oval(ink, -0.72, -0.8, 0.72, 0.5)
    scene.oval(accent, -0.42, -0.05, 0.42, 0.72)
    for side in (-1, 1):
        scene.blob(
            ink,
            (side * 0.5, -0.8),
            (side * 1.0, -0.5),
            (side * 1.02, 0.45),
            (side * 0.72, 0.4),
            (side * 0.62, -0.3),
        )
    _eyes(scene, accent, 0.33, -0.28, 0.16)
    scene.oval("black", -0.2, 0.02, 0.2, 0.28)
    scene.oval("red", -0.15, 0.5, 0.15, 1.0)
    scene.line("black", 0.05, (-0.2, 0.52), (0.2, 0.52))


def bird(scene: Scene, ink: str, accent: str) -> None:
    """A standing bird, facing right."""
    scene.line("black", 0.06, (-0.08, 0.5), (-0.12, 0.98))
    scene.line("black", 0.06, (0.16, 0.5), (0.16, 0.98))
    scene.polygon(ink, (-1.08, 0.5), (-0.98, 0.12), (-0.2, 0.05), (-0.2, 0.5))
    scene.blob(ink, (0.3, -0.5), (0.6, 0.0), (0.3, 0.55), (-0.3, 0.6), (-0.55, 0.2), (0, -0.1))
    scene.disc(ink, 0.4, -0.48, 0.38)
    scene.polygon(accent, (0.7, -0.6), (1.15, -0.42), (0.7, -0.3))
    scene.blob(accent, (-0.5, 0.15), (0.0, 0.02), (0.2, 0.25), (-0.1, 0.42))
    scene.disc("white", 0.46, -0.56, 0.11)
    scene.disc("black", 0.48, -0.56, 0.06)


def fish(scene: Scene, ink: str, accent: str) -> None:
    """A fish, facing right."""
    scene.polygon(ink, (-0.5, 0), (-1.1, -0.52), (-0.95, 0), (-1.1, 0.52))
    scene.polygon(accent, (-0.2, -0.4), (0.1, -0.85), (0.35, -0.4))
    scene.blob(
        ink, (1.05, 0.02), (0.5, -0.46), (-0.1, -0.46), (-0.65, 0), (-0.1, 0.46), (0.5, 0.46)
    )
    for x in (-0.25, 0.05, 0.35):
        scene.arc(accent, x - 0.35, 0, 0.35, -50, 100, 0.08)
    scene.disc("white", 0.68, -0.1, 0.13)
    scene.disc("black", 0.7, -0.1, 0.07)


def horse(scene: Scene, ink: str, accent: str) -> None:
    """A standing horse, facing right."""
    scene.curve(accent, 0.16, (-0.72, -0.12), (-0.98, 0.1), (-0.92, 0.6))
    scene.blob(ink, (-0.75, 0), (-0.5, -0.26), (0.2, -0.2), (0.5, 0), (0.42, 0.35), (-0.6, 0.36))
    for x, lean in ((-0.66, -0.04), (-0.44, 0.02), (0.2, -0.02), (0.42, 0.04)):
        scene.polygon(
            ink, (x - 0.11, 0.2), (x + 0.11, 0.2), (x + lean + 0.06, 1), (x + lean - 0.06, 1)
        )
    scene.polygon(ink, (0.12, -0.1), (0.5, 0.18), (0.72, -0.56), (0.46, -0.86))
    scene.polygon(ink, (0.44, -0.98), (0.6, -0.9), (1.06, -0.48), (0.98, -0.28), (0.62, -0.42))
    scene.line(accent, 0.14, (0.44, -0.84), (0.2, -0.48), (0.1, -0.2))
    scene.disc(accent, 0.68, -0.7, 0.06)


def rabbit(scene: Scene, ink: str, accent: str) -> None:
    """A rabbit's head with long ears."""
    for side in (-1, 1):
        with scene.transform(side * 0.3, -0.55, 1, side * 10):
            scene.oval(ink, -0.2, -0.6, 0.2, 0.4)
            scene.oval(accent, -0.09, -0.45, 0.09, 0.25)
    scene.oval(ink, -0.72, -0.4, 0.72, 0.95)
    _eyes(scene, accent, 0.3, 0.16, 0.14)
    scene.polygon(accent, (-0.11, 0.42), (0.11, 0.42), (0, 0.55))
    scene.rect("white", -0.1, 0.62, 0.1, 0.82)


def owl(scene: Scene, ink: str, accent: str) -> None:
    """An owl, seen from the front."""
    scene.blob(
        ink,
        (0, -0.75),
        (0.72, -0.95),
        (0.75, 0.2),
        (0.45, 0.9),
        (-0.45, 0.9),
        (-0.75, 0.2),
        (-0.72, -0.95),
    )
    for side in (-1, 1):
        scene.disc("white", side * 0.34, -0.32, 0.32)
        scene.disc(accent, side * 0.34, -0.32, 0.23)
        scene.disc("black", side * 0.34, -0.32, 0.12)
    scene.polygon("orange", (-0.13, -0.12), (0.13, -0.12), (0, 0.16))
    for row, y in enumerate((0.35, 0.58)):
        for x in (-0.28, 0.0, 0.28) if row == 0 else (-0.14, 0.14):
            scene.arc(accent, x, y, 0.11, 0, 180, 0.07)


def butterfly(scene: Scene, ink: str, accent: str) -> None:
    """A butterfly with open wings."""
    for side in (-1, 1):
        scene.blob(
            ink, (side * 0.05, 0), (side * 0.5, -0.8), (side * 1.05, -0.72), (side * 0.85, 0.02)
        )
        scene.blob(
            ink, (side * 0.05, 0), (side * 0.75, 0.1), (side * 0.7, 0.75), (side * 0.25, 0.7)
        )
        scene.disc(accent, side * 0.66, -0.4, 0.2)
        scene.disc(accent, side * 0.46, 0.4, 0.15)
        scene.curve("black", 0.05, (0, -0.4), (side * 0.12, -0.75), (side * 0.3, -0.9))
    scene.oval("black", -0.09, -0.5, 0.09, 0.6)


def whale(scene: Scene, ink: str, accent: str) -> None:
    """A spouting whale, facing left."""
    scene.blob(
        ink,
        (-1.0, 0.2),
        (-0.7, -0.35),
        (0, -0.42),
        (0.6, 0.05),
        (0.85, -0.1),
        (0.8, 0.4),
        (0, 0.75),
        (-0.75, 0.65),
    )
    scene.polygon(ink, (0.7, 0.1), (0.6, -0.5), (0.88, -0.35), (1.12, -0.6), (1.0, 0.0))
    scene.curve(accent, 0.06, (-0.98, 0.36), (-0.6, 0.42), (-0.2, 0.3))
    scene.disc(accent, -0.58, 0.12, 0.08)
    for side in (-1, 1):
        scene.curve(
            accent, 0.08, (-0.4, -0.45), (-0.4 + side * 0.1, -0.85), (-0.4 + side * 0.32, -0.8)
        )


ANIMALS: dict[str, tuple[Motif, ...]] = {
    "cat": (cat, sitting_cat),
    "dog": (dog,),
    "bird": (bird,),
    "fish": (fish,),
    "horse": (horse,),
    "rabbit": (rabbit,),
    "owl": (owl,),
    "butterfly": (butterfly,),
    "whale": (whale,),
}
