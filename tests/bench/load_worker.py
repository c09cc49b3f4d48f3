"""A worker of `tests.bench.load`: real but for the frames, which are noise, at a given pace.

`python -m tests.bench.load_worker SECONDS_A_WALK`, with the app's settings.
"""

import os
import sys
import time
from typing import Any

from momalisa.render import StoredFilm
from momalisa.settings import settings
from momalisa.worker.process import run_process
from momalisa.worker.renderers import Renderers
from momalisa.worker.worker import Worker
from tests.support.noise_worker import render_noise


def main(seconds: float) -> None:
    """Run a worker until it is stopped."""

    def render_slowly(*arguments: Any, **options: Any) -> StoredFilm:
        time.sleep(seconds)  # what painting would take
        return render_noise(*arguments, **options)

    os.nice(5)  # as the app does with its own worker
    stubs: dict[str, Any] = {"load": lambda name, _device: name, "render": render_slowly}
    run_process(Worker(settings(), Renderers(**stubs)))


if __name__ == "__main__":
    main(float(sys.argv[1]))
