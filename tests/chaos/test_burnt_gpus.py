"""A small run of the scenario `burnt-gpus`."""

from tests.chaos.burnt_gpus import burn


def test_device_that_breaks_at_random_moments_costs_no_film() -> None:
    findings = burn(1)
    assert not any(findings.counts.values()), findings.figures
    assert any(name.startswith("broken at") for name in findings.figures)
