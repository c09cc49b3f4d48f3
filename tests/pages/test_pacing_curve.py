"""The drawing of a pacing."""

import xml.etree.ElementTree as ET

import pytest

from momalisa.pacing import PACINGS, PacingName, spread
from momalisa.ui.create import pacing_curve


@pytest.mark.parametrize("pacing", PACINGS)
def test_the_curve_has_a_tick_for_every_frame(pacing: PacingName) -> None:
    drawing = ET.fromstring(pacing_curve.draw_curve(pacing, 7, 0.8))
    ticks = [p.get("d", "") for p in drawing if p.get("d", "").endswith(f"v{pacing_curve.RUG - 6}")]
    places = [(float(tick[1:].split()[0]) - 6) / (pacing_curve.WIDTH - 12) for tick in ticks]
    assert places == pytest.approx(list(spread(pacing, 7, 0.8)), abs=1e-3)
