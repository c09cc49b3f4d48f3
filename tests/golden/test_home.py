"""A home that was made before: its history, films, frames and errands are all of use still."""

import hashlib
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, cast

import numpy as np
import pytest
import torch

from db import votes, walks
from db.session import get_engine, migrate, reading
from momalisa.engine.frame_cache import FrameCache, frame_key, open_frame_cache
from momalisa.engine.runner import ModelRunner
from momalisa.engine.sampling import Sampler
from momalisa.engine.walk import frames
from momalisa.render import encode_film, render_frames
from momalisa.settings import Settings
from momalisa.spec import WalkSpec
from momalisa.storage import FILMS_FOLDER, LocalStorage, film_key
from momalisa.storage.outbox import RECORD, open_outbox
from momalisa.sync import sync
from momalisa.worker.courier import Courier
from tests.golden.make_home import AWAY, EXPECTED, HOME, history

GOLDEN = json.loads(EXPECTED.read_text(encoding="utf-8"))
IDS, WALKS = GOLDEN["ids"], GOLDEN["walks"]
HUNG = ("exact", "fast", "even")
FILMS = (*HUNG, AWAY)
SAME_EVERYWHERE = tuple(name for name in FILMS if name != "even")
GREY = np.full((64, 64, 3), 128, np.uint8)


@dataclass
class Known:
    """The model of the home as far as it is recorded. It makes nothing."""

    name: str
    digest: str
    device: torch.device
    dtype: torch.dtype
    network: torch.nn.Module = field(default_factory=torch.nn.Identity)

    def check(self, width: int, height: int) -> None:
        pass

    def sampler(self, steps: int, width: int, height: int) -> Sampler:
        return Sampler(None, steps)

    def _never(self, *args: Any, **options: Any) -> NoReturn:
        raise AssertionError("a frame that is kept was to be made again")

    encode = noise = predict = decode = _never


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Settings]:
    with zipfile.ZipFile(HOME) as packed:
        packed.extractall(tmp_path)
    settings = Settings(home=tmp_path, store="", database_url="", endpoint="")
    migrate(settings.database)
    yield settings
    get_engine(settings.database).dispose()


@pytest.fixture
def model() -> ModelRunner:
    told = GOLDEN["model"]
    device, dtype = torch.device(told["device"]), getattr(torch, told["dtype"])
    return ModelRunner(cast(Any, Known(told["name"], told["digest"], device, dtype)))


@pytest.fixture
def cache(home: Settings) -> FrameCache:
    return open_frame_cache(home)


@pytest.fixture
def store(home: Settings) -> LocalStorage:
    return LocalStorage(Path(home.store_root))


def spec_of(name: str) -> WalkSpec:
    return WalkSpec.from_stored(WALKS[IDS[name]]["spec"])


def test_the_home_has_frames_of_every_kind(cache: FrameCache) -> None:
    painted: set[str] = set()
    glided: set[str] = set()
    for name in FILMS:
        spec, walk = spec_of(name), WALKS[IDS[name]]
        places = [frame_key(spec, place, GOLDEN["model"]["digest"]) for place in spec.places()]
        keys = {key for _, key, *rough in walk["progress"] if not rough}
        (painted if keys <= set(places) else glided).add(name)
        assert all(cache.has_latents(key) for key in keys)
    assert (painted, glided) == ({"exact"}, {"fast", "even", AWAY})


def test_the_history_says_what_it_said(home: Settings) -> None:
    found = json.loads(json.dumps(history(home.database)))
    assert found == WALKS


def test_films_are_found_as_before(home: Settings) -> None:
    with reading(home.database) as session:
        newest = [walk.id for walk in walks.list_page(session=session)]
        tagged = [walk.id for walk in walks.list_page(session=session, tags=["night"])]
        searched = [walk.id for walk in walks.list_page(session=session, search="evora door")]
        place = walks.get_queue_position(session=session, walk_id=IDS["queued"])
        tally = votes.tally(session=session, one=IDS["even"], other=IDS["exact"])
    assert newest == sorted(
        (IDS[name] for name in FILMS), key=lambda i: str(WALKS[i]["finished_at"]), reverse=True
    )
    assert tagged == searched == [IDS["exact"]]
    assert (place, tally) == (1, (1, 0, 0))


