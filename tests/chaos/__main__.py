"""`python -m tests.chaos [scenario ...]`: run faults of one kind many times, count what is lost.

Prints one table; the exit code is 1 if anything was lost, hidden, doubled or resurrected, or if an
accession number was given twice.
"""

import argparse
import importlib
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.chaos.findings import Findings, Scenario

HEADINGS = ("scenario", "runs", *Findings(0).counts, "seconds")


def find_scenarios() -> dict[str, Scenario]:
    """Import the modules of this folder, and return their scenarios by name."""
    names = (path.stem for path in sorted(Path(__file__).parent.glob("[!_]*.py")))
    modules = [
        importlib.import_module(f"tests.chaos.{name}")
        for name in names
        if not name.startswith("test_")
    ]
    scenarios = [module.SCENARIO for module in modules if hasattr(module, "SCENARIO")]
    return {scenario.name: scenario for scenario in scenarios}


def format_row(cells: Sequence[object]) -> str:
    """A line of the table, in Markdown."""
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the scenarios and print the table; returns the exit code."""
    scenarios = find_scenarios()
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument(
        "scenarios",
        nargs="*",
        metavar="scenario",
        help=", ".join(f"{name} ({one.count} {one.unit})" for name, one in scenarios.items()),
    )
    parser.add_argument("--all", action="store_true", help="run every scenario")
    parser.add_argument("--count", type=int, help="runs of each scenario (its own number)")
    parser.add_argument("--seconds", type=int, help="length of a scenario that runs for a time")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all figures there")
    options = parser.parse_args(arguments)
    chosen = list(scenarios) if options.all else options.scenarios
    if unknown := set(chosen) - scenarios.keys():
        parser.error(f"no scenario {', '.join(sorted(unknown))}; there are {', '.join(scenarios)}")
    if not chosen:
        parser.error(f"name scenarios, or --all: {', '.join(scenarios)}")
    found: dict[str, Findings] = {}
    rows = [format_row(HEADINGS), format_row(["---"] * len(HEADINGS))]
    for name in chosen:
        scenario, began = scenarios[name], time.monotonic()
        wanted = options.count if scenario.unit == "runs" else options.seconds
        findings = found[name] = scenario.run(wanted or scenario.count)
        seconds = round(time.monotonic() - began)
        rows.append(format_row([name, findings.runs, *findings.counts.values(), seconds]))
        print(rows[-1], file=sys.stderr, flush=True)
    print("\n".join(rows))
    if options.json:
        figures = {name: one.counts | {"figures": one.figures} for name, one in found.items()}
        options.json.write_text(json.dumps(figures, indent=2, default=str) + "\n")
    return int(any(any(findings.counts.values()) for findings in found.values()))


if __name__ == "__main__":
    sys.exit(main())
