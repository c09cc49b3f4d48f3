"""Whether the container on this machine is healthy: exit code 0 or 1, for Docker's HEALTHCHECK."""

import os
import sys
import urllib.request


def healthy() -> bool:
    """Whether the health route answers 200."""
    port = os.environ.get("AIP_HTTP_PORT") or "8080"
    route = os.environ.get("AIP_HEALTH_ROUTE") or "/health"
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{route}", timeout=4) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(not healthy())
