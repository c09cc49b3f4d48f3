"""The scrubber's script in a page by itself, which tells it what a page of the app would."""

from typing import Any

from playwright.sync_api import Page

from momalisa.ui.components.assets import FOLDER

START = """async script => {
    const file = new Blob([script], { type: "text/javascript" })
    const { default: scrub } = await import(URL.createObjectURL(file))
    window.tell = data => scrub({ parentElement: document.body, data, setTriggerValue() {} })
}"""
FIELDS = '<p class="st-key-one"><input></p><p class="st-key-two"><input></p>'
NEITHER = ("", "")
ENDS = ("a red square", "a stormy sea")


def open_scrubber(page: Page) -> Page:
    """Show the scrubber below two fields, with a clock that goes on when it is told to."""
    page.set_content(FIELDS + (FOLDER / "scrubber.html").read_text())
    page.evaluate(START, (FOLDER / "scrubber.js").read_text())
    page.clock.install()
    return page


def what_the_app_tells(prompts: tuple[str, str], name: str, *, is_live: bool) -> dict[str, Any]:
    """The data of a draft; there is a way between two prompts."""
    fields = zip(("one", "two"), prompts, strict=True)
    return {
        "id": name,
        "legs": [prompts] if all(prompts) else [],
        "frames": [],
        "still_url": "",
        "live_url": "data:," if is_live else "",
        "hint": "",
        "ratio": 1,
        "tracks": [{"title": "", "curve": []}],
        "stops": [{"field": field, "prompt": prompt, "seed": 7} for field, prompt in fields],
        "empty": "",
        "begins": False,
    }
