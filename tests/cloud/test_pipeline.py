"""The pipeline, run by Kubeflow's local runner with a bucket in an emulator; batch files."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from momalisa.cloud.batch_file import read_walks
from momalisa.engine.frame_cache import FrameCache
from momalisa.errors import BadInput, MomaLisaError
from momalisa.models.cards import ATELIER
from momalisa.settings import CHECKOUT, Settings, settings
from momalisa.spec import WalkSpec
from momalisa.storage import GCSStorage
from tests.support.storage_emulator import running_emulator

COLOURS = ("red", "blue", "green", "yellow", "black")
SHAPES = ("square", "circle", "star", "moon")
TITLES = [f"a {colour} {shape}" for colour in COLOURS for shape in SHAPES]
SMALL_FIELDS = "3,2,64"


def write_batch_file(path: Path, *, first_model: str = "", walks: int = len(TITLES)) -> Path:
    """Write a CSV file of small walks, as a rule twenty; the first has the model `first_model`."""
    lines = [f"{title} | a stormy sea,{SMALL_FIELDS}," for title in TITLES[:walks]]
    path.write_text(
        "\n".join(["prompts,frames,steps,size,model", lines[0] + first_model, *lines[1:]])
    )
    return path


@pytest.fixture(scope="module")
def bucket() -> Iterator[tuple[str, GCSStorage]]:
    """The URL of an emulator, and a storage in it."""
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import storage  # type: ignore[import-untyped,unused-ignore,attr-defined]

    with running_emulator() as place:
        address = f"http://{place}"
        client = storage.Client(
            "test",
            AnonymousCredentials(),  # type: ignore[no-untyped-call]
            client_options={"api_endpoint": address},
        )
        client.create_bucket("films")
        yield address, GCSStorage("films", "museum", client)
        client.close()


def run(walks: Path, home: Path, address: str, *options: str) -> "subprocess.CompletedProcess[str]":
    """Run the command in a subprocess."""
    command = [sys.executable, "-m", "momalisa.cloud", "run-locally", str(walks)]
    settings = {"MOMALISA_HOME": str(home), "STORAGE_EMULATOR_HOST": address}
    return subprocess.run(
        [*command, "--store", "gs://films/museum", *options],
        cwd=CHECKOUT,
        env=os.environ | settings | {"GOOGLE_CLOUD_PROJECT": "test"},
        capture_output=True,
        text=True,
        check=False,
    )


def read_records(store: GCSStorage) -> dict[str, dict[str, Any]]:
    """The stored records by title."""
    keys = [stored.key for stored in store.list() if stored.key.endswith(".json")]
    return {record["title"]: record for key in keys for record in [json.loads(store.get(key))]}


def test_failed_walk_leaves_the_others_and_is_rendered_by_a_second_run(
    bucket: tuple[str, GCSStorage], tmp_path: Path
) -> None:
    address, store = bucket
    walks = write_batch_file(tmp_path / "walks.csv", first_model="sd-1.5", walks=4)
    broken = run(walks, tmp_path, address, "--a-task", "2")
    assert broken.returncode == 1, broken.stderr
    assert "3 films of 4 walks." in broken.stdout
    assert "a red square → a stormy sea: FAILED. The model “sd-1.5” is not on" in broken.stdout
    three = {stored.key: stored.updated for stored in store.list()}
    assert len(read_records(store)) == 3

    elsewhere = tmp_path / "another machine"
    complete = run(write_batch_file(walks, walks=4), elsewhere, address)
    assert complete.returncode == 0, complete.stderr
    assert "4 films of 4 walks." in complete.stdout
    four = {stored.key: stored.updated for stored in store.list()}
    rendered = list(elsewhere.rglob("painted.json"))
    # Existing films are unchanged, and only the missing walk was rendered.
    assert three.items() <= four.items()
    assert (len(read_records(store)), len(rendered)) == (4, 1)
    _assert_in_gallery(store, tmp_path)
    _assert_same_as_local_film(read_records(store), tmp_path)


def _assert_in_gallery(store: GCSStorage, home: Path) -> None:
    from db import walks
    from db.session import get_engine, migrate, reading
    from momalisa.storage.outbox import open_outbox
    from momalisa.sync import sync

    settings = Settings(home=home)
    migrate(settings.database)
    report = sync(store, settings.database, open_outbox(settings))
    assert (len(report.taken_in), report.agree) == (4, True)
    with reading(settings.database) as session:
        existing_ids = walks.find_existing_ids(session=session, ids=report.taken_in)
    get_engine(settings.database).dispose()
    assert len(existing_ids) == 4


def _assert_same_as_local_film(records: dict[str, dict[str, Any]], home: Path) -> None:
    """Compare a film and its frames with those that this process renders."""
    from momalisa.cloud.frame_transfer import decode_png
    from momalisa.models.registry import load
    from momalisa.render import render, render_frames
    from momalisa.storage import LocalStorage

    spec, *_ = read_walks(home / "walks.csv")
    runner, cache = load("atelier", "cpu"), FrameCache(home / "local frames")
    storage = LocalStorage(home / "local")
    result = render(spec, walk_id="own", runner=runner, cache=cache, storage=storage).result
    assert records[spec.title()]["result"]["sha256"] == result.sha256
    (folder,) = (home / "another machine").rglob("painted.json")
    frames = [decode_png(path.read_bytes()) for path in sorted(folder.parent.glob("frame-*.png"))]
    np.testing.assert_array_equal(frames, render_frames(spec, runner, cache).frames)


def test_pipeline_compiles_to_yaml_for_a_gpu(tmp_path: Path) -> None:
    import yaml  # type: ignore[import-untyped,unused-ignore]

    from momalisa.cloud.pipeline import compile_pipeline

    compile_pipeline(
        tmp_path / "pipeline.yaml", "region-docker.pkg.dev/p/r/momalisa:1", "NVIDIA_L4"
    )
    compiled, *_ = yaml.safe_load_all((tmp_path / "pipeline.yaml").read_text())
    executors = compiled["deploymentSpec"]["executors"]
    assert {name.removeprefix("exec-") for name in executors} == {
        "predict",
        "postprocess",
        "report",
    }
    predict = executors["exec-predict"]["container"]
    assert predict["image"] == "region-docker.pkg.dev/p/r/momalisa:1"
    assert predict["resources"]["accelerator"]["resourceType"] == "NVIDIA_L4"


def test_submit_sends_the_pipeline_and_the_walks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import aiplatform

    from momalisa.cloud.__main__ import main

    submitted: list[Any] = []

    def submit(job: Any, **options: Any) -> None:
        submitted.append((job.to_dict(), options))
        job._gca_resource.name = "projects/p/locations/r/pipelineJobs/1"

    monkeypatch.setattr(aiplatform.PipelineJob, "submit", submit)
    aiplatform.init(credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]
    buckets = ["--store", "gs://films/museum", "--root", "gs://films/pipeline"]
    flags = ["--project", "p", "--region", "us-central1", "--image", "i", *buckets]
    walks = str(write_batch_file(tmp_path / "walks.csv"))
    assert main(["submit", walks, *flags]) == 0
    ((job, options),) = submitted
    config = job["runtimeConfig"]
    batches = config["parameterValues"]["batches"]
    assert [len(json.loads(batch)) for batch in batches] == [10, 10]
    assert config["failurePolicy"] == "PIPELINE_FAILURE_POLICY_FAIL_SLOW"
    assert options == {"service_account": None}


@pytest.mark.parametrize("option", ["--store", "--root"])
def test_submit_requires_buckets(
    tmp_path: Path, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from momalisa.cloud.__main__ import main

    places = {"--store": "gs://films", "--root": "gs://films"} | {option: str(tmp_path)}
    flags = [word for pair in places.items() for word in pair]
    walks = str(write_batch_file(tmp_path / "walks.csv"))
    assert main(["submit", walks, "--project", "p", "--image", "i", *flags]) == 2
    assert option in capsys.readouterr().err


def test_failed_task_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from momalisa.cloud import pipeline

    monkeypatch.setattr(pipeline, "make_pipeline", lambda *_, **__: _fail)
    with pytest.raises(MomaLisaError, match="Not every walk"):
        pipeline.run_locally(
            read_walks(write_batch_file(tmp_path / "walks.csv")), "store", tmp_path
        )


def _fail(**_: object) -> None:
    raise RuntimeError("a step failed")


def test_csv_gives_specs(tmp_path: Path) -> None:
    path = tmp_path / "walks.csv"
    path.write_text(
        "\ufeffprompts,seeds,frames,pacing,size\n"
        '"a dog, asleep | a cat | a moon",7|9|7,5,ease,\n'
        "a | b,,,,512\n",
        encoding="utf-8",
    )
    first, second = read_walks(path)
    assert [(stop.prompt, stop.seed) for stop in first.stops] == [
        *(("a dog, asleep", 7), ("a cat", 9), ("a moon", 7))
    ]
    assert (first.frames, first.pacing, first.size) == (5, "ease", 256)
    assert (second.size, second.model) == (512, ATELIER.name)
    assert (second.guidance, second.without) == (ATELIER.guidance, ATELIER.new_walk["without"])


def test_csv_without_a_model_uses_the_settings_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOMALISA_MODEL", "owner/elsewhere")
    settings.cache_clear()
    (tmp_path / "walks.csv").write_text("prompts,seeds\na | b,9\n")
    (walk,) = read_walks(tmp_path / "walks.csv")
    settings.cache_clear()
    assert "glide" in walk.without
    assert (walk.model, [stop.seed for stop in walk.stops]) == ("owner/elsewhere", [9, 9])


def test_json_gives_one_or_more_specs(tmp_path: Path) -> None:
    one = WalkSpec.model_validate({"stops": [{"prompt": "a"}, {"prompt": "b"}], "fps": 24})
    path = tmp_path / "walk.json"
    path.write_text(one.model_dump_json())
    assert read_walks(path) == [one]
    path.write_text(f"[{one.model_dump_json()}, {one.model_dump_json()}]")
    assert read_walks(path) == [one, one]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("walks.csv", "prompts,frames\na | a,3\nb | c,many\n", "line 3: frames: Frames a leg must"),
        ("walks.csv", "prompts,frames\na | a,3\n", "line 2: stops: Prompts 1 and 2 are the same"),
        ("walks.csv", "prompts,warp\na | b,3\n", "no setting named “warp”"),
        ("walks.csv", "prompts\na | b,3\n", "no setting named “more cells than columns”"),
        (
            "walks.csv",
            "prompts,seeds\na | b | c,7 | 9\n",
            "line 2: There are 3 prompts but 2 seeds",
        ),
        ("walks.csv", "prompts\n", "holds walks that cannot be made"),
        ("walks.csv", "frames\n3\n", "A walk has 2 to 12 stops, not 0"),
        ("walks.json", "{", "could not be read"),
        ("walks.json", "[7]", "walk 1"),
        ("walks.json", '{"stops": [{"prompt": "a"}, {"prompt": "b"}], "model": [1]}', "model"),
        ("walks.json", "[]", "holds walks that cannot be made"),
    ],
)
def test_invalid_files_are_bad_input(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(BadInput, match=message):
        read_walks(tmp_path / name)


def test_missing_file_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="could not be read"):
        read_walks(tmp_path / "none.csv")
