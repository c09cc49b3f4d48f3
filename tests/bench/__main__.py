"""Lists the benchmarks: `python -m tests.bench`."""

import ast
from pathlib import Path

BENCHMARKS = ("engine", "browser", "first_film", "history")


def main() -> None:
    """Print how each benchmark is started and the first line of its docstring."""
    for name in BENCHMARKS:
        source = Path(__file__).with_name(f"{name}.py").read_text()
        summary = (ast.get_docstring(ast.parse(source)) or "").split("\n")[0]
        print(f"python -m tests.bench.{name:12} {summary.partition(': `')[0]}")
    print("\nEach takes --help, and --json FILE to write its figures.")


if __name__ == "__main__":
    main()
