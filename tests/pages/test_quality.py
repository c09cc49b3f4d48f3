"""The qualities that the form offers."""

from dataclasses import replace

import pytest

from momalisa.models.cards import ATELIER, ModelCard
from momalisa.ui.create.quality import QUALITIES, find_quality, steps_of

GUIDED = replace(ATELIER, steps=16, guidance=4.0, distilled=False)
DISTILLED = replace(ATELIER, steps=4, guidance=1.0, distilled=True)


@pytest.mark.parametrize("card", [GUIDED, DISTILLED])
@pytest.mark.parametrize("name", QUALITIES)
def test_a_quality_is_found_by_its_numbers(name: str, card: ModelCard) -> None:
    steps = steps_of(name, card)
    assert find_quality(steps, QUALITIES[name].frames, card) == name
    assert find_quality(steps, 3, card) is None


def test_steps_are_a_share_of_the_models_own_unless_it_was_distilled_to_them() -> None:
    assert [steps_of(name, GUIDED) for name in QUALITIES] == [8, 16, 32]
    assert [steps_of(name, DISTILLED) for name in QUALITIES] == [4, 4, 4]
    assert steps_of("Exhibition", replace(GUIDED, steps=80)) == 100
