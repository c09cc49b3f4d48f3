"""What doctor says of a storage that works, but not as it should."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from momalisa.errors import StorageError
from momalisa.health import machine
from momalisa.health.finding import Level
from momalisa.settings import Settings
from momalisa.storage import LocalStorage, StoredFile


class Keeping(LocalStorage):
    """A storage with a retention policy, and a clock of its own."""

    def put(self, key: str, data: bytes, content_type: str) -> StoredFile:
        stored = super().put(key, data, content_type)
        return replace(stored, updated=stored.updated - timedelta(hours=1))

    def delete(self, key: str) -> None:
        raise StorageError("It is kept until 2027.")


def test_a_store_that_keeps_what_it_has_and_its_clock_are_told(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Films were said to wait in the outbox, which they do not."""
    root = Path(settings.store_root)
    root.mkdir()
    monkeypatch.setattr(machine, "open_storage", lambda *_args, **_options: Keeping(root))
    found = {finding.level: finding.sentence for finding in machine.check_store(settings)}
    assert found[Level.NOTE] == "It is kept until 2027."
    assert "clock and the storage's differ by 3600 s" in found[Level.WRONG]
    assert "takes and gives files" in found[Level.OK]
