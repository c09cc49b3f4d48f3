"""Times walks in the checkout that is its working directory.

A script for `tests.bench.versions`: it reads a spec from each line of its input and writes a line
of JSON for each. Checkouts of any age run it, so it uses only what all of them have, and it may
import nothing of `tests`.
"""

import hashlib
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def main(model_name: str, device: str) -> None:
    """Load a model once, then render each walk into an empty cache and report its seconds."""
    sys.path[0] = os.getcwd()
    from momalisa import render
    from momalisa.models.registry import load

    # `render_frames` was called `paint` before.
    render_frames = getattr(render, "render_frames", None) or vars(render)["paint"]
    model = load(model_name, device)
    print(json.dumps({"checkout": os.getcwd()}), flush=True)
    for line in sys.stdin:
        print(json.dumps(_measure(render_frames, model, json.loads(line))), flush=True)


def _measure(render_frames: Any, model: Any, fields: dict[str, Any]) -> dict[str, Any]:
    from momalisa import render
    from momalisa.spec import WalkSpec

    spec = WalkSpec.model_validate(fields)
    with tempfile.TemporaryDirectory() as folder:
        cache = vars(render)["FrameCache"](Path(folder))
        began, cpu_began = time.perf_counter(), time.process_time()
        frames = render_frames(spec, model, cache)
        seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu_began
        digest = hashlib.sha256()
        for frame in getattr(frames, "frames", frames):
            digest.update(frame.tobytes())
    return {"seconds": seconds, "CPU seconds": cpu_seconds, "sha256": digest.hexdigest()}


if __name__ == "__main__":
    main(*sys.argv[1:])
