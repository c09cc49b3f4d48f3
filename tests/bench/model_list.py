"""How long the list of models takes with many checkpoints: `python -m tests.bench.model_list`.

Makes checkpoints of the shape of Stable Diffusion XL in a cache of the hub of its own, with headers
of the usual size and no weights (the files are sparse), and measures what Create asks for: the
list with what fits. Each measurement of a first time runs in a process of its own: the first with
an empty home, the second where the list was made before.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from tests.bench.command import describe_load, new_parser, print_table, write_figures

CODE = (
    "import json, sys; from tests.bench.model_list import measure; "
    "print(json.dumps(measure(int(sys.argv[1]))))"
)
PARTS = {
    "unet": ("UNet2DConditionModel", "diffusion_pytorch_model", 1680, 10_270),
    "text_encoder": ("CLIPTextModel", "model", 196, 492),
    "text_encoder_2": ("CLIPTextModelWithProjection", "model", 517, 2_780),
    "vae": ("AutoencoderKL", "diffusion_pytorch_model", 248, 335),
}
"""A part's class, its file, the number of its tensors and megabytes."""
CLOCKS = {"seconds": time.perf_counter, "seconds of a core": time.process_time}


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the checkpoints, measure, print a table and write JSON if a file is named."""
    parser = new_parser("model_list", __doc__)
    parser.add_argument("--checkpoints", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        cache = f"{folder}/hub"
        for number in range(options.checkpoints):
            make_checkpoint(Path(cache), f"somebody/model-{number}")
        runs: list[list[dict[str, float]]] = []
        for number in range(options.rounds):
            home = Path(folder) / f"home-{number}"
            home.mkdir()
            first, then = (_run(cache, home, options.checkpoints) for _ in range(2))
            runs.append([first[0], *then])
    names = ("first time on a machine", "first time in a process", "again")
    figures = {
        name: {clock: median(run[at][clock] for run in runs) for clock in CLOCKS}
        for at, name in enumerate(names)
    }
    print(f"{options.checkpoints} checkpoints, {describe_load()}")
    rows = [(name, *seconds.values()) for name, seconds in figures.items()]
    print_table(("the list on Create", *CLOCKS), rows)
    write_figures(figures, options.json)


def _run(cache: str, home: Path, checkpoints: int) -> list[dict[str, float]]:
    """Seconds of the first and of a later list, in a new process."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(checkpoints)],
        env=os.environ | {"HF_HUB_CACHE": cache, "MOMALISA_HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    seconds: list[dict[str, float]] = json.loads(done.stdout.splitlines()[-1])
    return seconds


def measure(checkpoints: int) -> list[dict[str, float]]:
    """Seconds that the list takes at first and again, with its labels."""
    from huggingface_hub import try_to_load_from_cache  # as the app has long done

    from momalisa.models.registry import available
    from momalisa.settings import settings
    from momalisa.ui.create.model_choice import label, painting_machine

    try_to_load_from_cache("some/model", "model_index.json")
    settings()
    seconds = []
    for _ in range(2):
        began = {name: clock() for name, clock in CLOCKS.items()}
        machine = painting_machine(here=True)
        labels = [label(card, machine) for card in available()]
        seconds.append({name: clock() - began[name] for name, clock in CLOCKS.items()})
        assert len(labels) >= checkpoints
    return seconds


def make_checkpoint(cache: Path, hub_id: str) -> None:
    """Write a checkpoint into a cache of the hub: configurations, and headers of weights."""
    repository = cache / f"models--{hub_id.replace('/', '--')}"
    folder = repository / "snapshots" / ("c" * 40)
    folder.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(folder.name)
    index: dict[str, object] = {"_class_name": "StableDiffusionXLPipeline"}
    for part in ("tokenizer", "tokenizer_2"):
        index[part] = ["transformers", "CLIPTokenizer"]
        _write_json(folder / part / "tokenizer.json", {})
        config = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77}
        _write_json(folder / part / "tokenizer_config.json", config)
    index["scheduler"] = ["diffusers", "EulerDiscreteScheduler"]
    _write_json(folder / "scheduler" / "scheduler_config.json", {})
    for part, (class_name, stem, tensors, megabytes) in PARTS.items():
        index[part] = ["transformers" if "text" in part else "diffusers", class_name]
        shape = {"_class_name": class_name, "sample_size": 128, "block_out_channels": [1] * 4}
        _write_json(folder / part / "config.json", shape)
        _write_weights(folder / part / f"{stem}.safetensors", tensors, megabytes * 10**6)
    _write_json(folder / "model_index.json", index)


def _write_json(path: Path, value: object) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(value))


def _write_weights(path: Path, tensors: int, size: int) -> None:
    """A file of weights that has its header and its length, but no content on the disk."""
    names = (
        f"down_blocks.{n}.attentions.0.transformer_blocks.0.attn1.to_q.weight"
        for n in range(tensors)
    )
    entry = {"dtype": "F32", "shape": [320, 320], "data_offsets": [0, size]}
    header = json.dumps(dict.fromkeys(names, entry)).encode()
    with path.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        file.truncate(8 + len(header) + size)


if __name__ == "__main__":
    main()
