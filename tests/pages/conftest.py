"""A house of its own for every test: empty history, empty store, no worker."""

import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from db import queue, walks
from db.models import Walk
from db.session import migrate, reading, writing
from momalisa.settings import CHECKOUT, settings
from momalisa.spec import WalkSpec
from momalisa.storage import TYPES, film_key, open_storage

SHELL = CHECKOUT / "momalisa" / "ui" / "shell.py"
WALK = "Walk"
STOPS = ("From", "Over", "To")

Visit = Callable[..., AppTest]
Hang = Callable[..., Walk]
Keep = Callable[..., None]


@pytest.fixture(autouse=True)
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("MOMALISA_HOME", str(tmp_path))
    monkeypatch.setenv("MOMALISA_WORKER", "external")
    # A visit leaves its page as `__main__`, which later tests' processes would begin with.
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    settings.cache_clear()
    st.cache_data.clear()
    migrate(settings().database)
    yield tmp_path
    settings.cache_clear()


@pytest.fixture
def visit() -> Visit:
    """Enter the house and go to a page, with something in the URL."""

    def _visit(page: str, **query: str) -> AppTest:
        at = AppTest.from_file(str(SHELL), default_timeout=20).run()
        at.switch_page(f"../../pages/{page}.py")
        for name, value in query.items():
            at.query_params[name] = value
        at.run()
        assert not at.exception
        return at

    return _visit


def spec(*prompts: str, **changes: Any) -> WalkSpec:
    stops = [{"prompt": p, "seed": 7 + n} for n, p in enumerate(prompts or ("a moon", "a sea"))]
    return WalkSpec.model_validate({"stops": stops, "frames": 3, "size": 64, **changes})


@pytest.fixture
def ask() -> Hang:
    """Put a walk into the queue."""

    def _ask(*prompts: str, **changes: Any) -> Walk:
        wanted = spec(*prompts, **changes)
        with writing(settings().database) as session:
            return walks.enqueue(
                session=session,
                spec=wanted.model_dump(mode="json"),
                digest=wanted.digest(),
                title=wanted.title(),
                frames_total=len(wanted.places()),
            )

    return _ask


@pytest.fixture
def hang(ask: Hang) -> Hang:
    """Put a finished film into the history, its files into the store."""

    def _hang(*prompts: str, **changes: Any) -> Walk:
        walk = ask(*prompts, **changes)
        lease = claim()
        storage = open_storage(settings().store_root)
        files = {kind: film_key(walk.id, f"film.{kind}") for kind in ("gif", "webp")}
        for kind, key in files.items():
            storage.put(key, picture(kind), f"image/{kind}")
        result = {
            "files": {"gif": files["gif"], "poster": files["webp"]},
            "device": "cpu",
            "seconds": 6.0,
            "unet_samples": 96,
            "frames_computed": 3,
            "distances": [0.1, 0.3],
        }
        with writing(settings().database) as session:
            queue.finish(session=session, **lease, result=result)
        return found(walk.id)

    return _hang


@pytest.fixture
def foreign() -> Hang:
    """Hang a film that another program made: nobody knows how."""

    def _foreign(walk_id: str = "by-hand") -> Walk:
        files = {"gif": film_key(walk_id, "film.gif"), "poster": film_key(walk_id, "film.webp")}
        storage = open_storage(settings().store_root)
        for key in files.values():
            storage.put(key, picture(key.rpartition(".")[2]), TYPES[key[key.rindex(".") :]])
        with writing(settings().database) as session:
            walk = walks.adopt(
                session=session,
                walk_id=walk_id,
                title="Waves",
                finished_at=datetime(2024, 5, 3, tzinfo=UTC),
                result={"files": files, "bytes": 40, "frames": 5},
            )
        assert walk is not None
        return walk

    return _foreign


@pytest.fixture
def keep() -> Keep:
    """Change what the history says of a walk."""

    def _keep(walk: Walk, **changes: Any) -> None:
        with writing(settings().database) as session:
            kept = session.merge(walk)
            for name, value in changes.items():
                setattr(kept, name, value)

    return _keep


def claim() -> dict[str, Any]:
    """Be the worker that takes up the next walk; returns its lease."""
    with writing(settings().database) as session:
        walk = queue.claim(session=session, owner="test", lease_seconds=60)
    assert walk is not None
    return {"walk_id": walk.id, "owner": "test", "attempt": walk.attempt}


def picture(kind: str) -> bytes:
    data = BytesIO()
    Image.new("RGB", (8, 8), "red").save(data, kind)
    return data.getvalue()


def found(walk_id: str) -> Walk:
    with reading(settings().database) as session:
        walk = walks.get(session=session, walk_id=walk_id)
    assert walk is not None
    return walk


def everything() -> list[Walk]:
    with reading(settings().database) as session:
        return list(session.query(Walk).order_by(Walk.created_at))


def texts(at: AppTest) -> list[str]:
    return [element.value for element in at.text]


def sentences(at: AppTest) -> str:
    return "\n".join(texts(at))


def labelled(at: AppTest, kind: str, label: str) -> Any:
    """The one widget of that kind and label."""
    widgets: list[Any] = list(at.get(kind))
    (widget,) = [widget for widget in widgets if widget.label == label]
    return widget


def press(at: AppTest, label: str) -> AppTest:
    labelled(at, "button", label).click().run()
    assert not at.exception
    return at


def component(at: AppTest, name: str) -> Any:
    """What the page hands to one of the small components."""
    mounted: list[Any] = list(at.get("bidi_component"))
    (proto,) = [m.proto for m in mounted if m.proto.component_name == f"momalisa_{name}"]
    return json.loads(proto.json)


def typed(at: AppTest, start: str, end: str) -> AppTest:
    labelled(at, "text_input", "From").set_value(start)
    labelled(at, "text_input", "To").set_value(end)
    return at


def stops(at: AppTest) -> list[str]:
    """The prompts on the easel, in walking order."""
    return [str(field.value) for field in at.text_input if field.label.split()[0] in STOPS]
