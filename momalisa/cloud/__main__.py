"""The pipeline's command line: `python -m momalisa.cloud run-locally walks.csv --store FOLDER`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from momalisa.cloud.batch_file import walks_in
from momalisa.errors import BadInput, MomaLisaError
from momalisa.settings import settings

DONE, FAILED, BAD_INPUT = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code is 0, 2 for bad input, or 1 for anything else."""
    try:
        options = _parser().parse_args(arguments)
        options.run(options)
    except BadInput as error:
        print(error, file=sys.stderr)
        return BAD_INPUT
    except (MomaLisaError, OSError) as error:
        print(error, file=sys.stderr)
        return FAILED
    return DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m momalisa.cloud")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    compiled = commands.add_parser("compile", help="write the pipeline as YAML")
    compiled.add_argument("--out", type=Path, default=Path("pipeline.yaml"))
    compiled.set_defaults(run=_compile)
    submitted = commands.add_parser("submit", help="run the pipeline on Vertex AI")
    submitted.add_argument("--project", required=True)
    submitted.add_argument("--region", default="us-central1")
    submitted.add_argument("--root", required=True, help="gs:// folder for what steps leave behind")
    submitted.add_argument("--service-account", default="")
    submitted.set_defaults(run=_submit)
    here = commands.add_parser("run-locally", help="run the pipeline on this machine")
    here.add_argument("--a-task", type=int, default=10, help="walks that a task paints (10)")
    here.set_defaults(run=_run_locally)
    for command in (compiled, submitted):
        command.add_argument("--image", required=True, help="the container, by its full name")
        command.add_argument("--accelerator", default="", help="such as NVIDIA_L4; none: CPU")
    for command in (submitted, here):
        command.add_argument("walks", type=Path, help="a .csv or .json file of walks")
        command.add_argument("--store", default=settings().store_root, help="where films go")
    return parser


def _compile(options: argparse.Namespace) -> None:
    from momalisa.cloud.pipeline import compile_to

    compile_to(options.out, options.image, options.accelerator)


def _submit(options: argparse.Namespace) -> None:
    from momalisa.cloud.pipeline import submit

    for name in ("store", "root"):
        if not getattr(options, name).startswith("gs://"):
            raise BadInput(f"On Vertex AI, --{name} is a bucket: gs://bucket/prefix.")
    job = submit(
        walks_in(options.walks),
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
    from momalisa.cloud.pipeline import run_here

    if options.a_task < 1:
        raise BadInput("A task paints at least one walk.")
    root = settings().home / "pipeline"
    run_here(walks_in(options.walks), options.store, root, options.a_task)


if __name__ == "__main__":
    sys.exit(main())
