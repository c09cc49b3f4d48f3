"""A film in the Gallery: its label, notes, neighbours and deletion."""

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from db import curation, deletions
from db.models import State
from db.session import reading, writing
from momalisa.engine.frame_cache import open_frame_cache
from momalisa.errors import StorageError
from momalisa.models.registry import digest_of
from momalisa.settings import settings
from momalisa.storage import LocalStorage, open_storage
from momalisa.ui import film_detail
from tests.support.pages import (
    MakeWalk,
    UpdateWalk,
    Visit,
    all_text,
    all_walks,
    component_data,
    press,
    stored_walk,
    texts,
    widget,
)


def test_a_film_of_an_earlier_version_plays_its_gif(
    visit: Visit, add_film: MakeWalk, update_walk: UpdateWalk
) -> None:
    walk = add_film("a moon", "a sea")
    update_walk(walk, files={kind: key for kind, key in walk.files.items() if kind != "webp"})
    (film,) = component_data(visit("gallery", walk=walk.id), "player")["films"]
    assert film["url"].endswith(walk.files["gif"])
    assert film["fallback"] == ""
    (card,) = component_data(visit("gallery"), "grid")["cards"]
    assert (card["film"], card["fallback"]) == (film["url"], "")


def test_a_film_is_shown_with_its_label_and_parameters(visit: Visit, add_film: MakeWalk) -> None:
    walk = add_film("a moon", "a sea", pacing="dense-middle", negative="people", steps=9)
    at = visit("gallery", walk=walk.id)
    (film,) = component_data(at, "player")["films"]
    assert film["url"].endswith(walk.files["webp"])
    assert film["fallback"].endswith(walk.files["gif"])
    shown = texts(at)
    for part in (
        "a moon → a sea, ",
        "a moon (seed 7)",
        "dense-middle, strength 0.8",
        "people",
        "9",
    ):
        assert any(text.startswith(part) for text in shown), part


@pytest.mark.parametrize("nonsense", ["nosuch", "../../etc/passwd", "x" * 5000])
def test_an_unknown_film_shows_a_message(visit: Visit, nonsense: str) -> None:
    assert "There is no film under this link" in all_text(visit("gallery", walk=nonsense))


def test_star_and_notes_are_saved(visit: Visit, add_film: MakeWalk) -> None:
    walk = add_film()
    at = visit("gallery", walk=walk.id)
    at.toggle[0].set_value(True).run()
    widget(at, "text_area", "Notes").set_value("for the foyer").run()
    kept = stored_walk(walk.id)
    assert kept.star
    assert kept.notes == "for the foyer"


def test_concurrent_changes_by_others_are_shown_and_merged(
    visit: Visit, add_film: MakeWalk, update_walk: UpdateWalk
) -> None:
    walk = add_film()
    at = visit("gallery", walk=walk.id)
    update_walk(walk, star=True, notes="theirs")
    widget(at, "text_area", "Notes").set_value("mine").run()
    assert stored_walk(walk.id).notes == "theirs\nmine"
    assert at.toast[0].value == "Somebody else wrote a note here meanwhile. Both are kept."
    assert at.toggle[0].value
    assert widget(at, "text_area", "Notes").value == "theirs\nmine"
    widget(at, "text_area", "Notes").set_value("mine alone").run()
    assert stored_walk(walk.id).notes == "mine alone"


def test_tags_that_others_add_meanwhile_stay(
    visit: Visit, add_film: MakeWalk, update_walk: UpdateWalk
) -> None:
    """The second curator's choice replaced the first one's, without a word."""
    walk = add_film()
    update_walk(walk, tagged=curation.create_tags(["night", "sea"]))
    at = visit("gallery", walk=walk.id)
    with writing(settings().database) as session:
        curation.set_tags(session=session, walk_id=walk.id, tags=["foyer", "sea"])
    widget(at, "multiselect", "Tags").set_value(["night", "blue"]).run()
    assert stored_walk(walk.id).tags == ["blue", "foyer"]
    assert widget(at, "multiselect", "Tags").value == ["blue", "foyer"]


def test_notes_that_are_too_long_are_refused_with_a_sentence(
    visit: Visit, add_film: MakeWalk, update_walk: UpdateWalk
) -> None:
    walk = add_film()
    at = visit("gallery", walk=walk.id)
    assert widget(at, "text_area", "Notes").proto.max_chars == curation.NOTES_LENGTH
    theirs = "o" * curation.NOTES_LENGTH
    update_walk(walk, notes=theirs)
    widget(at, "text_area", "Notes").set_value("mine").run()
    assert "Please shorten yours" in at.toast[0].value
    assert stored_walk(walk.id).notes == theirs
    assert widget(at, "text_area", "Notes").value == "mine"
    update_walk(walk, notes="theirs, shorter")
    widget(at, "text_area", "Notes").set_value("mine, shorter").run()
    assert widget(at, "text_area", "Notes").value == "theirs, shorter\nmine, shorter"


