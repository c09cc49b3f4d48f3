"""The noise that some schedulers add at each step, from the seeds of a leg's two stops.

At a stop it is what the stock pipeline draws after its first noise from the stop's seed. Between
two stops it goes on the arc between theirs, as the first noise does: otherwise each frame would
have noise of its own, and the film would flicker.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from momalisa.engine.interpolation import slerp

SeedMix: TypeAlias = "int | tuple[SeedMix, SeedMix, float]"
"""A seed; or two of them, and how far from one to the other."""


class StepNoise:
    """Draws one sample's noise, step by step."""

    def __init__(self, seeds: tuple[SeedMix, SeedMix], t: float, shape: Sequence[int]) -> None:
        """At `t` between two seeds, after each has given its first noise of a shape."""
        self._ends = [_open(seed, shape) for seed in seeds]
        self._t = torch.tensor([t], dtype=torch.float64)

    @property
    def generators(self) -> tuple[torch.Generator, ...]:
        """Of all seeds; schedulers are given the first one."""
        return tuple(
            one
            for end in self._ends
            for one in (end.generators if isinstance(end, StepNoise) else (end,))
        )

    def draw(self, draw: Callable[[torch.Generator], Tensor]) -> Tensor:
        """What `draw` makes of either seed, mixed."""
        start, end = (
            end.draw(draw) if isinstance(end, StepNoise) else draw(end) for end in self._ends
        )
        return slerp(start, end, self._t)[0]


def _open(seed: SeedMix, shape: Sequence[int]) -> torch.Generator | StepNoise:
    if isinstance(seed, tuple):
        return StepNoise(seed[:2], seed[2], shape)
    generator = torch.Generator().manual_seed(seed)
    torch.randn(*shape, generator=generator)
    return generator


class SeededNoise(TorchFunctionMode):
    """Within it, a generator of a sample's stands for its `StepNoise`.

    Schedulers call `torch.randn` themselves, with one generator a sample, and take no noise.
    """

    def __init__(self, noises: Sequence[StepNoise]) -> None:
        super().__init__()
        self._noises = {id(noise.generators[0]): noise for noise in noises}

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call a function of torch, or draw from both seeds in place of one."""
        others = dict(kwargs or {})
        noise = self._noises.get(id(others.get("generator")))
        if noise is None or func is not torch.randn:
            return func(*args, **others)
        return noise.draw(lambda generator: func(*args, **others | {"generator": generator}))
