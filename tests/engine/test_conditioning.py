"""Laws of conditions: rows stay together, mixing has both ends, form survives a round trip."""

import pytest
import torch

from momalisa.engine.conditioning import Conditioning, concatenate, mix_conditioning
from momalisa.engine.interpolation import EMBEDDING_MIXES, lerp


def conditioning(rows: int, seed: int = 0) -> Conditioning:
    """Conditions with every part that a family may have."""
    random = torch.Generator().manual_seed(seed)
    return Conditioning(
        torch.randn(rows, 4, 6, generator=random),
        torch.randn(rows, 6, generator=random),
        torch.tensor([[1, 1, 1, 0]]).repeat(rows, 1),
        {"ids": torch.arange(rows)[:, None], "sizes": torch.ones(rows, 2)},
    )


def equal(one: Conditioning, other: Conditioning) -> bool:
    pairs = zip(one.tensors(), other.tensors(), strict=True)
    return one.extra.keys() == other.extra.keys() and all(torch.equal(a, b) for a, b in pairs)


def test_split_and_concatenated_they_are_the_same() -> None:
    every = conditioning(5)
    assert equal(concatenate([every[:2], every[2:3], every[3:]]), every)


def test_tensors_lead_back_to_the_same_form() -> None:
    every = conditioning(3)
    assert equal(every.with_tensors(every.tensors()), every)
    tokens = Conditioning(torch.zeros(1, 2, 3))
    assert len(tokens.tensors()) == 1
    assert tokens.with_tensors(tokens.tensors()).pooled is None


def test_integers_keep_their_precision() -> None:
    half = conditioning(2).to(torch.device("cpu"), torch.float16)
    assert half.tokens.dtype == half.extra["sizes"].dtype == torch.float16
    assert half.extra["ids"].dtype == torch.int64


@pytest.mark.parametrize("name", EMBEDDING_MIXES)
def test_a_mixture_has_both_ends(name: str) -> None:
    start, end = conditioning(1, seed=1), conditioning(1, seed=2)
    mixed = mix_conditioning(
        start, end, torch.tensor([0.0, 0.5, 1.0], dtype=torch.float64), EMBEDDING_MIXES[name]
    )
    assert len(mixed) == 3
    assert mixed.pooled is not None
    assert start.pooled is not None
    for row, one in ((0, start), (2, end)):
        torch.testing.assert_close(mixed.tokens[row], one.tokens[0])
        torch.testing.assert_close(mixed[row : row + 1].pooled, one.pooled)
    assert not torch.allclose(mixed.pooled[1], start.pooled[0])


def test_between_the_ends_a_token_counts_where_it_counts_at_either() -> None:
    start, end = (
        Conditioning(torch.ones(1, 3, 2), mask=torch.tensor([mask]))
        for mask in ([1, 0, 0], [0, 1, 0])
    )
    t = torch.tensor([0.0, 0.5, 1.0])
    mixed = mix_conditioning(start, end, t, EMBEDDING_MIXES["lerp"])
    assert mixed.mask is not None
    assert mixed.mask.tolist() == [[1, 0, 0], [1, 1, 0], [0, 1, 0]]


def test_texts_of_different_lengths_are_one_batch() -> None:
    short, long = (Conditioning(torch.ones(1, n, 2), mask=torch.ones(1, n)) for n in (2, 3))
    both = concatenate([short, long])
    assert both.mask is not None
    assert both.mask.tolist() == [[1, 1, 0], [1, 1, 1]]
    assert both.tokens[0, 2].tolist() == [0, 0]
    with pytest.raises(ValueError, match="mask"):
        concatenate([Conditioning(torch.ones(1, 2, 2)), Conditioning(torch.ones(1, 3, 2))])


def test_the_last_token_of_a_shorter_text_stands_for_those_it_lacks() -> None:
    start = Conditioning(torch.tensor([[[1.0], [2.0]]]), mask=torch.ones(1, 2))
    end = Conditioning(torch.tensor([[[3.0], [4.0], [6.0]]]), mask=torch.ones(1, 3))
    mixed = mix_conditioning(start, end, torch.tensor([0.0, 0.5]), lerp)
    assert mixed.tokens[1].flatten().tolist() == [2.0, 3.0, 4.0]
    assert mixed.mask is not None
    assert mixed.mask.tolist() == [[1, 1, 0], [1, 1, 1]]
