"""Downloads of the films found as a table."""

import asyncio
import logging
import os
import tracemalloc
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pandas as pd
import pytest
from starlette.applications import Starlette

from db import walks
from db.session import writing
from momalisa.errors import Cancelled
from momalisa.settings import settings
from momalisa.ui.gallery import table_export
from momalisa.ui.http import downloads, tables
from tests.support.asgi import get, request
from tests.support.pages import MakeWalk

APP = Starlette(routes=[tables.ROUTE, downloads.ROUTE])


def _table(kind: str, query: str = "") -> bytes:
    path, _, of = table_export.table_url(kind, query).partition("?")
    status, headers, body = get(path, of, APP)
    assert status == 200
    assert headers["content-disposition"] == f"attachment; filename*=UTF-8''films.{kind}"
    return body


def test_the_films_found_are_exported_as_a_table(add_film: MakeWalk) -> None:
    lora = {"name": "ink", "digest": "0" * 64, "weights": [0, 0.5]}
    one = add_film("a moon, full", "a sea", prompt_weights=True, loras=[lora])
    add_film("a mask", "a hill", pacing="ease")
    for table in (
        pd.read_csv(BytesIO(_table("csv", "by_pacing=linear"))),
        pd.read_json(BytesIO(_table("json", "by_pacing=linear"))),
    ):
        assert list(table["id"]) == [one.id]
        assert list(table["prompts"]) == ["a moon, full → a sea"]
        assert list(table["loras"]) == ["ink at 0, 0.5"]
        assert list(table["prompt_weights"]) == [True]


def test_tables_without_films_are_empty(add_film: MakeWalk) -> None:
    assert _table("csv").decode("utf-8-sig") == ""
    assert pd.read_json(BytesIO(_table("json"))).empty


@pytest.mark.parametrize("prompt", ["=1+1", "@moon", "- a moon", "'twas a moon", "a = moon"])
def test_formulas_in_prompts_are_escaped_in_csv(add_film: MakeWalk, prompt: str) -> None:
    add_film(prompt, "a sea")
    (told,) = pd.read_csv(BytesIO(_table("csv")))["prompts"]
    assert not told.startswith(("=", "@", "-"))
    assert told.removeprefix("'") == f"{prompt} → a sea"


def test_an_unknown_table_is_not_found_and_writes_one_line_into_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        for path in ("/pictures/films.xls", "/pictures/films.\nx", "/pictures/walks/a.\nb"):
            assert get(path, app=APP)[0] == 404
    assert not any("\n" in record.getMessage() for record in caplog.records)


def test_a_table_is_written_row_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two dozen tables of 50,000 films at a time took 1.4 GB in the web process."""
    rows = 5_000
    monkeypatch.setattr(
        walks, "export", lambda **_: ({"id": str(n), "notes": f"{n}" * 1_000} for n in range(rows))
    )
    for write in table_export.WRITERS.values():
        with Path(os.devnull).open("w", encoding="utf-8") as file:
            tracemalloc.start()
            write(file, {}, lambda: False)
            _now, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert peak < 1_000 * rows


def test_a_table_that_nobody_waits_for_is_given_up(add_film: MakeWalk) -> None:
    add_film()
    with pytest.raises(Cancelled):
        table_export.write_csv(StringIO(), {}, lambda: True)


def test_equal_tables_are_written_once_at_a_time(
    add_film: MakeWalk, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_film()
    calls = 0
    export = walks.export

    def counted(**filters: Any) -> Any:
        nonlocal calls
        calls += 1
        return export(**filters)

    monkeypatch.setattr(walks, "export", counted)
    of = urlencode({"of": ""})

    async def scene() -> list[Any]:
        asked = (request("/pictures/films.csv", of, app=APP, client="192.0.2.1") for _ in range(4))
        return await asyncio.gather(*asked)

    assert [status for status, _, _ in asyncio.run(scene())] == [200] * 4
    assert calls == 1


def test_too_many_tables_of_one_address_are_refused(
    add_film: MakeWalk, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_film()

    async def scene() -> list[Any]:
        asked = (
            request("/pictures/films.csv", f"of=q%3D{number}", app=APP, client="192.0.2.1")
            for number in range(downloads.WAITING_EACH + 3)
        )
        return await asyncio.gather(*asked)

    statuses = [status for status, _, _ in asyncio.run(scene())]
    assert statuses.count(429) == 3


def test_the_history_is_read_while_a_table_is_written(add_film: MakeWalk) -> None:
    add_film()
    with writing(settings().database):
        assert _table("csv")
