"""The qualities that the form offers."""

import pytest

from momalisa.ui.create.quality import QUALITIES, find_quality


@pytest.mark.parametrize("name", QUALITIES)
def test_a_quality_is_found_by_its_numbers(name: str) -> None:
    assert find_quality(QUALITIES[name].steps, QUALITIES[name].frames) == name
    assert find_quality(QUALITIES[name].steps, 3) is None
