"""Interpolation between two tensors, on a line (lerp) or an arc (slerp), one sample at a time.

Text embeddings take the interpolation of the spec. Noise always takes slerp, which keeps its norm;
clean latents take lerp.
"""

from collections.abc import Callable

import torch
from torch import Tensor

PARALLEL = 0.9995
"""Above this cosine the arc is a straight line to within rounding."""


def lerp(start: Tensor, end: Tensor, t: Tensor) -> Tensor:
    """The straight line from `start` to `end`, both (...), at every `t` (n,): shape (n, ...)."""
    _same_shape(start, end)
    weight = _column(t, start)
    return (1.0 - weight) * start + weight * end


def slerp(start: Tensor, end: Tensor, t: Tensor) -> Tensor:
    """The arc from `start` to `end`, both (...), at every `t` (n,): shape (n, ...).

    Spherical linear interpolation (Shoemake 1985) by the angle between the two samples taken as
    flat vectors. It keeps the norm of Gaussian noise, which a straight line would shrink. Samples
    that are (nearly) parallel or zero are mixed on the line.
    """
    _same_shape(start, end)
    a, b = start.double(), end.double()
    norms = a.norm() * b.norm()
    cosine = ((a * b).sum() / norms).clamp(-1.0, 1.0) if norms > 0 else torch.ones(())
    if cosine.abs() > PARALLEL:
        return lerp(start, end, t)
    angle = torch.arccos(cosine)
    weight = _column(t, a)
    mixed = torch.sin((1.0 - weight) * angle) * a + torch.sin(weight * angle) * b
    return (mixed / torch.sin(angle)).to(start.dtype)


def token_slerp(start: Tensor, end: Tensor, t: Tensor) -> Tensor:
    """Text embeddings (tokens, width) mixed on an arc for each token: (n, tokens, width).

    Directions turn on the arc and lengths change in even steps, since tokens differ in length.
    """
    _same_shape(start, end)
    rows = [_arc(a, b, t) for a, b in zip(start, end, strict=True)]
    return torch.stack(rows, dim=1)


def _arc(start: Tensor, end: Tensor, t: Tensor) -> Tensor:
    lengths = lerp(start.norm().reshape(1), end.norm().reshape(1), t)
    arc = slerp(start, end, t)
    turned: Tensor = arc * lengths / arc.norm(dim=-1, keepdim=True).clamp_min(1e-12)
    return turned


EMBEDDING_MIXES: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "lerp": lerp,
    "slerp": token_slerp,
    "attention": lerp,
    "predictions": lerp,
}
"""By the name of a walk's interpolation; with attention, frames attend to both ends besides, and
with predictions no texts are mixed."""


def _column(t: Tensor, sample: Tensor) -> Tensor:
    return t.to(sample).reshape(-1, *[1] * sample.dim())


def _same_shape(start: Tensor, end: Tensor) -> None:
    if start.shape != end.shape:
        raise ValueError(f"cannot mix shapes {tuple(start.shape)} and {tuple(end.shape)}")
