"""Simulates power cuts: records a program's file calls, and rebuilds what a disk may still hold.

The program runs under `strace`. A power cut at any moment keeps what was synced until then. Of the
rest any part may be lost, in any order: each write to a file, and, as on a file system with a
journal, the last changes of each folder. POSIX promises no more: syncing a new file does not save
its name, syncing its folder does.
"""

import random
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

CALLS = (
    *("openat", "close", "write", "pwrite64", "fsync", "fdatasync", "ftruncate", "lseek"),
    *("rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat"),
    *("mkdir", "mkdirat", "rmdir", "dup", "dup2", "dup3"),
)
STRACE = (
    *("strace", "-f", "--seccomp-bpf", "-qq", "-xx", "-s", "1000000000"),
    *("-e", "signal=none", "-e", f"trace={','.join(CALLS)}"),
)
SECTOR = 512
"""Bytes that a disk writes whole or not at all."""

_DONE = re.compile(r"(?P<pid>\d+) +(?P<name>\w+)\((?P<arguments>.*)\) += (?P<result>-?\d+)")
_BEGUN = re.compile(r"(?P<pid>\d+) +(?P<name>\w+)\((?P<arguments>.*) <unfinished \.\.\.>")
_RESUMED = re.compile(r"(?P<pid>\d+) +<\.\.\. \w+ resumed>(?P<arguments>.*)\) += (?P<result>-?\d+)")
_ARGUMENT = re.compile(r'"(?P<text>(?:\\x[0-9a-f]{2})*)"|(?P<word>[^,\s"]+)')


@dataclass(frozen=True)
class Call:
    """A system call that succeeded; `began` and `ended` are lines of the record."""

    name: str
    arguments: tuple[bytes | str, ...]
    result: int
    began: int
    ended: int

    def text(self, number: int) -> str:
        """An argument as a path or a word."""
        argument = self.arguments[number]
        return argument.decode() if isinstance(argument, bytes) else argument

    @property
    def paths(self) -> list[str]:
        """The paths among the arguments."""
        if self.name in ("write", "pwrite64"):
            return []
        return [argument.decode() for argument in self.arguments if isinstance(argument, bytes)]


def record_calls(command: Sequence[str], cwd: Path, record: Path) -> list[Call]:
    """Run a program to its end and return its calls, sorted by when they ended."""
    subprocess.run([*STRACE, "-o", record, *command], cwd=cwd, check=True, stdout=subprocess.PIPE)
    with record.open() as lines:
        return list(_parse(lines))


def _parse(lines: Iterator[str]) -> Iterator[Call]:
    begun: dict[str, tuple[int, str, str]] = {}
    for number, line in enumerate(lines):
        if match := _BEGUN.match(line):
            begun[match["pid"]] = number, match["name"], match["arguments"]
            continue
        if match := _RESUMED.match(line):
            began, name, arguments = begun.pop(match["pid"])
            arguments += match["arguments"]
        elif match := _DONE.match(line):
            began, name, arguments = number, match["name"], match["arguments"]
        else:
            continue
        if int(match["result"]) >= 0:
            split = tuple(
                found["word"] or bytes.fromhex(found["text"].replace("\\x", ""))
                for found in _ARGUMENT.finditer(arguments)
            )
            yield Call(name, split, int(match["result"]), began, number)


@dataclass
class _File:
    """A file's synced bytes, and the changes since: (line, offset, bytes) or (line, size, None)."""

    synced: bytes = b""
    pending: list[tuple[int, int, bytes | None]] = field(default_factory=list)

    def sync(self, began: int) -> None:
        """Make the changes durable that had ended when the sync began."""
        durable = [change for change in self.pending if change[0] < began]
        self.pending = [change for change in self.pending if change[0] >= began]
        self.synced = _apply(self.synced, durable)

    def after_cut(self, random_: random.Random, share: float) -> bytes:
        """The bytes after a power cut that kept this share of the unsynced changes."""
        kept = [
            (line, offset, _tear(data, random_))
            for line, offset, data in self.pending
            if random_.random() < share
        ]
        return _apply(self.synced, kept)


