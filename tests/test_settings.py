"""Wrong settings are reported by the names of their variables, without a traceback."""

import pytest

from momalisa.__main__ import BAD_INPUT, main
from momalisa.settings import Settings, settings


def _tell_wrong_setting(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> str:
    """What the command line says of a setting that it refuses."""
    monkeypatch.setenv(name, value)
    settings.cache_clear()
    try:
        assert main(["models"]) == BAD_INPUT
    finally:
        settings.cache_clear()
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MOMALISA_CACHE_GB", "5GB"),
        ("MOMALISA_WORKER", "nobody"),
        ("MOMALISA_VISITORS", "everybody"),
        ("MOMALISA_EMBEDDERS", "https://site.example; script-src *"),
        ("MOMALISA_HOSTS", "http://gallery.example/"),
        ("MOMALISA_HOSTS", "gallery.example:8501"),
        ("MOMALISA_HOSTS", "gallery.example, *"),
        ("MOMALISA_HOSTS", "gallery.*.example"),
        ("MOMALISA_DATABASE_URL", "history.db"),
        ("MOMALISA_STORE", "s3://bucket/prefix"),
        ("MOMALISA_STORE", "gs:/bucket"),
        ("MOMALISA_CACHE_GB", "inf"),
        ("MOMALISA_LOG_MB", "inf"),
        ("MOMALISA_LARGEST_WALK", "nan"),
        ("MOMALISA_STILLS", "many"),
        ("MOMALISA_STILLS", "-1"),
        ("HF_ENDPOINT", "http://[::1"),
        ("HF_ENDPOINT", "http://hub:99999"),
    ],
)
def test_wrong_setting_is_named(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = _tell_wrong_setting(name, value, monkeypatch, capsys)
    assert told.startswith(f"{name}: “{value}”")
    assert "Value error" not in told
    assert "Input should" not in told


def test_host_names_are_read_with_spaces_and_in_any_case() -> None:
    names = Settings(hosts="Gallery.example., *.app.example,museum, 10.0.0.7").host_names
    assert names == ("gallery.example", "*.app.example", "museum", "10.0.0.7")


@pytest.mark.parametrize("url", ["postgresql://ada:secret@host:port/history", "ada:secret@host"])
def test_an_address_of_the_history_that_cannot_be_read_is_told_without_its_password(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = _tell_wrong_setting("MOMALISA_DATABASE_URL", url, monkeypatch, capsys)
    assert told.startswith("MOMALISA_DATABASE_URL")
    assert "secret" not in told


def test_short_address_of_postgresql_is_understood() -> None:
    given = Settings(database_url="postgres://museum@host/history")
    assert given.database == "postgresql://museum@host/history"
