"""What the benchmarks' command lines have in common."""

import argparse
import json
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
