"""A GPU that is gone is told: walks do not become slow without a word."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from momalisa.errors import DeviceNotFound
from momalisa.models import device
from momalisa.settings import Settings
from momalisa.worker.blame import Blame, assign_blame, describe_fault
from momalisa.worker.last_device import last_device, load_where_before
from tests.support.stub_worker import stub_worker


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A home on a machine without a GPU."""
    monkeypatch.setattr(device, "best_device", lambda: "cpu")
    return Settings(home=tmp_path)


def load_onto(where: str, home: Settings, setting: str = "") -> None:
    """Load a model that turns out to be on that device."""
    load_where_before(lambda _name, _device: SimpleNamespace(device=where), home)("m", setting)


def test_where_a_gpu_has_painted_the_processor_does_not_take_over(home: Settings) -> None:
    load_onto("cuda:0", home)
    assert last_device(home) == "cuda"
    with pytest.raises(DeviceNotFound, match="MOMALISA_DEVICE=cpu") as raised:
        load_onto("cpu", home)
    assert assign_blame(raised.value) is Blame.DEVICE
    assert describe_fault(raised.value) == str(raised.value)


def test_a_worker_says_that_its_gpu_is_gone_before_it_loads_a_model(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "best_device", lambda: "cpu")
    (settings.home / "last-device").write_text("cuda")
    fault = stub_worker(settings)._renderer.load_default_model()
    assert fault is not None
    assert fault.blame is Blame.DEVICE
    assert "(cuda) is gone" in fault.sentence


def test_the_processor_paints_where_it_did_before_or_is_named(home: Settings) -> None:
    load_onto("cpu", home)
    load_onto("cpu", home)
    load_onto("cuda", home, "cuda")
    load_onto("cpu", home, "cpu")
    load_onto("cpu", home)
    assert last_device(home) == "cpu"


def test_a_gpu_that_is_there_paints_on(home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    load_onto("cuda", home)
    monkeypatch.setattr(device, "best_device", lambda: "cuda")
    load_onto("cuda", home)
    assert last_device(home) == "cuda"


def test_a_home_that_cannot_be_written_is_no_reason_to_stop(tmp_path: Path) -> None:
    load_onto("cuda", Settings(home=tmp_path / "gone"))
