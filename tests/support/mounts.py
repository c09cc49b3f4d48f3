"""File systems that a test mounts for itself, in a namespace of its own."""

import shutil
import subprocess


def may_mount() -> bool:
    """Whether file systems can be mounted here."""
    command = ["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"]
    return (
        bool(shutil.which("unshare"))
        and not subprocess.run(command, capture_output=True, check=False).returncode
    )
