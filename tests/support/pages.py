"""Helpers for tests of the pages: stored walks, and what a page shows."""

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs

from PIL import Image
from streamlit.testing.v1 import AppTest

from db import queue, walks
from db.models import Walk
from db.session import reading, writing
from momalisa.settings import CHECKOUT, settings
from momalisa.spec import WalkSpec
from tests.support.walks import walk_spec

SHELL = CHECKOUT / "momalisa" / "ui" / "shell.py"
WALK = "Walk"
"""The label of the button on Create that submits the form."""
STOP_LABELS = ("From", "Over", "To")
"""The first words of the labels of the prompt fields."""

Visit = Callable[..., AppTest]
MakeWalk = Callable[..., Walk]
UpdateWalk = Callable[..., None]


def spec(*prompts: str, **changes: Any) -> WalkSpec:
    """A small walk between these prompts, with some fields changed."""
    prompts = prompts or ("a moon", "a sea")
    return walk_spec(*prompts, **{"frames": 3, "size": 64} | changes)


def claim_walk() -> dict[str, Any]:
    """Claim the next walk of the queue as a worker; returns its lease."""
    with writing(settings().database) as session:
        walk = queue.claim(session=session, owner="test", lease_seconds=60)
    assert walk is not None
    return {"walk_id": walk.id, "owner": "test", "attempt": walk.attempt}


def picture_bytes(kind: str) -> bytes:
    """A red square of 8 × 8 pixels in this file format."""
    data = BytesIO()
    Image.new("RGB", (8, 8), "red").save(data, kind)
    return data.getvalue()


def stored_walk(walk_id: str) -> Walk:
    """The walk as the database has it now."""
    with reading(settings().database) as session:
        walk = walks.get(session=session, walk_id=walk_id)
    assert walk is not None
    return walk


def all_walks() -> list[Walk]:
    """All walks of the database, oldest first."""
    with reading(settings().database) as session:
        return list(session.query(Walk).order_by(Walk.created_at))


def texts(at: AppTest) -> list[str]:
    """The values of the page's text elements."""
    return [element.value for element in at.text]


def all_text(at: AppTest) -> str:
    """The page's text elements, one a line."""
    return "\n".join(texts(at))


def widget(at: AppTest, kind: str, label: str) -> Any:
    """The only widget of that kind and label."""
    widgets: list[Any] = list(at.get(kind))
    (match,) = [each for each in widgets if each.label == label]
    return match


def press(at: AppTest, label: str) -> AppTest:
    """Press the button with that label, run the page, and open the page that it leads to."""
    widget(at, "button", label).click().run()
    assert not at.exception
    return follow_address(at)


def follow_address(at: AppTest) -> AppTest:
    """Open the address to which the page sends the browser, if it sends it to one."""
    for mounted in at.get("bidi_component"):
        if mounted.proto.component_name != "momalisa_address":
            continue
        if address := json.loads(mounted.proto.json)["address"]:
            page, _, query = address.partition("?")
            at.switch_page(f"../../pages/{page.removeprefix('./') or 'home'}.py")
            at.query_params.clear()
            at.query_params.update(parse_qs(query))
            at.run()
            assert not at.exception
            break
    return at


def component_data(at: AppTest, name: str) -> Any:
    """The data that the page passes to one of the app's components."""
    mounted: list[Any] = list(at.get("bidi_component"))
    (proto,) = [m.proto for m in mounted if m.proto.component_name == f"momalisa_{name}"]
    return json.loads(proto.json)


def type_prompts(at: AppTest, start: str, end: str) -> AppTest:
    """Type into the first and the last prompt field."""
    widget(at, "text_input", "From").set_value(start)
    widget(at, "text_input", "To").set_value(end)
    return at


def form_prompts(at: AppTest) -> list[str]:
    """The prompts in the form, in walking order."""
    return [str(field.value) for field in at.text_input if field.label.split()[0] in STOP_LABELS]
