"""`python -m momalisa doctor` says what is wrong, what to do, and fails."""

import json
import shutil
import subprocess
import sys
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from db import queue, worker_registry
from db.clock import utc_now
from db.error_messages import NoFolder
from db.models import Deletion, Walk, WorkerHeartbeat
from db.session import get_engine, writing
from momalisa.__main__ import main
from momalisa.commands.doctor import CHECKS, run_checks
from momalisa.health import films, machine, readiness
from momalisa.health.configuration import check_settings
from momalisa.health.finding import Finding, Level
from momalisa.models.cards import ATELIER
from momalisa.settings import CHECKOUT, Settings
from momalisa.storage import film_key, open_storage
from tests.golden.make_home import HOME
from tests.support.walks import claim_walk, enqueue_walk, lease_of


def diagnose(settings: Settings, name: str) -> list[Finding]:
    """What one check finds besides what is well."""
    findings = run_checks({name: CHECKS[name]}, settings, 60)
    assert all(finding.remedy for finding in findings if finding.level is not Level.OK)
    return [finding for finding in findings if finding.level is not Level.OK]


def told(findings: list[Finding], level: Level) -> str:
    return "\n".join(finding.sentence for finding in findings if finding.level is level)


@pytest.fixture
def worker(settings: Settings) -> None:
    """A worker that is alive."""
    with writing(settings.database) as session:
        worker_registry.record_heartbeat(session=session, name="w", pid=1, host="h")


def make_film(settings: Settings) -> Walk:
    """A done walk whose film is in the store."""
    enqueue_walk(settings.database)
    walk = claim_walk(settings.database)
    assert walk is not None
    key = film_key(walk.id, "film.gif")
    open_storage(settings.store_root).put(key, b"film", "image/gif")
    with writing(settings.database) as session:
        queue.finish(session=session, **lease_of(walk), result={"files": {"gif": key}})
    return walk


@pytest.mark.usefixtures("worker")
def test_an_app_that_works_has_no_fault(settings: Settings) -> None:
    make_film(settings)
    levels = {finding.level for finding in run_checks(CHECKS, settings, 60)}
    assert Level.WRONG not in levels


def test_the_command_tells_faults_in_sentences_and_as_json(tmp_path: Path) -> None:
    environment = {"MOMALISA_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-m", "momalisa", "doctor"]
    (tmp_path / "momalisa.db").write_bytes(b"no database" * 1000)
    told = subprocess.run(
        command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False
    )
    assert told.returncode == 1
    assert "WRONG  history" in told.stdout
    assert told.stderr == ""
    answer = subprocess.run(
        [*command, "--json", "--port", "1"],
        cwd=CHECKOUT,
        env=environment,
        capture_output=True,
        check=False,
    )
    assert answer.returncode == 1
    assert b"http://localhost:1/healthz" in answer.stdout
    findings = json.loads(answer.stdout)
    assert {finding["check"] for finding in findings} >= {"history", "disk", "model", "exposure"}


def test_a_wrong_setting_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from momalisa.settings import settings as read_settings

    monkeypatch.setenv("MOMALISA_CACHE_GB", "many")
    read_settings.cache_clear()
    try:
        assert main(["doctor"]) != 0
    finally:
        read_settings.cache_clear()
    assert "MOMALISA_CACHE_GB" in capsys.readouterr().err


def test_nothing_is_made_where_there_is_nothing_yet(tmp_path: Path) -> None:
    home = tmp_path / "home"
    run_checks(CHECKS, Settings(home=home), 60)
    assert not home.exists()


def test_a_home_of_an_earlier_release_is_told_and_left_as_it_is(tmp_path: Path) -> None:
    with zipfile.ZipFile(HOME) as packed:
        packed.extractall(tmp_path)
    current = Settings(home=tmp_path, store="", database_url="", endpoint="")
    revision = read_revision(current)
    found = run_checks(CHECKS, current, 60)
    assert not [finding for finding in found if "Error" in finding.sentence]
    assert "of an earlier version" in told(found, Level.NOTE)
    assert "is seen after the upgrade" in told(found, Level.OK)
    assert read_revision(current) == revision
    get_engine(current.database).dispose()


def read_revision(current: Settings) -> object:
    with get_engine(current.database).connect() as connection:
        return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()


def test_a_home_that_is_a_file_or_below_one_is_a_fault(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"")
    for home, words in ((file, "is a file"), (file / "home", "cannot be made")):
        current = Settings(home=home)
        assert words in told(diagnose(current, "home"), Level.WRONG)
        (outbox,) = diagnose(current, "outbox")
        assert "is not a folder" in outbox.sentence
        assert "fault of the program" not in outbox.remedy
        with pytest.raises(NoFolder, match="MOMALISA_HOME"), writing(current.database):
            pass