@pytest.mark.parametrize("name", FILMS)
def test_a_walks_digest_and_title_are_as_before(name: str) -> None:
    assert spec_of(name).digest() == WALKS[IDS[name]]["digest"]
    assert spec_of(name).model_dump(mode="json") == WALKS[IDS[name]]["spec"]
    assert " → ".join(WALKS[IDS[name]]["prompts"]) == spec_of(name).title()


def test_sync_finds_all_in_order(home: Settings, store: LocalStorage) -> None:
    before = history(home.database)
    report = sync(store, home.database, open_outbox(home))
    assert report.agree, list(report.sentences())
    assert (report.taken_in, report.repaired) == ([], [])
    assert report.waiting == [WALKS[IDS[AWAY]]["accession"]]
    assert history(home.database) == before


@pytest.mark.parametrize("name", SAME_EVERYWHERE)
def test_no_frame_is_made_again(name: str, model: ModelRunner, cache: FrameCache) -> None:
    found = [f for f in frames(spec_of(name), model, cache) if f.finished]
    assert {frame.source for frame in found} == {"cache"}
    progress = {place: key for place, key, *rough in WALKS[IDS[name]]["progress"] if not rough}
    assert {frame.index: frame.key for frame in found} == progress


def test_an_even_film_is_decoded_anew_at_most(model: ModelRunner, cache: FrameCache) -> None:
    # It measures pixels to place its frames: where they are mixed is one machine's to the last bit.
    cast(Any, model.model).decode = lambda latents: [GREY] * len(latents)
    found = [frame for frame in frames(spec_of("even"), model, cache) if frame.finished]
    assert {frame.index for frame in found} == set(range(spec_of("even").frames))
    progress = {key for _, key, *rough in WALKS[IDS["even"]]["progress"] if not rough}
    assert progress & {frame.key for frame in found}


@pytest.mark.parametrize("name", SAME_EVERYWHERE)
def test_the_film_of_the_kept_frames_is_the_same(
    name: str, model: ModelRunner, cache: FrameCache
) -> None:
    frames, stats = render_frames(spec_of(name), model, cache)
    walk = WALKS[IDS[name]]
    assert (stats.frames_computed, stats.unet_samples) == (0, 0)
    assert hashlib.sha256(encode_film(spec_of(name), frames)).hexdigest() == walk["sha256"]
    measured = stats.distances, stats.evenness, stats.sharpness
    for figure, then in zip(measured, ("distances", "evenness", "sharpness"), strict=True):
        assert figure == pytest.approx(walk[then], rel=1e-6)


@pytest.mark.parametrize("name", HUNG)
def test_a_films_files_are_where_they_were(name: str, store: LocalStorage) -> None:
    walk = WALKS[IDS[name]]
    assert all(store.exists(key) for key in walk["files"].values())
    assert hashlib.sha256(store.get(walk["files"]["gif"])).hexdigest() == walk["sha256"]


def test_the_errands_are_done(home: Settings, store: LocalStorage) -> None:
    outbox, walk = open_outbox(home), WALKS[IDS[AWAY]]
    assert outbox.walk_ids() == [IDS[AWAY]]
    assert outbox.removals() == {IDS["removed"]}
    assert store.exists(film_key(IDS["removed"], RECORD))
    assert Courier(outbox, lambda: store, home.database).deliver_all()
    assert (outbox.walk_ids(), outbox.removals()) == ([], set())
    assert hashlib.sha256(store.get(walk["files"]["gif"])).hexdigest() == walk["sha256"]
    assert all(store.exists(key) for key in walk["files"].values())
    assert list(store.list(f"{FILMS_FOLDER}/{IDS['removed']}/")) == []
    assert history(home.database)[IDS[AWAY]]["waiting"] is False
    report = sync(store, home.database, outbox)
    assert (report.agree, report.waiting, report.films) == (True, [], len(FILMS))


def test_a_lost_history_comes_back_from_the_records(
    home: Settings, store: LocalStorage, tmp_path: Path
) -> None:
    blank = f"sqlite:///{tmp_path / 'blank.db'}"
    migrate(blank)
    report = sync(store, blank, open_outbox(home))
    assert set(report.taken_in) == {IDS[name] for name in HUNG}
    found = history(blank)
    get_engine(blank).dispose()
    lasting = ("accession", "created_at", "digest", "files", "parent", "sha256", "spec", "prompts")
    for name in HUNG:
        now, then = found[IDS[name]], WALKS[IDS[name]]
        assert {what: now[what] for what in lasting} == {what: then[what] for what in lasting}
