# ruff: noqa: N999 - gunicorn requires this file name
"""gunicorn's settings: one process for one GPU, and threads for the health route.

Run from the checkout: `gunicorn -c momalisa/cloud/gunicorn.conf.py`.
"""

import os
from typing import Any

wsgi_app = "momalisa.cloud.serving:create_app()"
bind = f"0.0.0.0:{os.environ.get('AIP_HTTP_PORT', '8080')}"
workers = 1
worker_class = "gthread"
threads = 16
"""More than the walks in `model_server`'s queue: the other threads respond to health checks."""
timeout = 0
graceful_timeout = 28
"""Seconds from SIGTERM to the exit; Kubernetes, which runs Vertex AI, kills after 30."""
keepalive = 75
control_socket_disable = True
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None


def post_worker_init(worker: Any) -> None:
    """Tell the app about SIGTERM, since gunicorn only waits for the current requests."""

    def is_stopping() -> bool:
        return not worker.alive or worker.ppid != os.getppid()

    server = worker.wsgi.extensions["model_server"]
    server.watch_for_stop(is_stopping, grace=0.7 * worker.cfg.graceful_timeout)