def _tear(data: bytes | None, random_: random.Random) -> bytes | None:
    """Cut off a write at a sector, one time of four."""
    if data is None or random_.random() > 0.25:
        return data
    return data[: random_.randrange(len(data) // SECTOR + 1) * SECTOR]


def _apply(content: bytes, changes: list[tuple[int, int, bytes | None]]) -> bytes:
    result = bytearray(content)
    for _, offset, data in changes:
        end = offset if data is None else offset + len(data)
        if data is None:
            del result[end:]
        if len(result) < end:
            result.extend(bytes(end - len(result)))
        if data is not None:
            result[offset:end] = data
    return bytes(result)


_Names = dict[str, _File | None]
"""What stands under a path: a file, or None for a folder."""


class Disk:
    """What the calls below a folder have written, and how much of it is synced."""

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self._names: _Names = {}
        self._synced: _Names = {}
        # A folder's changes since it was synced: what was added, what was taken away.
        self._pending: dict[str, list[tuple[int, _Names, list[str]]]] = defaultdict(list)
        self._handles: dict[str, tuple[str, _File | None, int]] = {}
        self.told: list[str] = []

    def run(self, call: Call) -> None:
        """Do what a call did."""
        match call.name:
            case "openat":
                self._open(call)
            case "close":
                self._handles.pop(call.text(0), None)
            case "dup" | "dup2" | "dup3":
                if call.text(0) in self._handles:
                    self._handles[str(call.result)] = self._handles[call.text(0)]
            case "write" | "pwrite64" | "ftruncate" | "lseek":
                self._write(call)
            case "fsync" | "fdatasync":
                self._sync(call)
            case _:
                self._change_names(call)

    def _is_below(self, path: str) -> bool:
        return path == self._root or path.startswith(f"{self._root}/")

    def _open(self, call: Call) -> None:
        path, flags = call.paths[0], call.text(2)
        if not self._is_below(path):
            self._handles.pop(str(call.result), None)
            return
        if path not in self._names and "O_CREAT" in flags:
            self._add(call, {path: _File()})
        file = self._names.get(path)
        if file is not None and "O_TRUNC" in flags:
            file.pending.append((call.ended, 0, None))
        end = len(_apply(file.synced, file.pending)) if file and "O_APPEND" in flags else 0
        self._handles[str(call.result)] = path, file, end

    def _write(self, call: Call) -> None:
        handle = call.text(0)
        if handle == "1" and call.name == "write" and isinstance(call.arguments[1], bytes):
            self.told += call.arguments[1].decode().splitlines()
        path, file, position = self._handles.get(handle, ("", None, 0))
        if file is None:
            return
        if call.name == "lseek":
            self._handles[handle] = path, file, call.result
            return
        data = call.arguments[1]
        if call.name == "ftruncate" or not isinstance(data, bytes):
            file.pending.append((call.ended, int(call.text(1)), None))
            return
        data = data[: call.result]
        at = int(call.text(3)) if call.name == "pwrite64" else position
        file.pending.append((call.ended, at, data))
        if call.name == "write":
            self._handles[handle] = path, file, position + len(data)

    def _sync(self, call: Call) -> None:
        path, file, _ = self._handles.get(call.text(0), ("", None, 0))
        if file is not None:
            file.sync(call.began)
            return
        changes = self._pending[path]
        self._pending[path] = [change for change in changes if change[0] >= call.began]
        for ended, added, removed in changes:
            if ended < call.began:
                _change(self._synced, added, removed)

    def _change_names(self, call: Call) -> None:
        paths = [path for path in call.paths if self._is_below(path)]
        if not paths:
            return
        if call.name.startswith("mkdir"):
            self._add(call, {paths[0]: None})
        elif call.name.startswith("link"):
            self._add(call, {paths[1]: self._names[paths[0]]})
        elif call.name.startswith("rename"):
            self._add(call, {paths[1]: self._names[paths[0]]}, [paths[0]])
        else:
            self._add(call, {}, [paths[0]])

    def _add(self, call: Call, added: _Names, removed: Sequence[str] = ()) -> None:
        _change(self._names, added, removed)
        folder = str(PurePosixPath(next(iter([*added, *removed]))).parent)
        self._pending[folder].append((call.ended, added, list(removed)))

    def write_remains(self, folder: Path, random_: random.Random) -> None:
        """Write into a new folder what a power cut at this moment may leave on the disk."""
        share = random_.choice([0.0, 0.0, 0.5, 0.9])
        names = dict(self._synced)
        for changes in self._pending.values():
            kept = random_.randint(0, len(changes)) if share else 0
            for _, added, removed in changes[:kept]:
                _change(names, added, removed)
        for path, file in sorted(names.items()):
            target = folder / PurePosixPath(path).relative_to(self._root)
            # In a folder whose own name was lost, nothing is found again.
            if not target.parent.is_dir():
                continue
            if file is None:
                target.mkdir(exist_ok=True)
            else:
                target.write_bytes(file.after_cut(random_, share))


def _change(names: _Names, added: _Names, removed: Sequence[str]) -> None:
    for path in removed:
        names.pop(path, None)
    names.update(added)
