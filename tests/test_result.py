"""A result's fields are those that the history's rows and a film's record keep."""

import pytest
from pydantic import ValidationError

from db.models import Walk
from db.queue import RESULT
from momalisa.result import Result, describe_leaps

FILM = {"files": {"gif": "w.gif"}, "bytes": 4, "sha256": "5a" * 32, "frames": 6}


def test_the_history_has_a_column_for_each_field() -> None:
    """All but `frames`: a row's column of that name counts a leg's frames, as the spec does."""
    assert set(Result.model_fields) - {"frames"} == RESULT
    assert set(Walk.__table__.columns.keys()) >= RESULT


def test_a_record_may_lack_what_the_rendering_took() -> None:
    assert Result.model_validate(FILM).distances == []


@pytest.mark.parametrize(
    "wrong", [{"bytes": 0}, {"sha256": "5a"}, {"frames": -1}, {"seconds": "inf"}, {"files": 7}]
)
def test_a_record_of_other_values_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Result.model_validate(FILM | wrong)


@pytest.mark.parametrize(
    ("leaps", "sentence"),
    [
        ([], ""),
        ([6], "A leap after frame 7"),
        ([0, 6, 9], "Leaps after frames 1, 7 and 10"),
    ],
)
def test_leaps_are_told_by_the_frame_before_them(leaps: list[int], sentence: str) -> None:
    distances = [1.0 if step in leaps else 0.01 for step in range(23)]
    assert describe_leaps(distances) == sentence
