"""Films and records in a storage are looked at before they are read."""

from pathlib import Path

import pytest

from momalisa.film.embedded_text import RECORD_BYTES
from momalisa.storage import LocalStorage, film_key
from momalisa.stored_films import FILM_BYTES, DamagedFilm, make_poster, read_film


def test_what_is_far_too_large_is_not_read(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path)
    film, record = film_key("w1", "film.gif"), film_key("w2", "walk.json")
    for key, size in ((film, FILM_BYTES + 1), (record, RECORD_BYTES + 1)):
        storage.put(key, b"", "image/gif")
        with (tmp_path / key).open("ab") as file:
            file.truncate(size)  # takes no room on the disk
    stored = {one.key.split("/")[1]: one for one in storage.list()}
    with pytest.raises(DamagedFilm, match="far too large to be a film"):
        read_film(storage, "w1", {"film.gif": stored["w1"]})
    with pytest.raises(DamagedFilm, match="far too large to be a film"):
        make_poster(storage, film)
    with pytest.raises(DamagedFilm, match="far too large to be a film's record"):
        read_film(storage, "w2", {"walk.json": stored["w2"]})
