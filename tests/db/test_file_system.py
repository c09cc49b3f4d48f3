"""Network disks are told from local ones by the table of mounts."""

from pathlib import Path

import pytest

from db.error_messages import OnNetworkDisk
from db.file_system import find_mount_kind, find_network_file_system
from db.session import get_engine, migrate

MOUNTS = r"""
21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 21 0:40 / /mnt/films\040of\040all rw - nfs4 server:/films rw
31 21 0:41 / /mnt rw - xfs /dev/sdb rw
32 21 0:42 / /home rw - ext4 /dev/sdc rw
33 32 0:43 / /home rw - cifs //server/home rw
broken line
""".splitlines()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "ext4"),
        ("/mnt/films of all/momalisa.db", "nfs4"),
        ("/mnt/films", "xfs"),
        ("/home/anna", "cifs"),
        ("/homeless", "ext4"),
    ],
)
def test_the_deepest_mount_counts_and_the_last_one_at_a_place(path: str, kind: str) -> None:
    assert find_mount_kind(Path(path), MOUNTS) == kind


def test_a_disk_of_this_machine_is_no_network_disk(tmp_path: Path) -> None:
    assert find_network_file_system(tmp_path / "not" / "there" / "yet.db") == ""


def test_a_network_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tmp_path / "mountinfo"
    table.write_text("\n".join(MOUNTS) + f"\n40 21 0:50 / {tmp_path} rw - fuse.sshfs host:/ rw\n")
    monkeypatch.setattr("db.file_system._MOUNTS", table)
    assert find_network_file_system(tmp_path / "momalisa.db") == "fuse.sshfs"


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "fuse.sshfs"])
def test_sqlite_is_refused_on_a_network_disk(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mount_at(tmp_path, kind, monkeypatch)
    url = f"sqlite:///{tmp_path}/home/momalisa.db"
    with pytest.raises(OnNetworkDisk, match="MOMALISA_HOME to a folder on a disk of this machine"):
        migrate(url)
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("kind", ["overlay", "ext4", "tmpfs", "9p", "virtiofs", "fuse.grpcfuse"])
def test_sqlite_is_at_home_on_disks_of_machines_and_containers(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mount_at(tmp_path, kind, monkeypatch)
    url = f"sqlite:///{tmp_path}/home/momalisa.db"
    migrate(url)
    get_engine(url).dispose()


def mount_at(folder: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the kernel say that a file system of this kind is mounted at a folder."""
    table = folder.with_name("mountinfo")
    table.write_text(f"1 0 0:1 / / rw - ext4 /dev/sda rw\n2 1 0:2 / {folder} rw - {kind} x rw\n")
    monkeypatch.setattr("db.file_system._MOUNTS", table)
