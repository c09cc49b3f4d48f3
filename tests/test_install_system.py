"""The script that installs what tests need from the system, with stubs of the system's tools."""

import shutil
import subprocess
from pathlib import Path

import pytest

from momalisa.settings import CHECKOUT

SCRIPT = CHECKOUT / ".ci" / "install-system"
PRESENT = ("dirname", "env", "grep", "ls", "mktemp", "rm", "sed", "sh")
STUBS = {
    "id": "echo 0",
    "git": "true",
    "strace": "true",
    "python3": 'echo "python3 $*" >> "$CALLS"',
    "apt-cache": 'case " $OFFERED " in *" $2 "*) echo "$2 | 1" ;; esac',
    "apt-get": """for name; do
  case "$name" in chromium*)
    echo "$name" >> "$CALLS"
    printf '#!/bin/sh\\n' > "$TOOLS/$name"
    /bin/chmod +x "$TOOLS/$name" ;;
  esac
done""",
}


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder with all programs that the script finds, Chromium not among them."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in PRESENT:
        (folder / name).symlink_to(shutil.which(name) or name)
    for name, body in STUBS.items():
        stub = folder / name
        stub.write_text(f"#!/bin/sh\n{body}\n")
        stub.chmod(0o755)
    return folder


@pytest.mark.parametrize(
    ("offered", "installed"),
    [
        ("chromium-headless-shell chromium", "chromium-headless-shell"),
        ("chromium", "chromium"),
        ("", "a download"),
    ],
)
def test_a_browser_is_downloaded_only_where_the_distribution_has_none(
    tools: Path, tmp_path: Path, offered: str, installed: str
) -> None:
    """It was, too, where all of Chromium is offered, but not its part without windows."""
    calls = tmp_path / "calls"
    values = {"PATH": str(tools), "TOOLS": str(tools), "CALLS": str(calls), "OFFERED": offered}
    subprocess.run(["/bin/sh", str(SCRIPT)], env=values, capture_output=True, check=False)
    called = calls.read_text()
    found = [line for line in called.splitlines() if line.startswith("chromium")]
    assert (found or ["a download"]) == [installed]
    assert ("-m venv" in called) == (installed == "a download")
