"""Pictures as stops: taken in from a file or a museum, shown in the form, kept with the draft."""

import json
from io import BytesIO
from typing import Any
from zlib import crc32

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from momalisa import stop_pictures as pictures
from momalisa.film.pixel_budget import FRAME_PIXELS
from momalisa.stop import StopImage
from momalisa.ui.http import stop_pictures
from tests.support.asgi import get, post
from tests.support.museum_records import LOCKED
from tests.support.museum_stand_in import Answer, StandIn
from tests.support.pages import (
    MakeWalk,
    Visit,
    all_walks,
    form_prompts,
    press,
    widget,
)
from tests.support.waiting import PATIENCE

DIGEST = "0a" * 32
CREDIT = {
    "artist": "Claude Monet",
    "title": "Water Lilies",
    "year": "1906",
    "museum": "Art Institute of Chicago",
    "accession_number": "1933.1157",
    "licence": "CC0",
    "record_address": "https://www.artic.edu/artworks/16568",
}
IMAGE: dict[str, Any] = {
    "digest": DIGEST,
    "crop": {"x": 0.3, "y": 0.5, "zoom": 2.0},
    "credit": CREDIT,
}
STOPS = [{"prompt": "", "seed": 7, "image": IMAGE}, {"prompt": "a city at night", "seed": 8}]


def encoded(kind: str, size: tuple[int, int] = (200, 100)) -> bytes:
    data = BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(data, kind)
    return data.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_file_is_taken_in_and_shown_by_its_digest(kind: str) -> None:
    status, _, body = post(stop_pictures.UPLOAD_PATH, "name=a.bin", encoded(kind))
    answer = json.loads(body)
    image = StopImage.model_validate(answer["image"])
    assert (status, answer["prompt"], image.credit) == (200, "", None)
    assert (answer["width"], answer["height"]) == (200, 100)
    status, headers, body = get(stop_pictures.picture_url(image.digest))
    assert (status, headers["content-type"]) == (200, "image/webp")
    assert "immutable" in headers["cache-control"]
    with Image.open(BytesIO(body)) as shown:
        assert shown.size == (200, 100)


def bomb() -> bytes:
    """A small PNG that says that it has more pixels than may be decoded."""
    data = bytearray(encoded("PNG"))
    data[16:24] = (FRAME_PIXELS).to_bytes(4, "big") + (2).to_bytes(4, "big")
    data[29:33] = crc32(data[12:29]).to_bytes(4, "big")
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"no picture at all", "It is no JPEG, PNG or WebP."),
        (encoded("PNG")[:150], "It is damaged"),
        (encoded("PNG", (20, 20)), "20 × 20 pixels"),
        (bomb(), "pixels"),
        (b"", "It is no JPEG, PNG or WebP."),
    ],
    ids=["no picture", "broken", "too small", "too many pixels", "empty"],
)
def test_what_is_no_usable_picture_is_a_sentence(data: bytes, sentence: str) -> None:
    status, _, body = post(stop_pictures.UPLOAD_PATH, "name=a.png", data)
    assert (status, sentence in body.decode()) == (422, True), body
    assert body.count(b"\n") == 0


def test_a_file_that_is_too_large_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MOST_BYTES", 1000)
    status, _, body = post(stop_pictures.UPLOAD_PATH, "name=a.png", *[bytes(600)] * 9)
    assert (status, b"more than" in body) == (422, True)


def test_an_unknown_picture_is_not_found() -> None:
    assert get(stop_pictures.picture_url(DIGEST))[0] == 404
    with pytest.MonkeyPatch.context() as patch:  # PostgreSQL refuses what has a zero
        patch.setattr(pictures, "find_file", lambda *_: pytest.fail("was asked for"))
        for other in ("..%2Fsecret", "%00", "stops", DIGEST.upper(), DIGEST + "0"):
            assert get(stop_pictures.picture_url(other))[0] == 404


def test_a_work_is_taken_in_with_its_credit_and_a_prompt(stand_in: StandIn) -> None:
    status, _, body = post(stop_pictures.WORK_PATH, "museum=chicago&id=5", b"")
    answer = json.loads(body)
    credit = StopImage.model_validate(answer["image"]).credit
    assert credit is not None
    assert (status, answer["prompt"]) == (200, "Water Lilies by Claude Monet, 1906, oil on canvas")
    assert credit.line == (
        "Claude Monet, Water Lilies, 1906. Art Institute of Chicago, 1933.5. Public domain"
    )
    assert credit.record_address.startswith("https://www.artic.edu/")


