"""Checks of doctor: settings that contradict each other, or that cannot be what was meant."""

import os
import re
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import parse_stream

from momalisa.health.finding import Finding, note, ok, wrong
from momalisa.settings import ENV_FILE, Settings, split_list

PREFIX = "MOMALISA_"
OTHER_VARIABLES = {"MOMALISA_SUPERVISED", "MOMALISA_ANSWER_MB"}
"""Variables of the worker and of the container, which are no settings of the app."""
DEVICE = re.compile(r"cpu|mps|cuda(:[0-9]+)?")
ENDPOINT = re.compile(r"https?://[^/\s]+/\S*|projects/[\w-]+/locations/[\w-]+/endpoints/[\w-]+")
ADMIN = re.compile(r"[^|\s]+\|[^|\s]+|[^@|\s]+@[^@|\s]+")
"""An account, or an e-mail address."""


def check_settings(settings: Settings) -> list[Finding]:
    """Settings that contradict each other, or that cannot be what was meant."""
    checks: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
        _check_folders,
        _check_device,
        _check_endpoint,
        _check_admins,
        _check_names,
        _check_file,
    )
    findings = [finding for check in checks for finding in check(settings)]
    return findings or ok("settings", "The settings agree with each other.")


def _check_folders(settings: Settings) -> Iterator[Finding]:
    local_store = "://" not in settings.store_root
    if settings.database.startswith("postgresql") and local_store:
        yield from note(
            "settings",
            f"The history is on a server, and films are in a folder of this machine "
            f"({settings.store_root}).",
            "With workers on more machines than one, set MOMALISA_STORE to a bucket, or to a "
            "folder that all of them share.",
        )
    for name, folder in (("HOME", str(settings.home)), ("STORE", settings.store)):
        if folder and "://" not in folder and not Path(folder).expanduser().is_absolute():
            yield from note(
                "settings",
                f"{PREFIX}{name} is “{folder}”: another folder from each working directory.",
                "Write it from the root, such as /srv/momalisa.",
            )
    if settings.models is not None and not settings.models.expanduser().is_dir():
        yield from note(
            "settings",
            f"MOMALISA_MODELS is “{settings.models}”, and there is no such folder.",
            "Correct it, or make the folder; until then visitors choose among the known models.",
        )


def _check_device(settings: Settings) -> Iterator[Finding]:
    if settings.device and not DEVICE.fullmatch(settings.device):
        yield from wrong(
            "settings",
            f"MOMALISA_DEVICE is “{settings.device}”, which is no device.",
            "It is cpu, mps, cuda, or cuda:1 for the second card; without it, the best there is.",
        )
    if settings.endpoint and settings.device:
        yield from note(
            "settings",
            "MOMALISA_DEVICE has no effect on walks that MOMALISA_ENDPOINT makes.",
            "Leave one of them out, if that is a surprise.",
        )


def _check_endpoint(settings: Settings) -> Iterator[Finding]:
    if settings.endpoint and not ENDPOINT.fullmatch(settings.endpoint):
        yield from wrong(
            "settings",
            f"MOMALISA_ENDPOINT is “{settings.endpoint}”, which is no address of an endpoint.",
            "It is http(s)://host:port/predict of a container, or "
            "projects/…/locations/…/endpoints/….",
        )


def _check_admins(settings: Settings) -> Iterator[Finding]:
    odd = [entry for entry in split_list(settings.admins) if not ADMIN.fullmatch(entry)]
    if odd:
        yield from note(
            "settings",
            f"MOMALISA_ADMINS has entries that can be nobody's: {', '.join(odd)}",
            "An entry is issuer|subject (the page “Signed in” shows your own), or an e-mail "
            "address.",
        )


def _check_names(_settings: Settings) -> Iterator[Finding]:
    """Variables that look like settings and are none."""
    known = {f"{PREFIX}{name}".upper() for name in Settings.model_fields}
    given = {*os.environ, *dotenv_values(ENV_FILE)}
    for name in sorted(given):
        if name.upper().startswith(PREFIX) and name.upper() not in known | OTHER_VARIABLES:
            close = get_close_matches(name.upper(), known, n=1)
            meant = f"Is {close[0]} meant?" if close else "See the table of settings in README.md."
            yield from note("settings", f"{name} is no setting, and has no effect.", meant)


def _check_file(_settings: Settings) -> Iterator[Finding]:
    """Lines of the file of settings that are passed over, as after a quote that is not closed."""
    if ENV_FILE.is_dir():
        yield from wrong(
            "settings",
            f"{ENV_FILE} is a folder, and has no effect.",
            "Make it a file, as before a container is started with it.",
        )
    if not ENV_FILE.is_file():
        return
    with ENV_FILE.open(encoding="utf-8") as file:
        wrong_ones = [one.original for one in parse_stream(file) if one.error]
    # Each begins with the blank lines before it.
    lines = [str(one.line + len(one.string) - len(one.string.lstrip("\n"))) for one in wrong_ones]
    if lines:
        yield from wrong(
            "settings",
            f"{ENV_FILE} has settings that cannot be read, and have no effect. Line: "
            f"{', '.join(lines)}",
            "A line is such as MOMALISA_MODEL=atelier, and a quote that is opened is closed.",
        )
