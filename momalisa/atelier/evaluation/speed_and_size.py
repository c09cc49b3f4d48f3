"""Metrics of size on disk, loading time and speed, and a test with stock diffusers."""

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from momalisa.atelier.evaluation.metrics import Metric
from momalisa.atelier.evaluation.picture_generator import PictureGenerator
from momalisa.models import registry

RUNS = 3
_LOAD = """
import sys
from momalisa.models import registry
print(registry.load(sys.argv[1], sys.argv[2]).seconds_to_load)
"""
_STOCK = """
import sys
def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo"):
        raise RuntimeError("the network is off")
sys.addaudithook(refuse)
from diffusers import DiffusionPipeline
pipeline = DiffusionPipeline.from_pretrained(sys.argv[1])
picture = pipeline("a red square on white", num_inference_steps=2).images[0]
assert picture.getextrema() != ((0, 0), (0, 0), (0, 0))
"""


def measure_speed_and_size(generator: PictureGenerator) -> list[Metric]:
    """Size on disk, seconds to load and to paint, and whether stock diffusers can paint."""
    folder = Path(registry.find(generator.runner.model.name).source)
    weights = sum(path.stat().st_size for path in folder.rglob("*.safetensors")) / 1e6
    generator.generate([""])
    device = generator.runner.device
    return [
        Metric("weights on disk, MB", weights, bar=64.0, at_most=True),
        Metric(
            "seconds to load, after imports", _seconds_to_load(generator), bar=2.0, at_most=True
        ),
        Metric(
            "seconds a picture",
            _seconds_a_picture(generator),
            bar=0.6,
            at_most=True,
            note=f"{generator.steps} steps on {device}; load {os.getloadavg()[0]:.1f}",
        ),
        Metric("stock diffusers paints, offline", float(stock_diffusers_paints(folder)), bar=1.0),
    ]


def _seconds_to_load(generator: PictureGenerator) -> float:
    """The median over RUNS new processes."""
    model = generator.runner.model
    command = [sys.executable, "-c", _LOAD, model.name, str(model.device)]
    runs = (
        subprocess.run(command, check=True, capture_output=True, text=True) for _ in range(RUNS)
    )
    return median(float(run.stdout) for run in runs)


def _seconds_a_picture(generator: PictureGenerator) -> float:
    """The median over RUNS pictures in batches of one."""
    seconds = []
    for _ in range(RUNS):
        start = time.perf_counter()
        generator.generate(["a red square on white"])
        seconds.append(time.perf_counter() - start)
    return median(seconds)


def stock_diffusers_paints(folder: Path) -> bool:
    """Whether `DiffusionPipeline` paints from a folder, without our code and offline."""
    command = [sys.executable, "-I", "-c", _STOCK, str(folder.resolve())]
    offline = os.environ | {"HF_HUB_OFFLINE": "1"}
    return subprocess.run(command, env=offline, capture_output=True, check=False).returncode == 0