def test_an_address_brings_the_picture_with_the_credit_of_its_record(stand_in: StandIn) -> None:
    address = f"https://www.artic.edu/iiif/2/3c27b499-af56-f0d5-93b5-{5:012x}"
    status, _, body = post(stop_pictures.WORK_PATH, f"address={address}/info.json", b"")
    assert status == 200
    credit = StopImage.model_validate(json.loads(body)["image"]).credit
    assert credit is not None
    assert credit.line.startswith("Claude Monet, Water Lilies, 1906.")


@pytest.mark.parametrize(
    ("query", "status", "sentence"),
    [
        ("address=https://evil.example/a.jpg", 422, "is not an address of a museum"),
        ("address=https://www.artic.edu/artworks/5/lilies", 422, "search for the work"),
        ("address=http://127.0.0.1/iiif/2/a", 422, "is not an address of a museum"),
        (f"museum=chicago&id={LOCKED}", 422, "is not offered"),
        ("museum=chicago&id=999999", 422, "there is no work"),
        ("museum=louvre&id=1", 404, "no such museum"),
    ],
)
def test_a_work_that_is_not_offered_is_a_sentence(
    stand_in: StandIn, query: str, status: int, sentence: str
) -> None:
    answered, _, body = post(stop_pictures.WORK_PATH, query, b"")
    assert (answered, sentence in body.decode()) == (status, True)


def test_a_museums_broken_picture_is_a_sentence(stand_in: StandIn) -> None:
    stand_in.always["www.artic.edu"] = Answer(body=b"<html>sorry</html>")
    status, _, body = post(stop_pictures.WORK_PATH, "museum=chicago&id=5", b"")
    assert (status, b"cannot be used" in body) == (502, True)


def shown_pictures(at: AppTest) -> list[Any]:
    """What the form's picture components show, in walking order."""
    mounted: list[Any] = list(at.get("bidi_component"))
    name = "momalisa_stop_picture"
    return [json.loads(m.proto.json)["picture"] for m in mounted if m.proto.component_name == name]


@pytest.mark.parametrize("way", ["use", "walk"])
def test_a_walks_pictures_come_back_into_the_form(
    visit: Visit, add_film: MakeWalk, way: str
) -> None:
    walk = add_film(stops=STOPS)
    at = visit("create", **{way: walk.id})
    first, last = shown_pictures(at)
    assert last is None
    assert (first["crop"], first["page"]) == (IMAGE["crop"], CREDIT["record_address"])
    assert first["url"] == stop_pictures.picture_url(DIGEST)
    assert form_prompts(at) == ["", "a city at night"]


def test_a_remix_keeps_the_picture_and_changes_the_seeds(visit: Visit, add_film: MakeWalk) -> None:
    walk = add_film(stops=STOPS)
    press(visit("gallery", walk=walk.id), "Remix")
    _film, remix = all_walks()
    assert remix.spec["stops"][0]["image"] == walk.spec["stops"][0]["image"]
    assert remix.spec["stops"][0]["seed"] != walk.spec["stops"][0]["seed"]


def test_swapping_new_seeds_and_putting_back_keep_the_picture(
    visit: Visit, add_film: MakeWalk
) -> None:
    at = visit("create", use=add_film(stops=STOPS).id)
    press(at, "Swap")
    assert [bool(picture) for picture in shown_pictures(at)] == [False, True]
    press(at, "New seeds")
    assert [bool(picture) for picture in shown_pictures(at)] == [False, True]
    press(at, "Surprise me")
    assert shown_pictures(at) == [None, None]
    press(at, "Put back")
    assert [bool(picture) for picture in shown_pictures(at)] == [False, True]


def test_a_restored_draft_has_its_pictures(visit: Visit, add_film: MakeWalk) -> None:
    """After a reload or a restart of the server the browser sends the shape of the draft."""
    at = visit("create", use=add_film(stops=STOPS).id)
    at.run()
    shape = widget(at, "text_input", "Shape of the draft").value or at.session_state.shape
    other = visit("create")
    for key in ("stop_ids", "last_stop", "starts", "versions"):
        del other.session_state[key]
    widget(other, "text_input", "Shape of the draft").set_value(shape).run()
    assert [bool(picture) for picture in shown_pictures(other)] == [True, False]


def change_draft(*sent) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN002
    from momalisa.ui import draft
    from momalisa.ui.create.stop_pictures import _take_change

    draft.ensure_draft()
    for one in sent:
        _take_change(one)


