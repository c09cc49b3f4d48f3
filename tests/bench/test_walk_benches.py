"""The benchmarks of walks: what they print on a tiny model."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.bench import few_steps, gpu, gpu_start, morphs, research
from tests.bench.gpu_ways import IN_PARTS, WAYS, Way
from tests.bench.walks import Run
from tests.support.pipelines import PipelineMaker

Output = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def folder(make_pipeline: PipelineMaker) -> str:
    return str(make_pipeline())


def table(output: str) -> list[list[str]]:
    """The cells of a Markdown table's rows."""
    rows = [line.strip("| ").split(" | ") for line in output.splitlines() if line[:1] == "|"]
    return rows[2:]


def test_few_steps_prints_a_row_for_each_figure(
    folder: str, tmp_path: Path, capsys: Output
) -> None:
    file = tmp_path / "figures.json"
    models = ("--model", folder, "--base", folder, "--steps", "1", "--base-steps", "2")
    small = ("--pairs", "1", "--frames", "3", "--plain-frames", "1", "--json", str(file))
    few_steps.main([*models, *small])
    rows = {name: cells for name, *cells in table(capsys.readouterr().out)}
    assert rows.keys() == few_steps.FIGURES.keys() == json.loads(file.read_text()).keys()
    assert float(rows["error, in neighbour distances"][0]) > 0.0


def test_morphs_prints_a_row_for_each_way_and_draws_them(
    folder: str, tmp_path: Path, capsys: Output
) -> None:
    (tmp_path / "a.txt").write_text("a red square | a sea\n\na moon|a cat | a lake\nno pair\n")
    for number in range(3):
        speckles = np.random.default_rng(number).integers(0, 256, (64, 64, 3), np.uint8)
        cv2.imwrite(str(tmp_path / f"{number}.png"), speckles)
    sheet = tmp_path / "sheets" / "sheet.png"
    ways = ("--interpolation", "lerp", "--interpolation", "slerp", "--pacing", "linear")
    small = ("--model", folder, "--frames", "3", "--steps", "1", "--sheet", str(sheet))
    pairs = ("--pairs", str(tmp_path), "--sheet-pairs", "3")
    morphs.main([*small, *ways, *pairs])
    output = capsys.readouterr().out
    assert f"{tmp_path / '2.png'} is left out" in output
    assert ", 3 pairs, 3 frames" in output
    ways_shown, _, costs = output.partition("in that of lerp")
    names = [tuple(row[:2]) for row in table(ways_shown)]
    assert names == [("lerp", "linear"), ("slerp", "linear")]
    assert [row[:3] for row in table(costs)] == [["slerp", "linear", "1"]]
    picture = cv2.imread(str(sheet))
    assert picture is not None
    assert picture.shape[:2] == (3 * len(names) * 218, 3 * 192)


def test_morphs_asks_for_pairs(tmp_path: Path, capsys: Output) -> None:
    with pytest.raises(SystemExit):
        morphs.main(["--pairs", str(tmp_path)])
    assert str(tmp_path) in capsys.readouterr().err


def test_the_measurement_for_gpus_runs_to_its_end_with_tiny_pipelines(
    tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Run:
        raise RuntimeError("out of memory\nat some place")

    monkeypatch.setattr(gpu, "WAYS", (*WAYS, Way("a way that fails", fail, "exact")))
    file = tmp_path / "figures.json"
    small = ("--tiny", "--device", "cpu", "--frames", "2", "--steps", "1", "--no-compile")
    gpu.main([*small, "--precision", "bf16", "--json", str(file)])
    names = [way.name for way in (*WAYS, *IN_PARTS)]
    printed = capsys.readouterr().out
    assert [row[2] for row in table(printed)] == 2 * names
    assert "tiny SDXL, bf16, a way that fails failed: out of memory\n" in printed
    for row in json.loads(file.read_text())["rows"]:
        assert row["frames_a_second"] > 0.0
        if row["way"].startswith("here") and "fast" not in row["way"]:
            assert row["difference"] < 3.0  # levels of 255, in half precision


def test_the_measurement_for_gpus_names_what_it_has_no_time_for(capsys: Output) -> None:
    gpu.main(["--tiny", "--device", "cpu", "--seconds", "-1"])
    assert "No time is left for tiny SDXL, bf16." in capsys.readouterr().out
    with pytest.raises(SystemExit, match="--tiny"):
        gpu.main(["--device", "cpu"])


SEARCH = """
from lpips import LPIPS

class BetaPriorPipeline:
    def generate_interpolation(self, start, end, negative, noise, other, steps, **sizes):
        import torch
        from PIL import Image
        text = torch.zeros(2, 77, self.pipe.unet.config.cross_attention_dim)
        self.pipe.unet(torch.cat([noise, other]), torch.tensor(1), encoder_hidden_states=text)
        size = sizes["width"], sizes["height"]
        images = [Image.new("RGB", size, (n, n, n)) for n in range(sizes["interpolation_size"])]
        features = [self._get_feature(image) for image in images]
        assert 0 < self._compute_clip(features[0], features[-1]) < 0.1
        return images
"""
PIPELINE = """
from diffusers import StableDiffusionPipeline as InterpolationStableDiffusionPipeline
"""


def test_research_counts_what_foreign_code_asks_of_the_network() -> None:
    """As read from each repository: 336, about 104 and 280 samples a frame."""
    assert [round(reading.samples) for reading in research.READINGS] == [336, 104, 280]


def test_research_runs_a_clone_beside_our_walks(
    folder: str, tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a clone whose code asks for one picture of two rows, and paints it grey."""
    clone = tmp_path / "clone"
    clone.mkdir()
    (clone / "prior.py").write_text(SEARCH)
    (clone / "pipeline_interpolated_sd.py").write_text(PIPELINE)
    monkeypatch.setattr(research, "OURS", (("lerp", "linear"),))
    small = ("--model", folder, "--pairs", "1", "--frames", "3", "--steps", "1")
    research.main([*small, "--aid", str(clone)])
    rows = {row[0]: row[1:] for row in table(capsys.readouterr().out)}
    assert rows["AID"][0] == "0.667"  # two rows for three frames
    assert "lerp, linear" in rows
    with pytest.raises(SystemExit):
        research.main(["--aid", str(tmp_path)])


def test_what_the_measurement_for_gpus_lacks_is_said_at_once(
    capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert gpu_start.find_missing() == []
    monkeypatch.setattr(gpu_start, "find_spec", lambda _name: None)
    with pytest.raises(SystemExit) as ended:
        gpu_start.main()
    command = capsys.readouterr().err.removeprefix("Packages are missing here: ").strip()
    assert ended.value.code == 2
    script = Path(gpu_start.__file__).with_name("gpu.sh").read_text("utf-8")
    (told,) = (line[4:] for line in script.splitlines() if line.startswith("#   pip install"))
    assert command.startswith(told)
