"""Beside a small network the worker's own thread takes one core; beside a large one, all."""

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import torch

from momalisa.worker.core_share import load_to_share_cores


def test_the_own_thread_takes_one_core_as_long_as_the_network_is_small() -> None:
    while_loading = dict[str, int]()

    def load(name: str, _device: str) -> SimpleNamespace:
        while_loading[name] = torch.get_num_threads()
        return SimpleNamespace(is_small=name.startswith("small"))

    def use_one_after_the_other() -> list[int]:
        torch.set_num_threads(2)
        load_and_share = load_to_share_cores(load)
        used = []
        for name in ("large", "small", "small, too", "large again"):
            load_and_share(name, "cpu")
            used.append(torch.get_num_threads())
        return used

    with ThreadPoolExecutor(1) as thread:  # whose number of threads is its own
        assert thread.submit(use_one_after_the_other).result() == [2, 1, 1, 2]
    assert set(while_loading.values()) == {2}


def test_a_model_without_a_network_is_loaded_as_it_is() -> None:
    assert load_to_share_cores(lambda name, _device: name)("stub", "") == "stub"
