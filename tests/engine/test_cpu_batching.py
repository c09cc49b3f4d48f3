"""Laws of splitting a batch: each row once, in order, whatever happens in one part."""

import threading

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some

from momalisa.engine.cpu_batching import MOST_PARTS, CpuBatching

CPU = torch.device("cpu")


@settings(deadline=None, max_examples=30)
@given(rows=some.integers(1, 40), cores=some.integers(1, 16))
def test_every_row_is_worked_on_once_and_in_order(rows: int, cores: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "get_num_threads", lambda: cores)
        batching = CpuBatching(CPU, small=True)
    parts = batching.run(lambda part: list(range(rows))[part], rows)
    assert [row for part in parts for row in part] == list(range(rows))
    assert len(parts) == min(rows, cores, MOST_PARTS)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_parts_of_a_small_model_run_on_one_thread_each() -> None:
    before = torch.get_num_threads()
    threads = CpuBatching(CPU, small=True).run(lambda _part: torch.get_num_threads(), 2)
    assert set(threads) == {1}
    assert torch.get_num_threads() == before


def test_an_error_is_raised_once_all_parts_have_ended() -> None:
    rested = threading.Event()

    def work(part: slice) -> None:
        if part.start == 0:
            raise RuntimeError("out of memory")
        threading.Event().wait(0.05)
        rested.set()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "get_num_threads", lambda: 2)
        batching = CpuBatching(CPU, small=True)
    with pytest.raises(RuntimeError, match="out of memory"):
        batching.run(work, 2)
    assert rested.is_set()
