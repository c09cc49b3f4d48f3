"""The pipeline's commands: `python -m momalisa.cloud run-locally walks.csv --store FOLDER`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from momalisa.cloud.batch_file import read_walks
from momalisa.errors import BadInput, MomaLisaError
from momalisa.settings import settings

DONE, FAILED, BAD_INPUT = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code: 0, 2 after bad input, 1 after any other error."""
    try:
        options = _make_parser().parse_args(arguments)
        options.run(options)
    except BadInput as error:
        print(error, file=sys.stderr)
        return BAD_INPUT
    except (MomaLisaError, OSError) as error:
        print(error, file=sys.stderr)
        return FAILED
    return DONE


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m momalisa.cloud")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    compile_command = commands.add_parser("compile", help="write the pipeline as YAML")
    compile_command.add_argument("--out", type=Path, default=Path("pipeline.yaml"))
    compile_command.set_defaults(run=_compile)
    submit_command = commands.add_parser("submit", help="run the pipeline on Vertex AI")
    submit_command.add_argument("--project", required=True)
    submit_command.add_argument("--region", default="us-central1")
    submit_command.add_argument("--root", required=True, help="gs:// folder of its artifacts")
    submit_command.add_argument("--service-account", default="")
    submit_command.set_defaults(run=_submit)
    local_command = commands.add_parser("run-locally", help="run the pipeline on this machine")
    local_command.add_argument(
        "--a-task", dest="walks_per_task", type=int, default=10, help="walks in one task (10)"
    )
    local_command.set_defaults(run=_run_locally)
    for command in (compile_command, submit_command):
        command.add_argument("--image", required=True, help="full name of the container's image")
        command.add_argument(
            "--accelerator", default="", help="such as NVIDIA_L4; default: CPU only"
        )
    for command in (submit_command, local_command):
        command.add_argument("walks", type=Path, help="a .csv or .json file of walks")
        command.add_argument("--store", default=settings().store_root, help="where films go")
    return parser


def _compile(options: argparse.Namespace) -> None:
    from momalisa.cloud.pipeline import compile_pipeline

    compile_pipeline(options.out, options.image, options.accelerator)


def _submit(options: argparse.Namespace) -> None:
    from momalisa.cloud.pipeline import submit

    for name in ("store", "root"):
        if not getattr(options, name).startswith("gs://"):
            raise BadInput(f"On Vertex AI, --{name} is a bucket: gs://bucket/prefix.")
    job = submit(
        read_walks(options.walks),
        image=options.image,
        store=options.store,
        root=options.root,
        project=options.project,
        region=options.region,
        accelerator=options.accelerator,
        service_account=options.service_account,
    )
    print(job)


def _run_locally(options: argparse.Namespace) -> None:
    from momalisa.cloud.pipeline import run_locally

    if options.walks_per_task < 1:
        raise BadInput("A task paints at least one walk.")
    root = settings().home / "pipeline"
    run_locally(read_walks(options.walks), options.store, root, options.walks_per_task)


if __name__ == "__main__":
    sys.exit(main())
