"""Runs the prediction container: uvicorn with the app of `serving`.

Started by the Dockerfile as `python -m momalisa.cloud.server`. One process for one GPU.
"""

import argparse
import logging
import os
import signal
import sys

import uvicorn

from momalisa import connection_limits, open_files
from momalisa.cloud.access import choose_host
from momalisa.cloud.serving import create_app
from momalisa.settings import settings

GRACEFUL_SECONDS = 28
"""Seconds from SIGTERM to the exit; Kubernetes, which runs Vertex AI, kills after 30."""
KEEP_ALIVE_SECONDS = 75

log = logging.getLogger(__name__)


def main(arguments: list[str] | None = None) -> None:
    """Serve until SIGTERM; the current walk may then finish for 0.7 of the graceful time."""
    parser = argparse.ArgumentParser(prog="python -m momalisa.cloud.server", description=__doc__)
    parser.add_argument("--graceful-timeout", type=int, default=GRACEFUL_SECONDS, metavar="SECONDS")
    options = parser.parse_args(arguments)
    open_files.raise_limit()
    connection_limits.limit_connections()
    app = create_app()
    host = choose_host(os.environ, settings().endpoint_token)
    if host != "0.0.0.0":
        log.warning("Only this machine is answered; set MOMALISA_ENDPOINT_TOKEN to let others ask.")
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=host,
            port=int(os.environ.get("AIP_HTTP_PORT") or 8080),
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=options.graceful_timeout,
            server_header=False,
            access_log=False,
            ws="none",
        )
    )
    app.state.model_server.watch_for_stop(
        lambda: server.should_exit, grace=0.7 * options.graceful_timeout
    )
    # uvicorn raises the signal that ended it again: this was a normal end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server.run()


if __name__ == "__main__":
    main()
