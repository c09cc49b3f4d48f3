"""The benchmark of works of art: what it prints for a tiny flow model."""

import json
from pathlib import Path

import pytest

from tests.bench import works


def test_works_prints_films_reconstruction_and_noise(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "figures.json"
    small = ["--model", works.TINY_FLOW, "--painted", "2", "--frames", "3", "--way", "both"]
    works.main([*small, "--json", str(file), "--sheet", str(tmp_path / "sheet.png")])
    figures = json.loads(file.read_text())
    assert figures["films"]["both, to a prompt"]["first frame, median level"] <= 2.0
    assert figures["noise"]["treated"]["deviation"] == pytest.approx(1.0, abs=0.05)
    assert (
        figures["noise"]["treated"]["largest of a work"]
        < figures["noise"]["inverted"]["largest of a work"]
    )
    assert "between prompts" in capsys.readouterr().out
    assert (tmp_path / "sheet.png").exists()