def test_no_worker_is_a_fault(settings: Settings) -> None:
    assert "No worker is alive" in told(diagnose(settings, "history"), Level.WRONG)


@pytest.mark.usefixtures("worker")
def test_faults_of_workers_and_walks_are_told_with_their_reasons(settings: Settings) -> None:
    enqueue_walk(settings.database)
    walk = claim_walk(settings.database)
    assert walk is not None
    with writing(settings.database) as session:
        queue.fail(session=session, **lease_of(walk), error="The card is full.")
        session.execute(update(WorkerHeartbeat).values(failures=2, problem="The card is hot."))
        worker_registry.record_heartbeat(session=session, name="gone", pid=2, host="far")
        session.flush()
        gone = update(WorkerHeartbeat).where(WorkerHeartbeat.name == "gone")
        session.execute(gone.values(seen_at=utc_now() - timedelta(hours=1)))
    notes = told(diagnose(settings, "history"), Level.NOTE)
    assert f"1 walk failed in the last week (such as {walk.accession}): The card is full." in notes
    assert "2 faults in a row: The card is hot." in notes
    with writing(settings.database) as session:
        session.execute(update(WorkerHeartbeat).values(problem=""))
    assert "2 faults in a row." in told(diagnose(settings, "history"), Level.NOTE)
    assert "Worker gone has been silent for 60 min." in notes


@pytest.mark.usefixtures("worker")
def test_films_and_deletions_that_wait_long_are_faults(settings: Settings) -> None:
    long_ago = utc_now() - timedelta(hours=5)
    make_film(settings)
    with writing(settings.database) as session:
        session.execute(update(Walk).values(waiting=True, finished_at=long_ago))
        session.add(Deletion(walk_id="a", accession="", deleted_at=long_ago))
    faults = told(diagnose(settings, "history"), Level.WRONG)
    assert "1 film waits to reach the storage, the oldest for 5 h." in faults
    assert "1 deletion waits for the storage, the oldest for 5 h." in faults


@pytest.mark.usefixtures("worker")
def test_a_history_that_cannot_be_written_is_a_fault(settings: Settings) -> None:
    with get_engine(settings.database).begin() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER refuse BEFORE INSERT ON accessions "
            "BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
        )
    assert told(diagnose(settings, "history"), Level.WRONG)


