# ruff: noqa: N999 - the name that gunicorn gives its settings
"""How gunicorn serves the container: one process a GPU, threads so that health is answered.

Run from the checkout: `gunicorn -c momalisa/cloud/gunicorn.conf.py`.
"""

import os
from typing import Any

wsgi_app = "momalisa.cloud.serving:create_app()"
bind = f"0.0.0.0:{os.environ.get('AIP_HTTP_PORT', '8080')}"
workers = 1
worker_class = "gthread"
threads = 16
"""More than may wait for their walk (`serving.LINE`): the others answer health and refusals."""
timeout = 0
graceful_timeout = 28
"""Seconds from SIGTERM to the end; Kubernetes, under Vertex AI, kills after 30."""
keepalive = 75
control_socket_disable = True
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None


def post_worker_init(worker: Any) -> None:
    """Let the app see SIGTERM: gunicorn itself only waits for the requests in hand."""

    def leaving() -> bool:
        return not worker.alive or worker.ppid != os.getppid()

    studio = worker.wsgi.extensions["studio"]
    studio.leave_when(leaving, grace=0.7 * worker.cfg.graceful_timeout)