def test_tags_are_saved_normalised(visit: Visit, add_film: MakeWalk) -> None:
    walk = add_film()
    at = visit("gallery", walk=walk.id)
    widget(at, "multiselect", "Tags").set_value(["For  the Foyer", "2026"]).run()
    assert not at.exception
    assert stored_walk(walk.id).tags == ["2026", "for the foyer"]
    assert widget(at, "multiselect", "Tags").value == ["2026", "for the foyer"]
    widget(at, "multiselect", "Tags").unselect("2026").run()
    assert stored_walk(walk.id).tags == ["for the foyer"]


def test_a_tag_typed_with_commas_is_several_and_a_long_one_is_cut_with_a_word(
    visit: Visit, add_film: MakeWalk
) -> None:
    walk = add_film()
    at = visit("gallery", walk=walk.id)
    widget(at, "multiselect", "Tags").set_value(["Foyer, blue", "x" * 70]).run()
    assert not at.exception
    assert stored_walk(walk.id).tags == ["blue", "foyer", "x" * 64]
    assert any("64 characters" in toast.value for toast in at.toast)


def test_a_foreign_film_shows_what_is_known_of_it(visit: Visit, add_foreign_film: MakeWalk) -> None:
    walk = add_foreign_film()
    (card,) = component_data(visit("gallery"), "grid")["cards"]
    assert (card["title"], card["meta"]) == ("Waves", f"2024, {walk.accession}")
    at = visit("gallery", walk=walk.id)
    assert "Film of another program, 5 frames" in texts(at)
    assert component_data(at, "player")["films"][0]["alt"] == "Waves"
    # Without a spec it cannot be made again.
    assert [link.label for link in at.page_link] == ["Compare with another film"]
    assert [button.label for button in at.button if not button.disabled] == [
        "All films",
        "Yes, delete it",
    ]
    for page in ("create", "compare"):
        visit(page, walk=walk.id, use=walk.id, a=walk.id, b=walk.id)


def test_a_double_click_on_remix_submits_one_walk(visit: Visit, add_film: MakeWalk) -> None:
    at = visit("gallery", walk=add_film("a moon", "a sea").id)
    requests = []
    for _click in range(2):
        widget(at, "button", "Remix").click().run()
        requests.append(component_data(at, "address"))
    assert requests[0] == requests[1]
    _film, remix = all_walks()
    assert requests[0]["address"] == f"create?walk={remix.id}"


@pytest.mark.parametrize("button", ["Remix", "Compare with dense-middle"])
def test_an_older_film_is_walked_again_with_the_weights_it_had(
    visit: Visit, add_film: MakeWalk, update_walk: UpdateWalk, button: str
) -> None:
    old = add_film("a moon", "a sea")
    update_walk(old, model_digest=digest_of("atelier-base"))
    press(visit("gallery", walk=old.id), button)
    (again,) = (walk for walk in all_walks() if walk.id != old.id)
    assert (again.model, again.steps, again.guidance) == ("atelier-base", 16, 4.0)


@pytest.mark.parametrize("button", ["Remix", "Compare with dense-middle"])
def test_a_refused_walk_keeps_the_page(
    visit: Visit, add_film: MakeWalk, monkeypatch: pytest.MonkeyPatch, button: str
) -> None:
    walk = add_film("a moon", "a sea")
    monkeypatch.setenv("MOMALISA_WALKS_TOTAL", "0")
    settings.cache_clear()
    at = visit("gallery", walk=walk.id)
    press(at, button)
    assert "As many walks are waiting" in at.toast[0].value
    assert not at.error
    assert widget(at, "text_area", "Notes").key == f"notes_{walk.id}"
    assert len(all_walks()) == 1


def test_a_changed_title_is_saved_and_searchable(visit: Visit, add_film: MakeWalk) -> None:
    walk = add_film("a moon", "a sea")
    at = visit("gallery", walk=walk.id)
    widget(at, "text_input", "Title").set_value("  Nuit\u202e  étoilée ").run()
    assert stored_walk(walk.id).title == "Nuit étoilée"
    assert f"Nuit étoilée, {walk.created_at.year}" in texts(at)
    widget(at, "text_input", "Title").set_value(" ").run()
    assert widget(at, "text_input", "Title").value == "Nuit étoilée"
    for search, titles in (("etoilee", ["Nuit étoilée"]), ("moon", ["Nuit étoilée"])):
        cards = component_data(visit("gallery", q=search), "grid")["cards"]
        assert [card["title"] for card in cards] == titles


