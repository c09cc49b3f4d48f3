"""Types: mypy finds nothing, in the program and in its tests."""

import subprocess
import sys

from momalisa.settings import CHECKOUT


def test_mypy_finds_nothing() -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "."], cwd=CHECKOUT, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
