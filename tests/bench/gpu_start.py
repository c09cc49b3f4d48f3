"""Says in a sentence what is missing for `tests.bench.gpu`, or starts it.

Needs no package itself, so that a bare machine answers at once.
"""

import os
import re
import sys
from importlib.util import find_spec
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parents[2] / "requirements.txt"
PACKAGES = {
    **{name: name for name in ("torch", "diffusers", "transformers", "accelerate", "pydantic")},
    **{name: name for name in ("numpy", "safetensors", "filelock")},
    "pillow": "PIL",
}
"""What is measured with, by the name that pip knows; and the name that is imported."""


def find_missing(packages: dict[str, str] = PACKAGES) -> list[str]:
    """What pip has to install, each with its version of requirements.txt."""
    pins = dict(re.findall(r"^([\w-]+)==(\S+?)[;\s]", REQUIREMENTS.read_text("utf-8"), re.M))
    return [
        f"{name}=={pins[name]}" for name, module in packages.items() if find_spec(module) is None
    ]


def main() -> None:
    """Measure. Ends with exit code 2 and a sentence where packages are missing or do not fit."""
    if missing := find_missing():
        print(f"Packages are missing here: pip install {' '.join(missing)}", file=sys.stderr)
        raise SystemExit(2)
    try:
        from tests.bench import gpu
    except ImportError as error:
        print(
            f"The packages here do not fit together ({error}): pip install -r {REQUIREMENTS}",
            file=sys.stderr,
        )
        raise SystemExit(2) from error
    gpu.main()
    sys.stdout.flush()
    os._exit(0)  # a compiler that was cut off would be waited for


if __name__ == "__main__":
    main()
