"""A small run of the scenario `hung-renderers`."""

from tests.chaos.hung_renderers import run


def test_no_walk_is_lost_or_held_up_by_hung_renderers() -> None:
    findings = run(3)
    assert findings.runs == 3
    assert not any(findings.counts.values()), findings.figures
    assert all(one["followed"] for one in findings.figures.values())
