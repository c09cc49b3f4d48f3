"""Which kind of file system a path is on: SQLite's locks do not hold on network disks."""

import re
from collections.abc import Iterable
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")
# Not 9p: some container runtimes have their local root on it.
_NETWORK = re.compile(
    r"nfs\d*|cifs|smb\d*|smbfs|afs|ceph|glusterfs|lustre|beegfs|gpfs|ncpfs|davfs"
    r"|fuse\.(sshfs|gcsfuse|s3fs|rclone|glusterfs|davfs2?|ceph.*|cifs)"
)


def find_network_file_system(path: Path) -> str:
    """Return the kind of network file system that holds a path, such as "nfs4"; "" if none does.

    Blank as well on systems other than Linux, where this is not known.
    """
    try:
        lines = _MOUNTS.read_text().splitlines()
    except OSError:
        return ""
    kind = find_mount_kind(path.absolute().resolve(), lines)
    return kind if _NETWORK.fullmatch(kind) else ""


def find_mount_kind(path: Path, mounts: Iterable[str]) -> str:
    """Return the file system's kind of the deepest mount that holds a path; "" if none does.

    `mounts` are lines of `/proc/self/mountinfo`.
    """
    kind, depth = "", -1
    for line in mounts:
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) < 5 or not after:
            continue
        point = Path(_unescape(fields[4]))
        # Of two mounts at one place the last one is seen.
        if path.is_relative_to(point) and len(point.parts) >= depth:
            kind, depth = after.split(" ")[0], len(point.parts)
    return kind


def _unescape(text: str) -> str:
    r"""Undo the kernel's octal escapes, such as \040 for a space."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)
