"""`python -m tests.mutations [text ...]`: break one promise after the other, see its test fail.

Each mutation takes a mend out of a copy of the project and runs the test that keeps the promise.
Prints a table; the exit code is 1 if a test passes without the code that it is there for.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue

from tests.mutations.catalogue import MUTATIONS
from tests.mutations.mutation import Mutation, apply_edits

ROOT = Path(__file__).parents[2]
SECONDS = 300
"""How long a test may take; one that hangs has noticed the mutation."""
PASSED, FAILED = 0, 1
"""Exit codes of pytest: all tests passed; some failed. Others say that no test ran."""


def copy_project(folder: Path) -> None:
    """Link the files under version control into a folder: a copy that costs no room."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    for name in filter(None, listed.stdout.split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        os.link(ROOT / name, folder / name)


@contextmanager
def edited(texts: dict[str, str], folder: Path) -> Iterator[None]:
    """The files have these texts for as long as the context lasts."""
    try:
        for name, text in texts.items():
            (folder / name).unlink()
            (folder / name).write_text(text, encoding="utf-8")
        yield
    finally:
        for name in texts:
            (folder / name).unlink(missing_ok=True)
            os.link(ROOT / name, folder / name)


def run_test(test: str, folder: Path) -> int:
    """Run one test in the copy; returns pytest's exit code."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", test]
    try:
        return subprocess.run(command, cwd=folder, capture_output=True, timeout=SECONDS).returncode
    except subprocess.TimeoutExpired:
        return FAILED


def try_mutation(mutation: Mutation, folder: Path) -> str:
    """Say whether the test fails with the edits and passes without: "kept", or what is wrong."""
    if run_test(mutation.test, folder) != PASSED:
        return "fails without any edit"
    with edited(apply_edits(mutation.edits, folder), folder):
        code = run_test(mutation.test, folder)
    return {FAILED: "kept", PASSED: "NOT NOTICED"}.get(code, f"no test ran (exit code {code})")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the mutations whose promise or test contains a text; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutations", description=__doc__)
    parser.add_argument("texts", nargs="*", metavar="text", help="only those that contain it")
    parser.add_argument("--jobs", type=int, default=1, help="tests at the same time (1)")
    options = parser.parse_args(arguments)
    chosen = [
        one
        for one in MUTATIONS
        if not options.texts or any(text in one.promise + one.test for text in options.texts)
    ]
    with tempfile.TemporaryDirectory(dir=ROOT.parent, prefix="mutations-") as name:
        folders: SimpleQueue[Path] = SimpleQueue()
        for number in range(options.jobs):
            copy_project(Path(name, str(number)))
            folders.put(Path(name, str(number)))

        def _try(mutation: Mutation) -> str:
            folder = folders.get()
            try:
                answer = try_mutation(mutation, folder)
            finally:
                folders.put(folder)
            print(f"| {mutation.promise} | {mutation.test} | {answer} |", flush=True)
            return answer

        print("| promise | test | without its code |\n| --- | --- | --- |", flush=True)
        with ThreadPoolExecutor(options.jobs) as pool:
            answers = list(pool.map(_try, chosen))
    print(f"{answers.count('kept')} of {len(answers)} promises are kept by their test")
    return int(any(answer != "kept" for answer in answers))


if __name__ == "__main__":
    sys.exit(main())