def test_a_history_on_a_network_disk_is_a_fault(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(films, "find_network_file_system", lambda _path: "nfs4")
    assert "network disk (nfs4)" in told(diagnose(settings, "history"), Level.WRONG)


def test_clocks_that_differ_are_told(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.setattr("db.status.utc_now", lambda: utc_now() - timedelta(seconds=10))
    assert "differ by 10 s" in told(diagnose(settings, "history"), Level.NOTE)
    monkeypatch.setattr("db.status.utc_now", lambda: utc_now() - timedelta(hours=2))
    assert "differ by 7200 s" in told(diagnose(settings, "history"), Level.WRONG)


def test_a_store_without_the_newest_films_is_the_wrong_one(settings: Settings) -> None:
    make_film(settings)
    assert diagnose(settings, "store") == []
    shutil.rmtree(settings.store_root)
    assert "is gone" in told(diagnose(settings, "store"), Level.WRONG)
    Path(settings.store_root).mkdir()
    assert "Of the 1 newest film none is in" in told(diagnose(settings, "store"), Level.WRONG)
    assert list(Path(settings.store_root).iterdir()) == []


def test_one_missing_film_among_others_is_a_fault(settings: Settings) -> None:
    make_film(settings)
    lost = make_film(settings)
    open_storage(settings.store_root).delete(film_key(lost.id, "film.gif"))
    [finding] = diagnose(settings, "store")
    assert "1 are not in" in finding.sentence
    assert "momalisa sync" in finding.remedy


def test_a_full_disk_is_a_fault(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "ROOM_BYTES", 10**18)
    assert "A disk is full" in told(diagnose(settings, "disk"), Level.WRONG)


def test_a_model_that_is_not_whole_is_a_fault(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(ATELIER.source, folder)
    current = Settings(home=settings.home, model=str(folder))
    assert diagnose(current, "model") == []
    weights = max(folder.rglob("*.safetensors"), key=lambda path: path.stat().st_size)
    weights.write_bytes(weights.read_bytes()[:-100])
    assert "damaged or not whole" in told(diagnose(current, "model"), Level.WRONG)
    weights.unlink()
    assert "lacks the weights of its unet" in told(diagnose(current, "model"), Level.WRONG)
    missing = Settings(home=settings.home, model="no/such")
    assert diagnose(missing, "model")[0].level is Level.WRONG


def test_a_device_that_is_not_there_is_a_fault(settings: Settings) -> None:
    """A worker that could not start its graphics card was all that told of it."""
    asked_for = settings.model_copy(update={"device": "cuda:99"})
    (finding,) = diagnose(asked_for, "device")
    assert finding.level is Level.WRONG
    assert "cuda:99" in finding.sentence
    assert "nvidia-smi" in finding.remedy
    assert diagnose(settings, "device") == []


def test_a_graphics_card_that_has_gone_is_a_fault(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("momalisa.models.device.best_device", lambda: "cpu")
    (settings.home / "last-device").write_text("cuda")
    assert "(cuda) is gone" in told(diagnose(settings, "device"), Level.WRONG)
    elsewhere = settings.model_copy(update={"endpoint": "http://painter:8080"})
    assert diagnose(elsewhere, "device") == []


def test_the_age_of_the_last_backup_is_told(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("momalisa.__main__.settings", lambda: settings)
    assert "No backup" in told(diagnose(settings, "backup"), Level.NOTE)
    assert main(["backup", str(tmp_path / "backup.db")]) == 0
    assert diagnose(settings, "backup") == []
    monkeypatch.setattr(machine, "BACKUP_DAYS", -1)
    assert "The last backup is" in told(diagnose(settings, "backup"), Level.NOTE)


def test_settings_that_contradict_are_told(tmp_path: Path) -> None:
    current = Settings(home=tmp_path, database_url="postgresql://h/d", endpoint="e", device="cpu")
    notes = told(diagnose(current, "settings"), Level.NOTE)
    assert "films are in a folder of this machine" in notes
    assert "MOMALISA_DEVICE has no effect" in notes


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("store", "films", "MOMALISA_STORE is “films”: another folder from each working directory"),
        ("home", "data", "MOMALISA_HOME is “data”: another folder"),
        ("models", "/no/such", "there is no such folder"),
        ("admins", "a@b.example, issuer|subject, anna", "can be nobody's: anna"),
        ("device", "gpu", "“gpu”, which is no device"),
        ("device", "cuda:x", "“cuda:x”, which is no device"),
        ("endpoint", "my-endpoint", "which is no address of an endpoint"),
        ("endpoint", "http://painter:8080", "which is no address of an endpoint"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_told(name: str, value: str, words: str) -> None:
    findings = check_settings(Settings.model_validate({"home": "/srv/museum", name: value}))
    assert words in "\n".join(finding.sentence for finding in findings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("device", "cuda:1"),
        ("endpoint", "http://painter:8080/predict"),
        ("endpoint", "projects/p/locations/l/endpoints/1"),
        ("admins", "a@b.example, https://issuer.example|subject"),
        ("store", "gs://bucket/prefix"),
    ],
)
def test_a_setting_that_can_be_meant_is_not(name: str, value: str) -> None:
    [finding] = check_settings(Settings.model_validate({"home": "/srv/museum", name: value}))
    assert finding.level is Level.OK


def test_a_variable_that_is_no_setting_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOMALISA_VISITOR", "view")
    [finding] = check_settings(Settings(home=Path("/srv/museum")))
    assert "MOMALISA_VISITOR is no setting" in finding.sentence
    assert finding.remedy == "Is MOMALISA_VISITORS meant?"


def test_a_check_that_fails_or_hangs_is_a_finding(settings: Settings) -> None:
    from threading import Event

    release = Event()

    def hang(_settings: Settings) -> list[Finding]:
        release.wait(20)
        return []

    def fail(_settings: Settings) -> list[Finding]:
        raise KeyError("x")

    try:
        findings = run_checks({"hung": hang, "broken": fail}, settings, 0.2)
    finally:
        release.set()
    assert [finding.level for finding in findings] == [Level.WRONG, Level.WRONG]


@pytest.mark.parametrize(("kind", "is_wrong"), [("nfs4", True), ("9p", False), ("ext4", False)])
def test_it_calls_those_disks_wrong_that_the_app_refuses(
    kind: str, is_wrong: bool, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = settings.home / "mountinfo"
    table.write_text(f"1 0 0:1 / / rw - {kind} x rw\n")
    monkeypatch.setattr("db.file_system._MOUNTS", table)
    assert ("network disk" in told(diagnose(settings, "history"), Level.WRONG)) is is_wrong
