"""Manners with people: portraits, and dancing figures of cut paper."""

from random import Random

from momalisa.atelier.painter.facts import Manner, Subject
from momalisa.atelier.painter.layout import spots
from momalisa.atelier.painter.palette import choose_contrasting, draw_any_palette
from momalisa.atelier.painter.scene import Point, Scene

_SKINS = ("peach", "brown", "ochre", "cream")
_HAIR = ("black", "brown", "maroon", "orange", "yellow", "navy", "grey")
_CLOTH = ("red", "blue", "yellow", "green", "purple", "black", "white", "teal", "pink", "orange")


def portrait(scene: Scene, rng: Random) -> Subject:
    """A woman or a man from the chest up, in flat colours."""
    palette = draw_any_palette(rng, 1)
    skin = choose_contrasting(rng, _SKINS, palette.ground)
    hair = choose_contrasting(rng, _HAIR, palette.ground, skin)
    cloth = choose_contrasting(rng, _CLOTH, palette.ground, skin)
    woman = rng.random() < 0.6
    scene.cover(palette.ground)
    with scene.transform(0.5 + rng.uniform(-0.04, 0.04), 0.46, 0.36):
        if woman:
            _long_hair(scene, rng, hair)
        _bust(scene, skin, cloth)
        _fringe(scene, hair, woman)
        _features(scene, rng, woman)
        if rng.random() < 0.25:
            _hat(scene, choose_contrasting(rng, _CLOTH, palette.ground, hair))
    motif = "woman" if woman else "man"
    return Subject(motif, (palette.ground,), mood=palette.mood, ink=cloth)


def _long_hair(scene: Scene, rng: Random, hair: str) -> None:
    low = rng.choice((0.35, 0.75, 1.0))
    scene.blob(hair, (0, -0.95), (0.6, -0.6), (0.72, low), (-0.72, low), (-0.6, -0.6))


def _bust(scene: Scene, skin: str, cloth: str) -> None:
    """Shoulders, neck and face."""
    scene.blob(
        cloth,
        (0, 0.72),
        (0.75, 0.85),
        (1.05, 1.3),
        (1.1, 2.2),
        (-1.1, 2.2),
        (-1.05, 1.3),
        (-0.75, 0.85),
    )
    scene.polygon(skin, (-0.2, 0.3), (0.2, 0.3), (0.26, 0.8), (0, 1.0), (-0.26, 0.8))
    scene.oval(skin, -0.5, -0.72, 0.5, 0.55)


def _fringe(scene: Scene, hair: str, woman: bool) -> None:
    if woman:
        scene.blob(
            hair, (0, -0.88), (0.56, -0.5), (0.48, -0.1), (0.1, -0.52), (-0.48, -0.1), (-0.56, -0.5)
        )
    else:
        scene.blob(
            hair, (0, -0.9), (0.5, -0.66), (0.52, -0.24), (0, -0.46), (-0.52, -0.24), (-0.5, -0.66)
        )


def _features(scene: Scene, rng: Random, woman: bool) -> None:
    for side in (-1, 1):
        scene.oval("white", side * 0.2 - 0.11, -0.16, side * 0.2 + 0.11, -0.02)
        scene.disc("black", side * 0.2, -0.09, 0.06)
    scene.curve("black", 0.03, (0.0, -0.08), (0.05, 0.14), (-0.03, 0.17))
    if woman or rng.random() < 0.5:
        scene.oval("red", -0.14, 0.26, 0.14, 0.38)
    else:
        scene.curve("black", 0.06, (-0.2, 0.22), (0, 0.16), (0.2, 0.22))


def _hat(scene: Scene, ink: str) -> None:
    scene.oval(ink, -0.85, -0.72, 0.85, -0.42)
    scene.blob(ink, (-0.42, -0.55), (-0.38, -1.1), (0, -1.18), (0.38, -1.1), (0.42, -0.55))


Pose = tuple[tuple[Point, ...], ...]

# Arms and legs, each as points from the body outwards.
_POSES: tuple[Pose, ...] = (
    (
        ((0, -0.35), (-0.45, -0.55), (-0.8, -0.95)),
        ((0, -0.35), (0.5, -0.3), (0.85, -0.65)),
        ((0, 0.15), (-0.35, 0.5), (-0.75, 0.95)),
        ((0, 0.15), (0.25, 0.55), (0.2, 1.0)),
    ),
    (
        ((0, -0.35), (-0.4, -0.1), (-0.85, -0.3)),
        ((0, -0.35), (0.4, -0.65), (0.6, -1.05)),
        ((0, 0.15), (-0.15, 0.6), (-0.3, 1.0)),
        ((0, 0.15), (0.5, 0.3), (0.95, 0.65)),
    ),
    (
        ((0, -0.35), (-0.45, -0.75), (-0.2, -1.1)),
        ((0, -0.35), (0.45, -0.75), (0.2, -1.1)),
        ((0, 0.15), (-0.3, 0.55), (-0.2, 1.0)),
        ((0, 0.15), (0.45, 0.45), (0.15, 0.75)),
    ),
)


def dancers(scene: Scene, rng: Random) -> Subject:
    """One to three dancing figures in one colour."""
    palette = draw_any_palette(rng, 1)
    ink = palette.inks[0]
    count = rng.choice((1, 1, 2, 3))
    scene.cover(palette.ground)
    for x, y, radius in spots(rng, count):
        with scene.transform(x, y, radius * 1.1, rng.uniform(-10, 10), flip=rng.random() < 0.5):
            for limb in rng.choice(_POSES):
                scene.curve(ink, 0.2, *limb)
            scene.blob(
                ink,
                (-0.24, -0.42),
                (0.24, -0.42),
                (0.14, -0.1),
                (0.24, 0.25),
                (-0.24, 0.25),
                (-0.14, -0.1),
            )
            scene.disc(ink, 0.02, -0.75, 0.19)
    return Subject("dancer", (palette.ground,), count, mood=palette.mood, ink=ink)


MANNERS = {
    "portrait": Manner(portrait, "brush"),
    "dancers": Manner(dancers, "paint"),
}
