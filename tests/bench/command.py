"""What the benchmarks' command lines have in common."""

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def new_parser(name: str, description: str | None) -> argparse.ArgumentParser:
    """Create the parser of `python -m tests.bench.NAME`, with the option --json."""
    parser = argparse.ArgumentParser(
        prog=f"python -m tests.bench.{name}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures there")
    return parser


def write_figures(figures: dict[str, Any], file: Path | None) -> None:
    """Write the figures as JSON, if a file is named."""
    if file is not None:
        file.write_text(json.dumps(figures, indent=2) + "\n")


def print_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a Markdown table; numbers with three significant digits, None as a blank."""
    for line in (header, ["---"] * len(header), *rows):
        print_row(line)


def print_row(cells: Sequence[object]) -> None:
    """Print a line of a Markdown table."""
    print(f"| {' | '.join(map(_format_cell, cells))} |", flush=True)


def _format_cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def describe_load() -> str:
    """How busy the machine is, for a reader who compares times."""
    runnable, cores = os.getloadavg()[0], os.cpu_count()
    return f"load {runnable:.1f} on {cores} cores" + (": shared" if runnable > 1.5 else "")
