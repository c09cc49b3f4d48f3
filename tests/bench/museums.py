"""Measures how long lists of museums' works take, against stand-ins on this machine.

The stand-ins answer from another process. *The program alone* has no pace to keep: this is its own
time and theirs. *With the museum's pace* is what a curator waits for at the least. *From the disk*
is the same search again.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from momalisa.errors import ServiceError
from momalisa.works.collection import MUSEUMS
from momalisa.works.museum import Museum
from momalisa.works.rate_limit import RateLimit
from tests.bench.command import describe_load, new_parser, print_table, write_figures


@contextmanager
def stand_in_process(folder: Path) -> Iterator[None]:
    """Run the stand-ins, and lead this process's requests there."""
    command = [sys.executable, "-m", "tests.support.museum_stand_in", str(folder)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        os.environ |= json.loads(process.stdout.readline())
        yield
        process.stdin.close()


def list_works(museum: Museum, limit: int) -> float | None:
    """Seconds of a search; None if the museum's pace does not allow it in one go."""
    start = time.perf_counter()
    try:
        found = sum(1 for _ in museum.search("water lilies", limit))
    except ServiceError as error:
        print(error, file=sys.stderr)
        return None
    assert found == limit, found
    return time.perf_counter() - start


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print a table."""
    parser = new_parser("museums", __doc__)
    parser.add_argument("--works", type=int, default=1000, help="works of a list (1000)")
    parser.add_argument("--alone", action="store_true", help="leave the museums' pace out")
    options = parser.parse_args(arguments)
    rows = []
    with TemporaryDirectory() as name, stand_in_process(Path(name)):
        for kind in MUSEUMS:
            alone, paced = kind(Path(name) / "a"), kind(Path(name) / "b")
            alone.fetcher.rate = RateLimit(10**6, 1.0)
            seconds = list_works(alone, options.works)
            again = list_works(alone, options.works)
            at_pace = None if options.alone else list_works(paced, options.works)
            rows.append((kind.name, seconds, at_pace, again))
            alone.fetcher.close()
            paced.fetcher.close()
    header = ("museum", "the program alone, s", "with the museum's pace, s", "from the disk, s")
    print(f"{options.works:,} works; {describe_load()}\n")
    print_table(header, rows)
    figures = {row[0]: dict(zip(header[1:], row[1:], strict=True)) for row in rows}
    write_figures(figures, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
