"""Sizes of pictures: how they are written, and a model's shapes."""

from math import log

import pytest

from momalisa.picture_size import (
    ASPECTS,
    SIDE_UNIT,
    describe_size,
    name_shape,
    sizes_by_aspect,
    split_size,
    write_size,
)


@pytest.mark.parametrize("typed", ["512x768", " 512 X 768 ", "512×768", "512*768"])
def test_a_size_may_be_typed_in_several_ways(typed: str) -> None:
    assert split_size(typed) == ("512", "768")
    assert describe_size(typed) == "512 × 768"


@pytest.mark.parametrize("typed", ["", "512", "x", "512x", "-1x64", "9x" * 9, None, 512, 1.5])
def test_anything_else_is_not_split(typed: object) -> None:
    assert split_size(typed) is None


def test_a_square_is_typed_by_its_side() -> None:
    assert (write_size(256, 256), write_size(256, 320)) == ("256", "256x320")
    assert (describe_size("256"), describe_size("large")) == ("256 × 256", "large")


@pytest.mark.parametrize("side", range(64, 1025, 64))
def test_shapes_have_no_more_pixels_than_the_square_and_nearly_its_proportions(side: int) -> None:
    for name, (width, height) in sizes_by_aspect(side).items():
        assert width * height <= side**2
        assert width % SIDE_UNIT == height % SIDE_UNIT == 0
        if side >= 640:
            aspect = ASPECTS[name][0] / ASPECTS[name][1]
            assert abs(log(width / height / aspect)) < 0.1
            assert width * height > 0.85 * side**2


@pytest.mark.parametrize("side", [512, 768, 1024])
def test_a_shape_is_named_by_the_size_alone(side: int) -> None:
    """A label that changed with the model would be taken for a size that was typed."""
    for name, (width, height) in sizes_by_aspect(side).items():
        assert name_shape(f"{width}x{height}").split()[0] == name.split()[0]  # 2:3 may be 3:4, too
    assert name_shape("64x1024") == name_shape("large") == name_shape("999999x999999") == ""
    assert name_shape("256") == "square"


def test_the_shapes_of_a_large_model_are_those_it_was_trained_on() -> None:
    """As published for SDXL (Podell et al. 2023, appendix I)."""
    assert list(sizes_by_aspect(1024).values()) == [
        *[(1024, 1024), (896, 1152), (1152, 896), (832, 1216), (1216, 832)],
        *[(768, 1344), (1344, 768)],
    ]
