"""Results of threads come in order, few at a time."""

from collections.abc import Iterator

import pytest

from momalisa.engine.ordered_threads import map_in_threads


@pytest.mark.parametrize("count", [0, 1, 3, 20])
def test_results_come_in_the_order_of_the_values(count: int) -> None:
    assert list(map_in_threads(str, range(count), 2)) == list(map(str, range(count)))


def test_few_results_are_waiting_at_any_time() -> None:
    begun: list[int] = []

    def values() -> Iterator[int]:
        for value in range(50):
            begun.append(value)
            yield value

    for number, _ in enumerate(map_in_threads(str, values(), 2)):
        assert len(begun) <= number + 4


def test_an_error_comes_in_its_turn() -> None:
    results = map_in_threads(lambda value: 1 // value, [1, 1, 0, 1], 2)
    assert [next(results), next(results)] == [1, 1]
    with pytest.raises(ZeroDivisionError):
        next(results)
