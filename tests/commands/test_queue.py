"""`python -m momalisa queue`: list, retry and cancel."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from db import queue, worker_registry
from db.clock import utc_now
from db.models import State, Walk
from db.session import get_engine, writing
from momalisa.__main__ import BAD_INPUT, DONE, FAILED, main
from momalisa.settings import Settings
from tests.support.walks import claim_walk, enqueue_walk, lease_of, read_walk


@pytest.fixture(autouse=True)
def url(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> str:
    """The database that the commands use."""
    monkeypatch.setattr("momalisa.commands.queue.settings", lambda: settings)
    return settings.database


def fail_next(url: str) -> Walk:
    walk = claim_walk(url)
    assert walk is not None
    with writing(url) as session:
        assert queue.fail(session=session, **lease_of(walk), error="No memory.")
    return walk


def listed(capsys: pytest.CaptureFixture[str], *options: str) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert main(["queue", "list", "--json", *options]) == DONE
    rows: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return rows


def test_the_list_says_who_waits_and_why(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    first, second, third = (enqueue_walk(url, maker=f"{n}" * 32) for n in "abc")
    assert {row["why"] for row in listed(capsys)} == {"no worker is alive"}
    with writing(url) as session:
        worker_registry.record_heartbeat(session=session, name="w", pid=1, host="h")
    claim_walk(url)
    with writing(url) as session:
        session.execute(
            update(Walk)
            .where(Walk.id == third.id)
            .values(
                not_before=utc_now() + timedelta(hours=1),
                troubles=[{"reason": "The card is gone."}],
            )
        )
        session.execute(
            update(Walk).where(Walk.id == first.id).values(progress=[[0, "k"], [1, "k", "rough"]])
        )
    rows = listed(capsys)
    assert [row["number"] for row in rows] == [w.accession for w in (first, second, third)]
    assert rows[0]["state"] == "running"
    assert rows[0]["frames"] == f"1/{first.frames_total}"
    assert rows[0]["tries"] == 1
    assert rows[1]["why"] == "next"
    assert rows[2]["why"] == "tried again in 60 min: The card is gone."
    assert {len(row["maker"]) for row in rows} == {8}
    assert main(["queue", "list"]) == DONE
    assert first.accession in capsys.readouterr().out


def test_a_title_sends_no_commands_to_the_terminal(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    enqueue_walk(url, title="red \x1b]0;owned\x07\nblue")
    assert main(["queue", "list"]) == DONE
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert len(shown.splitlines()) == 2


def test_failed_walks_are_listed_and_tried_again_by_number(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    enqueue_walk(url)
    walk = fail_next(url)
    [row] = listed(capsys, "--failed")
    assert row["why"] == "No memory."
    assert main(["queue", "retry", walk.accession.lower()]) == DONE
    assert read_walk(url, walk).state is State.QUEUED


def test_all_failed_walks_are_tried_again_but_no_cancelled_ones(url: str) -> None:
    enqueue_walk(url), enqueue_walk(url)
    failed = [fail_next(url), fail_next(url)]
    cancelled = enqueue_walk(url)
    assert main(["queue", "cancel", cancelled.id]) == DONE
    assert main(["queue", "retry", "--all-failed"]) == DONE
    assert {read_walk(url, walk).state for walk in failed} == {State.QUEUED}
    assert read_walk(url, cancelled).state is State.CANCELLED


def test_a_makers_walks_are_cancelled_and_a_running_one_is_asked_to_stop(url: str) -> None:
    running, queued, other = (enqueue_walk(url, maker=maker) for maker in ("aa1", "aa2", "b"))
    claim_walk(url)
    assert main(["queue", "cancel", "--maker", "aa"]) == DONE
    assert read_walk(url, running).cancel_requested
    assert read_walk(url, queued).state is State.CANCELLED
    assert read_walk(url, other).state is State.QUEUED


def test_what_cannot_be_done_is_said_and_fails(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    walk = enqueue_walk(url)
    assert main(["queue", "retry", walk.accession]) == FAILED
    assert "is queued" in capsys.readouterr().err
    assert main(["queue", "cancel", "ML.1999.0001", walk.accession]) == FAILED
    assert "there is no such walk" in capsys.readouterr().err
    assert read_walk(url, walk).state is State.CANCELLED
    assert main(["queue", "retry"]) == BAD_INPUT


@pytest.mark.parametrize("limit", ["0", "-1"])
def test_a_list_of_less_than_one_walk_is_refused_with_a_sentence(
    url: str, capsys: pytest.CaptureFixture[str], limit: str
) -> None:
    enqueue_walk(url)
    assert main(["queue", "list", "--limit", limit]) == BAD_INPUT
    said = capsys.readouterr()
    assert (said.out, "--limit is 1 or more" in said.err) == ("", True)


@pytest.mark.parametrize("arguments", [["queue"], ["queue", "list", "--limit", "many"]])
def test_wrong_options_are_bad_input(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as error:
        main(arguments)
    assert error.value.code == BAD_INPUT


@pytest.mark.parametrize("action", [["list"], ["retry", "--all-failed"], ["cancel", "--all"]])
def test_an_old_history_is_not_brought_up_to_date(
    url: str, capsys: pytest.CaptureFixture[str], action: list[str]
) -> None:
    with get_engine(url).begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0003'")
    assert main(["queue", *action]) == FAILED
    told = capsys.readouterr().err
    assert "of an earlier version" in told
    assert "backup" in told
    with get_engine(url).connect() as connection:
        found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    assert found == "0003"


def test_no_history_is_made_to_list_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    current = Settings(home=tmp_path / "home")
    monkeypatch.setattr("momalisa.commands.queue.settings", lambda: current)
    assert main(["queue", "list"]) == BAD_INPUT
    assert "There is no history" in capsys.readouterr().err
    assert not current.home.exists()
