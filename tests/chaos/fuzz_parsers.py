"""Fuzzes the parsers of data from outside, guided by coverage (Atheris, libFuzzer for Python).

`python -m tests.chaos.fuzz_parsers RUNS PARSER ...` fuzzes some of them, one after another.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, NoReturn

from momalisa.settings import CHECKOUT

PARSERS = ("record", "upload", "gif", "request", "model", "address")
SECONDS, MEMORY_MB = 10, 1500
"""What one input may take; Atheris itself and the libraries need most of the memory."""
SPEC: dict[str, Any] = {"stops": [{"prompt": "a"}, {"prompt": "b", "seed": 7}], "frames": 2}
RECORD: dict[str, Any] = {
    "finished_at": "2026-11-26T12:00:00+00:00",
    "title": "a → b",
    "result": {
        "files": {"gif": "saved_predictions/a/b.gif"},
        "bytes": 1,
        "sha256": "0",
        "frames": 2,
    },
    "spec": SPEC,
}


def fuzz_all(count: int) -> str:
    """Fuzz every parser, with an equal share of the inputs; returns as `fuzz` does."""
    return fuzz(PARSERS, max(1, count // len(PARSERS)))


def fuzz(parsers: Sequence[str], runs: int) -> str:
    """Fuzz parsers; returns the report of what the first did not expect, or an empty text."""
    process = subprocess.run(
        [sys.executable, "-m", __name__, str(runs), *parsers],
        capture_output=True,
        cwd=CHECKOUT,
        check=False,
    )
    lines = process.stderr.decode(errors="replace").splitlines()
    return "\n".join(lines[-40:]) if process.returncode else ""


def parse_self_test(data: bytes) -> None:
    """Fail at an input that only coverage leads to."""
    if data[:1] == b"M" and data[1:2] == b"O":
        raise RuntimeError("found")


def parse_record(data: bytes) -> None:
    """Read a `walk.json` of a store."""
    from momalisa import records, stored_films
    from momalisa.storage import StoredFile

    key = "saved_predictions/a/walk.json"
    gif = "saved_predictions/a/b.gif"
    now = records.FIRST_MOMENT
    files = {
        "walk.json": StoredFile(key, len(data), now),
        "b.gif": StoredFile(gif, 1, now),
    }
    storage: Any = SimpleNamespace(get=lambda _key: data)
    try:
        stored_films.read_film(storage, "a", files)
    except stored_films.DamagedFilm as error:
        str(error).encode()


def parse_upload(data: bytes) -> None:
    """Read the settings in a file that a visitor dropped."""
    from momalisa.errors import BadInput
    from momalisa.film.embedded_spec import read_spec

    try:
        read_spec(data, "film").model_dump_json()
    except BadInput as error:
        str(error).encode()


def parse_gif(data: bytes) -> None:
    """Decode a GIF of another program."""
    from momalisa.errors import BadInput
    from momalisa.film import foreign_gif

    with TemporaryDirectory(prefix="momalisa-") as folder:
        path = Path(folder) / "film.gif"
        path.write_bytes(data)
        try:
            foreign_gif.decode_all(str(path))
        except BadInput as error:
            str(error).encode()


def parse_request(data: bytes) -> None:
    """Read a request for predictions."""
    from momalisa.cloud import request_format
    from momalisa.errors import BadInput
    from momalisa.models.cards import ATELIER

    try:
        request_format.parse_request(data, ATELIER)
    except BadInput as error:
        str(error).encode()


def parse_model(data: bytes) -> None:
    """Check a checkpoint's index and configurations."""
    from momalisa.errors import ModelBroken
    from momalisa.models import component_check, registry

    with TemporaryDirectory(prefix="momalisa-") as name:
        folder = Path(name)
        (folder / "unet").mkdir()
        (folder / "model_index.json").write_bytes(data)
        (folder / "unet" / "config.json").write_bytes(data)
        try:
            registry.find(str(folder))
            component_check.check_components(folder)
        except ModelBroken as error:
            str(error).encode()


def parse_address(data: bytes) -> None:
    """Read names, keys and addresses that come in URLs and forms."""
    from momalisa.cloud.endpoint import _check_address
    from momalisa.errors import BadInput, ModelBroken
    from momalisa.models import registry
    from momalisa.storage import check_key

    text = data.decode("utf-8", "surrogateescape")
    looks: list[Any] = [check_key, _check_address, registry.find, registry.find_for_visitor]
    for look in looks:
        try:
            look(text)
        except (BadInput, ModelBroken) as error:
            str(error)


def seeds(parser: str) -> Iterator[bytes]:
    """Valid inputs that the fuzzer begins with."""
    index = {
        "_class_name": "StableDiffusionPipeline",
        "unet": ["diffusers", "UNet2DConditionModel"],
    }
    walk = {"sample_key": ["a", "b"], "frames": 2}
    values: dict[str, list[dict[str, Any]]] = {
        "record": [RECORD, {k: v for k, v in RECORD.items() if k != "spec"}],
        "upload": [SPEC, {"spec": SPEC}],
        "request": [{"instances": [walk]}, {"instances": [SPEC], "parameters": {"steps": 2}}],
        "model": [index, {"sample_size": 64, "block_out_channels": [1, 2]}],
    }
    yield from (json.dumps(value).encode() for value in values.get(parser, ()))
    if parser in ("gif", "upload"):
        yield (CHECKOUT / "momalisa" / "ui" / "icon.png").read_bytes()[:4000]
        header = b"GIF89a\x08\0\x08\0\x80\0\0\0\0\0\xff\xff\xff!\xf9\4\0\x0a\0\0\0"
        yield header + b",\0\0\0\0\x08\0\x08\0\0\2\7\x84\x8f\xa9\xcb\xed\x0f\x63+\0;"
    if parser == "address":
        yield from (b"saved_predictions/a/b.gif", b"http://host:8080/predict", b"owner/name", b"~")


def main(runs: str, *parsers: str) -> None:
    """Fuzz parsers that many times each, until one raises what it must not: exit code 1."""
    import atheris

    # All are imported in this process: what the fuzzer watches takes seconds to import.
    with atheris.instrument_imports(include=["momalisa", "PIL", "json", "zipfile"]):
        for parser in parsers:
            _parse(parser, b"")
    for parser in parsers:
        child = os.fork()
        if child == 0:
            _fuzz_here(parser, runs)
        if os.waitpid(child, 0)[1]:
            sys.exit(f"the parser that failed: {parser}")


def _parse(parser: str, data: bytes) -> None:
    parse: Callable[[bytes], None] = globals()[f"parse_{parser}"]
    parse(data)


def _fuzz_here(parser: str, runs: str) -> NoReturn:
    """Fuzz a parser, then exit; an uncaught exception ends the process with a report."""
    import atheris

    with TemporaryDirectory() as corpus:
        for number, seed in enumerate(seeds(parser)):
            (Path(corpus) / str(number)).write_bytes(seed)
        options = [f"-runs={runs}", f"-timeout={SECONDS}", f"-rss_limit_mb={MEMORY_MB}"]
        # What it finds is told in the report; no files are left in the working directory.
        options += ["-max_len=4096", f"-artifact_prefix={corpus}/", "-seed=7", "-verbosity=1"]
        parse = atheris.instrument_func(globals()[f"parse_{parser}"])
        atheris.Setup([sys.argv[0], *options, corpus], parse)
        atheris.Fuzz()
    raise AssertionError("the fuzzer ends its process")


if __name__ == "__main__":
    main(*sys.argv[1:])
