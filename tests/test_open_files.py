"""The limit of open files: raised at start, as far as the system lets."""

import subprocess
import sys

import pytest

SCRIPT = """
import resource, sys
from momalisa import open_files
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]), int(sys.argv[2])))
open_files.raise_limit()
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


@pytest.mark.parametrize(("soft", "hard", "expected"), [(256, 1500, 1500), (900, 900, 900)])
def test_the_limit_is_raised_to_what_is_allowed(soft: int, hard: int, expected: int) -> None:
    """Of 1,024 open files, 1,300 unfinished requests left none to anybody."""
    command = [sys.executable, "-c", SCRIPT, str(soft), str(hard)]
    found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert int(found.stdout) == expected
