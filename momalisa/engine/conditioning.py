"""What the samples of a batch are conditioned on: text embeddings, in whichever form a family has.

The engine mixes, repeats and splits conditions without knowing what a model family reads in them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Self

import torch
from torch import Tensor
from torch.nn.functional import pad

Mix = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(start (...), end (...), t (n,)) -> mixtures (n, ...), as in `interpolation`."""


@dataclass(frozen=True)
class Conditioning:
    """The conditions of n samples, one row each."""

    tokens: Tensor
    """Text embeddings (n, length, width)."""
    pooled: Tensor | None = None
    """One embedding (n, width) of the whole text, for families that read one."""
    mask: Tensor | None = None
    """(n, length): 1 where a token counts, for families whose texts differ in length."""
    extra: Mapping[str, Tensor] = field(default_factory=dict)
    """What a family reads besides, n rows each: sizes, position ids. It is not mixed."""

    def __len__(self) -> int:
        return len(self.tokens)

    def __getitem__(self, rows: slice) -> Self:
        """The conditions of a slice of the samples."""
        return self._map(lambda tensor: tensor[rows])

    def to(self, device: torch.device, dtype: torch.dtype) -> Self:
        """The same on a device; numbers that are no integers in that precision."""
        return self._map(
            lambda tensor: tensor.to(device, dtype if tensor.is_floating_point() else None)
        )

    def repeat(self, count: int) -> Self:
        """A single sample's conditions for `count` samples, without a copy."""
        return self._map(lambda tensor: tensor.expand(count, *tensor.shape[1:]))

    def tensors(self) -> list[Tensor]:
        """All tensors in a fixed order; `with_tensors` takes them back."""
        parts = (getattr(self, part.name) for part in fields(self) if part.name != "extra")
        return [part for part in parts if part is not None] + list(self.extra.values())

    def with_tensors(self, tensors: Iterable[Tensor]) -> Self:
        """Conditions of the same form from other tensors."""
        left = iter(tensors)
        return self._map(lambda _tensor: next(left))

    def _map(self, change: Callable[[Tensor], Tensor]) -> Self:
        def changed(tensor: Tensor | None) -> Tensor | None:
            return None if tensor is None else change(tensor)

        return type(self)(
            change(self.tokens),
            changed(self.pooled),
            changed(self.mask),
            {name: change(tensor) for name, tensor in self.extra.items()},
        )


def concatenate(parts: Sequence[Conditioning]) -> Conditioning:
    """The conditions of all samples of some batches, which have one form, as one batch.

    Shorter texts are padded with tokens that do not count. Raises ValueError for such without mask.
    """
    longest = max(part.tokens.shape[1] for part in parts)
    parts = [_pad(part, longest) for part in parts]
    rows = zip(*(part.tensors() for part in parts), strict=True)
    return parts[0].with_tensors([torch.cat(tensors) for tensors in rows])


def mix_conditioning(
    start: Conditioning, end: Conditioning, t: Tensor, mix_tokens: Mix
) -> Conditioning:
    """Conditions between those of two single samples, at every `t` (n,).

    Text embeddings are mixed by `mix_tokens`, a pooled one as a text of one token. Between the ends
    a token counts where it counts at either. Where only one text has tokens, they are mixed with
    the last one of the other, so that next to an end a text is near to that end's. Raises
    ValueError where the two differ in form.
    """
    longest = max(start.tokens.shape[1], end.tokens.shape[1])
    start, end = (_pad(text, longest, hold=True) for text in (start, end))
    pooled, mask = None, None
    if start.pooled is not None and end.pooled is not None:
        pooled = mix_tokens(start.pooled, end.pooled, t)[:, 0]
    if start.mask is not None and end.mask is not None:
        masks = torch.cat([start.mask, torch.maximum(start.mask, end.mask), end.mask])
        mask = masks[1 - (t <= 0.0).long() + (t >= 1.0).long()]
    return Conditioning(
        mix_tokens(start.tokens[0], end.tokens[0], t), pooled, mask, start.repeat(len(t)).extra
    )


def _pad(text: Conditioning, length: int, *, hold: bool = False) -> Conditioning:
    """A text of at least that many tokens: zeros that do not count, or its last one again."""
    lacking = length - text.tokens.shape[1]
    if not lacking:
        return text
    if text.mask is None:
        raise ValueError("texts of different lengths need a mask")
    more = text.tokens[:, -1:].expand(-1, lacking, -1)
    tokens = torch.cat([text.tokens, more if hold else torch.zeros_like(more)], dim=1)
    return replace(text, tokens=tokens, mask=pad(text.mask, (0, lacking)))
