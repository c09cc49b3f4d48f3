"""Laws of the largest walk: what is refused is told what would fit, and that does fit."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from momalisa import walk_cost
from momalisa.settings import Settings
from momalisa.spec import WalkSpec
from momalisa.walk_cost import WalkTooLarge, check_cost
from tests.support.walks import walk_spec

LARGEST = walk_spec(
    *(f"prompt {n}" for n in range(12)), frames=240, size=1024, steps=100, loop="closed"
)
DEFAULT = Settings.model_fields["largest_walk"].default


def test_a_frame_of_512_in_20_steps_is_the_unit() -> None:
    assert walk_cost.cost(walk_spec("a", "b", frames=24, size=512, steps=20)) == 24


def test_the_probes_of_each_leg_count_by_attention() -> None:
    by_attention = walk_spec("a", "b", frames=2, interpolation="attention")
    assert walk_cost.cost(by_attention) > 4 * walk_cost.cost(walk_spec("a", "b", frames=2))


@pytest.mark.parametrize(("steps", "late"), [(1, 1), (2, 1), (3, 1), (4, 2), (20, 10)])
def test_a_picture_by_attention_takes_the_late_steps_however_many_frames_there_are(
    steps: int, late: int
) -> None:
    for frames in (6, 48):
        by_attention = walk_spec("a", "b", frames=frames, interpolation="attention")
        assert walk_cost.count_picture_steps(by_attention, steps) == late
        others = walk_spec("a", "b", frames=frames, interpolation="slerp")
        assert walk_cost.count_picture_steps(others, steps) == steps


def test_in_a_single_step_frames_by_attention_cost_what_others_do() -> None:
    """They are painted for their texts alone."""
    one, other = (
        walk_cost.cost(walk_spec("a", "b", steps=1, interpolation=name))
        for name in ("attention", "lerp")
    )
    assert one == other


def test_the_largest_walk_that_a_spec_allows_is_refused_by_default() -> None:
    with pytest.raises(WalkTooLarge, match=r"2,868 frames of 1024 × 1024 in 100 steps"):
        check_cost(LARGEST, DEFAULT)


@pytest.mark.parametrize("size", [256, 512, 1024])
def test_usual_walks_fit_by_default(size: int) -> None:
    check_cost(walk_spec("a", "b", "c", frames=48, size=size, steps=32), DEFAULT)


@given(
    frames=st.integers(2, 240),
    width=st.integers(1, 16),
    height=st.integers(1, 16),
    steps=st.integers(1, 100),
    most=st.floats(1, 1e4),
)
def test_what_the_sentence_offers_fits(
    frames: int, width: int, height: int, steps: int, most: float
) -> None:
    size = f"{64 * width}x{64 * height}"
    spec = walk_spec("a", "b", "c", frames=frames, size=size, steps=steps)
    try:
        check_cost(spec, most)
    except WalkTooLarge as error:
        for changed in offers(spec, str(error)):
            check_cost(changed, most)
    else:
        assert walk_cost.cost(spec) <= most


def offers(spec: WalkSpec, sentence: str) -> list[WalkSpec]:
    """The walks that a sentence says would fit."""
    fits = sentence.partition("fit with")[2].replace(",", "")
    fields = {
        "frames": r"(\d+) frames",
        "steps": r"(\d+) steps",
        "size": r"(\d+) ×",
        "height": r"× (\d+)",
    }
    found = {name: re.search(pattern, fits) for name, pattern in fields.items()}
    said = {name: int(match[1]) for name, match in found.items() if match}
    offered = [{"frames"}, {"steps"}, {"size", "height"}]
    changes = [{name: said[name] for name in names} for names in offered if names <= said.keys()]
    return [spec.model_copy(update=change) for change in changes]
