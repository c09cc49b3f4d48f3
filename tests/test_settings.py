"""Wrong settings are reported by the names of their variables, without a traceback."""

import sys
from pathlib import Path

import pytest

from momalisa.__main__ import BAD_INPUT, main
from momalisa.health.configuration import check_settings
from momalisa.health.finding import Level
from momalisa.settings import Settings, settings
from momalisa.worker.launch import launch_early


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
        ("MOMALISA_CACHE_GB", "1e308"),
        ("MOMALISA_LOG_MB", "1e308"),
        ("MOMALISA_LOG_FILES", "9" * 30),
        ("MOMALISA_HOME", "gs://bucket/prefix"),
        ("MOMALISA_LORAS", "~nobody-of-that-name/loras"),
        ("MOMALISA_DATABASE_URL", "history.db"),
        ("MOMALISA_DATABASE_URL", "mysql://host/history"),
        ("MOMALISA_DATABASE_URL", "sqlite://"),
        ("MOMALISA_DATABASE_URL", "sqlite:///:memory:"),
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


def test_a_number_of_more_digits_than_are_read_is_too_large(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = _tell_wrong_setting("MOMALISA_WALKS_TOTAL", "9" * 5000, monkeypatch, capsys)
    assert told.endswith("9” is too large.\n")


def test_the_app_ends_with_the_sentence_and_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOMALISA_CACHE_GB", "5GB")
    settings.cache_clear()
    with pytest.raises(SystemExit, match=r"^MOMALISA_CACHE_GB: “5GB” is no number"):
        launch_early(sys.argv[0])
    settings.cache_clear()


def test_a_blank_setting_is_none() -> None:
    """A blank folder was the working directory, as where a container's file sets `HOME=`."""
    assert Settings.model_validate(dict.fromkeys(Settings.model_fields, " ")) == Settings()
    assert Settings.model_validate({"home": " /srv/museum\n"}).home == Path("/srv/museum")


def test_a_home_folder_is_read_as_in_a_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder called “~” was made, and models in the right one were not found."""
    monkeypatch.setenv("HOME", "/home/ada")
    names = ("home", "store", "models", "loras")
    given = Settings.model_validate(dict.fromkeys(names, "~/museum"))
    assert {str(getattr(given, name)) for name in names} == {"/home/ada/museum"}


def test_a_file_of_settings_in_another_encoding_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".env").write_text("MOMALISA_WORKER=local", "utf-16")
    monkeypatch.setitem(Settings.model_config, "env_file", tmp_path / ".env")
    told = _tell_wrong_setting("MOMALISA_LOG", "text", monkeypatch, capsys)
    assert "UTF-8" in told


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


def test_lines_of_the_file_of_settings_that_have_no_effect_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / ".env"
    monkeypatch.setattr("momalisa.health.configuration.ENV_FILE", file)
    file.write_text("# notes\nMOMALISA_LOG=json\n\nMOMALISA_STORE: /films\n")
    [finding] = check_settings(Settings(home=Path("/srv/museum")))
    assert finding.level is Level.WRONG
    assert finding.sentence.endswith("Line: 4")
    file.unlink()
    file.mkdir()
    [finding] = check_settings(Settings(home=Path("/srv/museum")))
    assert "is a folder" in finding.sentence
