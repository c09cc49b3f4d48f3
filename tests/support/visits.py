"""What a visitor's browser does, and what hangs in the house before it comes."""

import json
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import ConsoleMessage, Error, Page, expect
from sqlalchemy.orm import Session

from db import walks
from db.models import Walk
from db.session import writing
from momalisa.engine import perception
from momalisa.film.encode import encode_gif, encode_poster
from momalisa.spec import WalkSpec
from momalisa.storage import CONTENT_TYPES, LocalStorage, film_key
from tests.support.app import House

PATIENCE = 15_000
FILM_PATIENCE = 75_000


@dataclass
class Visitor:
    """A browser tab, and what went wrong in it."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def note(self, message: ConsoleMessage) -> None:
        # On a deep link Streamlit tries two addresses for its own health, and one is not there.
        own = "/_stcore/" in message.location.get("url", "")
        if message.type == "error" and not own:
            self.complaints.append(message.text)


def enter(page: Page, label: str, text: str) -> None:
    page.get_by_label(label, exact=True).fill(text)
    page.keyboard.press("Tab")


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def shows_pictures(page: Page) -> None:
    """The player has taken the frames out of the GIF, and they move."""
    count = page.locator(".count")
    expect(count).to_contain_text("/ 22")
    before = count.inner_text()
    expect(count).not_to_have_text(before)


def settled(page: Page) -> None:
    """The script behind the page has run to its end."""
    with suppress(Error):
        page.locator('[data-test-script-state="notRunning"]').wait_for(timeout=5_000)


def database(house: House) -> str:
    """The house's history, for those who work beside it."""
    return f"sqlite:///{house.home / 'momalisa.db'}"


def keep_frame(house: House, key: str) -> None:
    """A finished frame in the house's cache."""
    path = house.home / "frames" / key[:2] / f"{key}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (64, 64), "red").save(path)


def ask(session: Session, *prompts: str) -> Walk:
    """A walk of three frames, put into the queue."""
    stops = [{"prompt": prompt} for prompt in prompts]
    spec = WalkSpec.model_validate({"stops": stops, "frames": 3, "size": 64})
    return walks.enqueue(
        session=session,
        spec=spec.model_dump(mode="json"),
        digest=spec.digest(),
        title=spec.title(),
        frames_total=3,
    )


def hang_film(house: House, walk_id: str, *prompts: str, **changes: Any) -> None:
    """A film of five frames with its settings, unless it hangs there: so none has to be made.

    It goes from black to grey, in the walk's own pacing.
    """
    stops = [{"prompt": prompt, "seed": 40 + n} for n, prompt in enumerate(prompts)]
    told = {"stops": stops, "frames": 5, "size": 64, "fps": 5, **changes}
    spec = WalkSpec.model_validate(told)
    ways = [(place.leg + place.t) / len(spec.legs) for place in spec.places()]
    frames = [np.full((spec.size, spec.size, 3), round(200 * way), np.uint8) for way in ways]
    record = {"spec": spec.model_dump(mode="json")}
    files = {
        "gif": ("film.gif", encode_gif(frames, spec.fps, spec.model_dump_json())),
        "poster": ("poster.webp", encode_poster(frames[len(frames) // 2])),
        "json": ("walk.json", json.dumps(record).encode()),
    }
    keys = {kind: film_key(walk_id, name) for kind, (name, _) in files.items()}
    for kind, (name, data) in files.items():
        content_type = CONTENT_TYPES[name[name.index(".") :]]
        LocalStorage(house.home / "store").put(keys[kind], data, content_type)
    distances = perception.steps(frames)
    result = {
        "files": keys,
        "frames": len(frames),
        "distances": distances,
        "evenness": perception.evenness(distances),
    }
    with writing(database(house)) as session:
        walks.adopt(
            session=session,
            walk_id=walk_id,
            title=spec.title(),
            finished_at=datetime.now(UTC),
            spec=record["spec"],
            digest=spec.digest(),
            result=result,
        )


def hang_waves(house: House) -> None:
    """A film of another program, unless it hangs there: so none has to be made."""
    files = {kind: film_key("waves", f"waves.{kind}") for kind in ("gif", "webp")}
    for kind, key in files.items():
        data = BytesIO()
        Image.new("RGB", (64, 64), "navy").save(data, kind)
        LocalStorage(house.home / "store").put(key, data.getvalue(), f"image/{kind}")
    with writing(database(house)) as session:
        walks.adopt(
            session=session,
            walk_id="waves",
            title="Waves",
            finished_at=datetime(2024, 5, 3, tzinfo=UTC),
            tags=["sea"],
            result={"files": {"gif": files["gif"], "poster": files["webp"]}, "frames": 1},
        )
