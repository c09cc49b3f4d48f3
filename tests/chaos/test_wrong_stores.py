"""A small run of the scenario `wrong-stores`: one store of every kind."""

from tests.chaos.wrong_stores import WRONG, run


def test_no_film_is_lost_by_repairs_of_wrong_stores() -> None:
    findings = run(len(WRONG))
    assert findings.runs == len(WRONG)
    assert not any(findings.counts.values()), findings.figures
    assert sum(one["refused"] for one in findings.figures.values()) > 0
    assert sum(one["queued or mended"] for one in findings.figures.values()) > 0
