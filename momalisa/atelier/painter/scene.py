"""A drawing surface in unit coordinates that records which colours were used."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import skia
from numpy.typing import NDArray

from momalisa.atelier.painter.palette import COLOURS

Point = tuple[float, float]

# Pixels further than this (squared RGB distance) from every used colour are blends.
_BLEND = 60**2


class Scene:
    """A square picture; x goes right and y down, both from 0 to 1."""

    def __init__(self, size: int) -> None:
        """Start an empty picture of `size` by `size` pixels."""
        self.size = size
        self.pixels: NDArray[np.uint8] = np.zeros((size, size, 4), np.uint8)
        self._surface = skia.Surface(self.pixels)
        self.canvas = self._surface.getCanvas()
        self.canvas.scale(size, size)
        self._used: dict[str, None] = {}

    def rgb(self, name: str) -> tuple[int, int, int]:
        """The RGB value of a named colour, which is recorded as used."""
        self._used[name] = None
        return COLOURS[name]

    def ink(self, name: str, alpha: float = 1.0, blur: float = 0.0) -> skia.Paint:
        """A fill paint; `alpha` from 0 (transparent) to 1, `blur` in units of the coordinates."""
        red, green, blue = self.rgb(name)
        paint = skia.Paint(
            AntiAlias=True, Color=skia.ColorSetARGB(int(alpha * 255), red, green, blue)
        )
        if blur:
            paint.setMaskFilter(skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, blur))
        return paint

    def pen(self, name: str, width: float) -> skia.Paint:
        """A stroke paint of that width with round ends."""
        paint = self.ink(name)
        paint.setStyle(skia.Paint.kStroke_Style)
        paint.setStrokeWidth(width)
        paint.setStrokeCap(skia.Paint.kRound_Cap)
        paint.setStrokeJoin(skia.Paint.kRound_Join)
        return paint

    def cover(self, name: str) -> None:
        """Fill the entire picture."""
        self.canvas.drawPaint(self.ink(name))

    def rect(self, name: str, x0: float, y0: float, x1: float, y1: float) -> None:
        """Fill a rectangle."""
        self.canvas.drawRect(skia.Rect.MakeLTRB(x0, y0, x1, y1), self.ink(name))

    def disc(self, name: str, x: float, y: float, radius: float) -> None:
        """Fill a circle."""
        self.canvas.drawCircle(x, y, radius, self.ink(name))

    def oval(self, name: str, x0: float, y0: float, x1: float, y1: float) -> None:
        """Fill the ellipse in that rectangle."""
        self.canvas.drawOval(skia.Rect.MakeLTRB(x0, y0, x1, y1), self.ink(name))

    def ring(self, name: str, x: float, y: float, radius: float, width: float) -> None:
        """Draw a circle's outline."""
        self.canvas.drawCircle(x, y, radius, self.pen(name, width))

    def pie(self, name: str, x: float, y: float, radius: float, start: float, sweep: float) -> None:
        """Fill a sector; angles in degrees, clockwise from the right."""
        box = skia.Rect.MakeLTRB(x - radius, y - radius, x + radius, y + radius)
        self.canvas.drawArc(box, start, sweep, True, self.ink(name))

    def arc(
        self, name: str, x: float, y: float, radius: float, start: float, sweep: float, width: float
    ) -> None:
        """Draw an arc of a circle; angles in degrees, clockwise from the right."""
        box = skia.Rect.MakeLTRB(x - radius, y - radius, x + radius, y + radius)
        self.canvas.drawArc(box, start, sweep, False, self.pen(name, width))

    def polygon(self, name: str, *points: Point) -> None:
        """Fill a polygon."""
        self.canvas.drawPath(skia.Path.Polygon(_points(points), True), self.ink(name))

    def blob(self, name: str, *points: Point) -> None:
        """Fill a closed smooth curve through the points."""
        self.canvas.drawPath(smooth(points, closed=True), self.ink(name))

    def line(self, name: str, width: float, *points: Point) -> None:
        """Draw straight lines from point to point."""
        self.canvas.drawPath(skia.Path.Polygon(_points(points), False), self.pen(name, width))

    def curve(self, name: str, width: float, *points: Point) -> None:
        """Draw a smooth curve through the points."""
        self.canvas.drawPath(smooth(points), self.pen(name, width))

    @contextmanager
    def transform(
        self, x: float, y: float, scale: float, angle: float = 0.0, flip: bool = False
    ) -> Iterator[None]:
        """Move the origin to (x, y), scale the unit and rotate by degrees, within the context."""
        self.canvas.save()
        self.canvas.translate(x, y)
        self.canvas.rotate(angle)
        self.canvas.scale(-scale if flip else scale, scale)
        try:
            yield
        finally:
            self.canvas.restore()

    def areas(self) -> dict[str, float]:
        """The share of the picture that each used colour covers, largest first."""
        names = list(self._used)
        step = max(1, self.size // 64)
        pixels = self.pixels[::step, ::step, :3].reshape(-1, 1, 3).astype(np.int32)
        far = ((pixels - np.array([[COLOURS[n] for n in names]], np.int32)) ** 2).sum(axis=2)
        nearest = far.argmin(axis=1)[far.min(axis=1) < _BLEND]
        shares = np.bincount(nearest, minlength=len(names)) / len(pixels)
        order = np.argsort(-shares, kind="stable")
        return {names[i]: float(shares[i]) for i in order}


def _points(points: Sequence[Point]) -> list[skia.Point]:
    return [skia.Point(x, y) for x, y in points]


def smooth(points: Sequence[Point], closed: bool = False) -> skia.Path:
    """A Catmull-Rom curve through the points."""
    n = len(points)
    path = skia.Path()
    path.moveTo(*points[0])
    for i in range(n if closed else n - 1):
        a, b, c, d = (
            points[j % n] if closed else points[min(max(j, 0), n - 1)] for j in range(i - 1, i + 3)
        )
        path.cubicTo(
            b[0] + (c[0] - a[0]) / 6,
            b[1] + (c[1] - a[1]) / 6,
            c[0] - (d[0] - b[0]) / 6,
            c[1] - (d[1] - b[1]) / 6,
            *c,
        )
    if closed:
        path.close()
    return path