def test_use_prompts_fills_in_the_prompts_without_the_settings(
    visit: Visit, add_film: MakeWalk
) -> None:
    at = visit("gallery", walk=add_film("a moon", "a sea", guidance=9).id)
    press(at, "Use prompts")
    assert [title.value for title in at.title] == ["Create"]
    assert widget(at, "text_input", "From").value == "a moon"
    assert at.session_state.starts[f"walk_guidance_{at.session_state.versions['guidance']}"] != 9


def test_newer_and_older_open_the_neighbouring_films(visit: Visit, add_film: MakeWalk) -> None:
    first, _, third = (add_film(name, "z") for name in ("a moon", "a mask", "a moon at night"))
    at = visit("gallery", walk=first.id, q="moon")
    assert widget(at, "button", "Older").disabled
    press(at, "Newer")
    assert at.query_params["walk"] == third.id
    assert widget(at, "button", "Newer").disabled
    press(at, "Older")
    assert at.query_params["walk"] == first.id


def test_a_confirmed_deletion_removes_row_and_files(visit: Visit, add_film: MakeWalk) -> None:
    walk = add_film()
    storage = open_storage(settings().store_root)
    at = visit("gallery", walk=walk.id)
    assert stored_walk(walk.id).state is State.DONE
    press(at, "Yes, delete it")
    assert all_walks() == []
    assert list(storage.list()) == []
    assert "The walls are still bare." in texts(at)


def test_a_deletion_that_fails_is_told_beside_the_film(visit: Visit, add_film: MakeWalk) -> None:
    """The error stood in the place of the whole page."""
    walk = add_film()
    at = visit("gallery", walk=walk.id)
    with writing(settings().database) as session:
        refusal = "CREATE TRIGGER no BEFORE DELETE ON walks BEGIN SELECT RAISE(ABORT, 'no'); END"
        session.execute(text(refusal))
    press(at, "Yes, delete it")
    assert at.toast
    assert not at.error
    assert "All films" in [button.label for button in at.button]
    assert stored_walk(walk.id).state is State.DONE


def test_a_deletion_takes_the_frames_that_no_other_film_has(
    visit: Visit, add_film: MakeWalk, update_walk: UpdateWalk
) -> None:
    """The frames of a film that was “gone for good” stayed in the cache."""
    cache, frame = open_frame_cache(settings()), np.zeros((8, 8, 3), np.uint8)
    own, shared, replaced = "a" * 64, "b" * 64, "c" * 64
    for key in (own, shared, replaced):
        cache.put(key, frame, np.zeros((4, 1, 1), np.float16))
    walk, other = add_film("a moon", "a sea"), add_film("a moon", "a hill")
    update_walk(walk, progress=[[0, own], [1, shared], [1, replaced, "replaced"]])
    update_walk(other, progress=[[0, shared]])
    press(visit("gallery", walk=walk.id), "Yes, delete it")
    assert cache.get(own) is cache.get(replaced) is None
    assert not cache.has_latents(own)
    assert cache.get(shared) is not None


def test_deleting_a_film_keeps_the_search(visit: Visit, add_film: MakeWalk) -> None:
    walk, other = add_film("a moon", "a sea"), add_film("a moon", "a hill")
    at = visit("gallery", q="moon", sort="oldest")
    at.query_params["walk"] = walk.id
    press(at.run(), "Yes, delete it")
    assert [each.id for each in all_walks()] == [other.id]
    assert [card["id"] for card in component_data(at, "grid")["cards"]] == [other.id]
    assert widget(at, "text_input", "Search").value == "moon"


def test_a_film_is_deleted_while_the_storage_is_unreachable(
    visit: Visit, add_film: MakeWalk, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Away(LocalStorage):
        def delete(self, key: str) -> None:
            raise StorageError(f"{key} is out of reach.")

    walk = add_film()
    away = Away(Path(settings().store_root))
    monkeypatch.setattr(film_detail, "open_storage", lambda *_root, **_how: away)
    press(visit("gallery", walk=walk.id), "Yes, delete it")
    assert all_walks() == []
    with reading(settings().database) as session:
        assert deletions.list_open(session=session) == [walk.id]


def test_all_films_returns_to_the_posters(visit: Visit, add_film: MakeWalk) -> None:
    at = press(visit("gallery", walk=add_film().id), "All films")
    assert len(component_data(at, "grid")["cards"]) == 1
