"""A film's grid: the same walk by several interpolations, or from several seeds, by pacing."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, groupby
from typing import Literal

from db.models import State, Walk
from momalisa.spec import SEED_LIMIT, WalkSpec
from momalisa.ui import submit

RowsBy = Literal["interpolations", "seeds"]
SEED_STEP = 101
"""How far a row's seeds are from those of the row before."""


@dataclass(frozen=True)
class Cell:
    """A walk of the grid, and what there is of it."""

    row: str
    pacing: str
    spec: WalkSpec
    walk: Walk | None = None

    @property
    def is_film(self) -> bool:
        """Whether it can be watched and voted on."""
        return self.walk is not None and self.walk.state is State.DONE

    @property
    def is_missing(self) -> bool:
        """Whether it is neither a film nor in the queue."""
        return self.walk is None


def plan_cells(walk: Walk, rows: Sequence[str] | int, pacings: Sequence[str]) -> list[Cell]:
    """The grid's cells in reading order; `rows` are interpolations, or a number of seeds."""
    varied: Iterator[tuple[str, WalkSpec]]
    if isinstance(rows, int):
        varied = _from_seeds(submit.vary(walk), rows)
    else:
        varied = ((name, submit.vary(walk, interpolation=name)) for name in rows)
    planned = [
        Cell(name, pacing, submit.replace_fields(spec, pacing=pacing))
        for name, spec in varied
        for pacing in pacings
    ]
    found = submit.find_walks([cell.spec for cell in planned])
    return [
        Cell(cell.row, cell.pacing, cell.spec, there)
        for cell, there in zip(planned, found, strict=True)
    ]


def has_seeds(spec: WalkSpec) -> bool:
    """Whether its frames begin from its seeds; between pictures alone they do not."""
    return any(stop.image is None and stop.between is None for stop in spec.stops)


def _from_seeds(spec: WalkSpec, count: int) -> Iterator[tuple[str, WalkSpec]]:
    """The walk from its own seeds, then from others that are always the same."""
    for number in range(count):
        seeds = [(stop.seed + number * SEED_STEP) % SEED_LIMIT for stop in spec.stops]
        stops = [
            stop.model_dump() | {"seed": seed} for stop, seed in zip(spec.stops, seeds, strict=True)
        ]
        yield f"seeds {', '.join(map(str, seeds))}", submit.replace_fields(spec, stops=stops)


def rows_of(cells: Sequence[Cell]) -> list[tuple[str, list[Cell]]]:
    """The cells by row."""
    return [(name, list(row)) for name, row in groupby(cells, key=lambda cell: cell.row)]


def pairs_to_vote_on(cells: Sequence[Cell], maker: str) -> list[tuple[str, str]]:
    """The pairs of films that differ in one setting, in an order by chance, alike for a maker.

    Films from different seeds make no pair: votes between them say nothing of a setting.
    """
    films = [cell for cell in cells if cell.is_film]
    pairs = {
        _sorted_ids(one, other)
        for one, other in combinations(films, 2)
        if _differ_in_one(one, other)
    }

    def by_chance(pair: tuple[str, str]) -> bytes:
        return hashlib.sha256(f"{maker} {pair}".encode()).digest()

    return sorted((pair for pair in pairs if pair[0] != pair[1]), key=by_chance)


def _sorted_ids(one: Cell, other: Cell) -> tuple[str, str]:
    first, second = sorted(cell.walk.id for cell in (one, other) if cell.walk)
    return first, second


def _differ_in_one(one: Cell, other: Cell) -> bool:
    same_seeds = [s.seed for s in one.spec.stops] == [s.seed for s in other.spec.stops]
    same_mix = one.spec.interpolation == other.spec.interpolation
    return same_seeds and (one.pacing == other.pacing) != same_mix
