"""Docker's HEALTHCHECK command: exits with 0 if this container is healthy, else with 1."""

import os
import sys
import urllib.request


def is_healthy() -> bool:
    """Whether the health route responds with status 200."""
    port = os.environ.get("AIP_HTTP_PORT") or "8080"
    route = os.environ.get("AIP_HEALTH_ROUTE") or "/health"
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{route}", timeout=4) as response:
            return bool(response.status == 200)
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(not is_healthy())
