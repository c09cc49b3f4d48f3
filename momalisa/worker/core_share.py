"""How many cores the worker's own thread takes, beside the threads that batches are split over."""

import sys
from collections.abc import Callable
from typing import Any, TypeVar

M = TypeVar("M")


def load_to_share_cores(load: Callable[[str, str], M]) -> Callable[[str, str], M]:
    """Wrap the loader of models: beside a small network this thread's operations take one core.

    What this thread does itself, such as encoding a prompt, is short then. PyTorch's threads wait
    for the next short operation without sleeping, on the cores that batches are painted on: from a
    prompt to its picture took half as much work again. A large network is loaded, and used, with as
    many threads as before.
    """
    usual = 0

    def load_and_share(name: str, device: str) -> M:
        nonlocal usual
        if usual:
            _torch().set_num_threads(usual)
            usual = 0
        model = load(name, device)
        if getattr(model, "is_small", False):
            usual = _torch().get_num_threads()
            _torch().set_num_threads(1)
        return model

    return load_and_share


def _torch() -> Any:
    """PyTorch, which takes seconds to import; loading a model has done so."""
    return sys.modules["torch"]
