"""Network disks are told from local ones by the table of mounts."""

from pathlib import Path

import pytest

from db.file_system import find_mount_kind, find_network_file_system

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
