"""The pictures of the stops in Create's form: chosen, moved in their frames, and removed."""

from contextlib import suppress
from typing import Any

from pydantic import ValidationError

from momalisa.stop import NO_LICENCE, Credit, StopImage
from momalisa.ui import draft, draft_stops
from momalisa.ui.components.stop_picture import Paths, Picture, stop_picture
from momalisa.ui.http import museums, stop_pictures
from momalisa.works.credit import clean_text

TYPED = {"artist", "title", "year", "licence"}
"""The fields of a credit that can be typed, where no museum's record tells them."""
PATHS = Paths(museums.SEARCH_PATH, stop_pictures.UPLOAD_PATH, stop_pictures.WORK_PATH)


def show_stop_picture(place: int, stop_id: int, label: str) -> None:
    """Show a stop's picture, or the button that opens the dialog to choose one.

    Its key belongs to the place, so that the component stays where stops move.
    """
    image = draft_stops.picture_of(stop_id)
    stop_picture(
        stop=stop_id,
        label=label,
        picture=None if image is None else _show(image, label),
        frame=draft_stops.name_of_frame(stop_id),
        shape=draft.film_shape(),
        museums=list(museums.NAMES.items()),
        paths=PATHS,
        key=f"picture_{place}",
        on_change=_take_change,
    )


def _show(image: StopImage, label: str) -> Picture:
    credit = image.credit
    return Picture(
        url=stop_pictures.picture_url(image.digest),
        alt=f"{label}: {credit.name if credit else 'a picture'}",
        credit=credit.line if credit else f"A picture of your own. {NO_LICENCE}",
        page=credit.record_address if credit else "",
        typed=(credit or Credit()).model_dump(include=TYPED),
        crop=image.crop.model_dump(),
    )


def _take_change(sent: Any) -> None:
    """Do what the browser says; of anything else than it can say nothing comes."""
    if not isinstance(sent, dict) or sent.get("stop") not in draft_stops.stop_ids():
        return
    stop_id = int(sent["stop"])
    with suppress(ValidationError, TypeError, KeyError):
        if sent.get("removed"):
            draft_stops.change_stop(stop_id, image=None, between=None)
        elif "crop" in sent:
            draft_stops.set_crop(stop_id, sent["crop"])
        elif "credit" in sent:
            # Cleaned, as refusing one field would lose them all without a word.
            typed = {name: clean_text(sent["credit"][name]) for name in TYPED}
            draft_stops.set_credit(stop_id, typed)
        else:
            _choose(stop_id, sent["answer"])


def _choose(stop_id: int, answer: dict[str, Any]) -> None:
    """Give a stop the picture that the server took in, and its record's prompt if it has none.

    Raises ValidationError, TypeError and KeyError for what the server does not answer.
    """
    image = StopImage.model_validate(answer["image"]).model_dump(mode="json")
    changes: dict[str, Any] = {"image": image, "between": None}
    if not draft_stops.has_own_prompt(stop_id):
        changes["prompt"] = str(answer["prompt"])
    draft_stops.change_stop(stop_id, **changes)
