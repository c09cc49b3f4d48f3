"""Lists the benchmarks, or runs one: `python -m tests.bench [NAME ...]`."""

import ast
import importlib
import sys
from pathlib import Path

BENCHMARKS = (
    *(
        "engine",
        "gpu",
        "few_steps",
        "morphs",
        "browser",
        "first_film",
        "live",
        "history",
        "film_memory",
        "shown_films",
        "load",
        "museums",
        "model_list",
        "works",
        "research",
    ),
)


def main() -> int:
    """Run the named benchmark with the other arguments, or tell how each is started."""
    if len(sys.argv) > 1 and sys.argv[1] in BENCHMARKS:
        return importlib.import_module(f"tests.bench.{sys.argv[1]}").main(sys.argv[2:]) or 0
    for name in BENCHMARKS:
        source = Path(__file__).with_name(f"{name}.py").read_text()
        summary = (ast.get_docstring(ast.parse(source)) or "").split("\n")[0]
        print(f"python -m tests.bench.{name:12} {summary.partition(': `')[0]}")
    print("\nEach takes --help, and --json FILE to write its figures.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