def draft_after(*sent: Any) -> list[dict[str, Any]]:
    """The stops of a new draft after what a browser sent."""
    at = AppTest.from_function(change_draft, default_timeout=PATIENCE, args=sent).run()
    assert not at.exception
    values = at.session_state.starts
    parts = ("prompt", "image")
    return [{p: values[f"{p}_{n}"] for p in parts} for n in at.session_state.stop_ids]


ANSWER = {"image": {"digest": DIGEST, "credit": CREDIT}, "prompt": "lilies"}


def test_a_chosen_picture_brings_its_prompt_and_is_moved_and_removed() -> None:
    chosen = {"stop": 1, "answer": ANSWER}
    first, last = draft_after(chosen)
    assert (first["prompt"], first["image"]["digest"], last["image"]) == ("lilies", DIGEST, None)
    moved = draft_after(chosen, {"stop": 3, "crop": {"x": 0.1, "y": 0.9, "zoom": 3}})
    assert moved[0]["image"]["crop"] == {"x": 0.1, "y": 0.9, "zoom": 3.0}
    removed = draft_after(chosen, {"stop": 3, "removed": True})
    assert (removed[0]["prompt"], removed[0]["image"]) == ("lilies", None)


def test_whose_work_a_picture_is_can_be_typed_unless_a_record_says_it() -> None:
    own = {"image": {"digest": DIGEST}, "prompt": ""}
    typed = {"artist": "Mina Loy", "title": "", "year": "1916", "licence": ""}
    (first, _) = draft_after({"stop": 1, "answer": own}, {"stop": 3, "credit": typed})
    assert StopImage.model_validate(first["image"]).credit_line == (
        "Mina Loy, 1916. No licence is known"
    )
    pasted = typed | {"title": "\u2068<b>Lunar\u2069", "licence": "\u095c" * 500}
    (first, _) = draft_after({"stop": 1, "answer": own}, {"stop": 3, "credit": pasted})
    credit = StopImage.model_validate(first["image"]).credit
    assert credit is not None
    assert (credit.artist, credit.title, len(credit.licence)) == ("Mina Loy", "b Lunar", 500)
    blank = dict.fromkeys(typed, "")
    (first, _) = draft_after(
        {"stop": 1, "answer": own}, {"stop": 3, "credit": typed}, {"stop": 3, "credit": blank}
    )
    assert first["image"]["credit"] is None
    (first, _) = draft_after({"stop": 1, "answer": ANSWER}, {"stop": 3, "credit": typed})
    assert first["image"]["credit"]["artist"] == "Claude Monet"


def test_another_picture_brings_another_prompt() -> None:
    other = ANSWER | {"prompt": "a tall tree"}
    stops = draft_after({"stop": 1, "answer": ANSWER}, {"stop": 3, "answer": other})
    assert stops[0]["prompt"] == "a tall tree"


NEVER_SENT: list[Any] = [
    None,
    "text",
    {},
    {"stop": 1},
    {"stop": "1", "removed": True},
    {"stop": [], "removed": True},
    {"stop": 99, "answer": ANSWER},
    {"stop": 1, "answer": None},
    {"stop": 1, "answer": ["image"]},
    {"stop": 1, "answer": {"image": {"digest": "../../etc"}, "prompt": ""}},
    {"stop": 1, "answer": {"image": ANSWER["image"]}},
    {"stop": 1, "crop": {"x": 7}},
    {"stop": 1, "credit": "Monet"},
    {"stop": 1, "credit": {"artist": "Monet"}},
    {"stop": 1, "credit": dict.fromkeys(("artist", "title", "year", "licence"), 7)},
]


def test_what_no_page_sends_changes_nothing() -> None:
    assert draft_after(*NEVER_SENT) == [{"prompt": "", "image": None}] * 2


def test_a_crop_out_of_bounds_changes_nothing() -> None:
    chosen = {"stop": 1, "answer": ANSWER}
    assert draft_after(chosen, {"stop": 3, "crop": {"x": 2.0}}) == draft_after(chosen)
    assert draft_after(chosen, {"stop": 3, "crop": "wide"}) == draft_after(chosen)


def test_the_frame_has_the_shape_of_the_film(visit: Visit, add_film: MakeWalk) -> None:
    at = visit("create", use=add_film(stops=STOPS, size=128, height=192).id)
    mounted: list[Any] = list(at.get("bidi_component"))
    shapes = [
        json.loads(m.proto.json)["shape"]
        for m in mounted
        if m.proto.component_name == "momalisa_stop_picture"
    ]
    assert shapes == [[128, 192]] * 2
