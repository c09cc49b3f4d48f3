"""`python -m tests.chaos`: its table and its exit code."""

import pytest

from tests.chaos import __main__ as command
from tests.chaos.findings import Findings, Scenario


@pytest.mark.parametrize(("lost", "exit_code"), [(0, 0), (1, 1)])
def test_the_command_prints_a_table_and_fails_on_findings(
    lost: int,
    exit_code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    scenario = Scenario("example", 3, lambda count: Findings(count, lost=lost))
    monkeypatch.setattr(command, "find_scenarios", lambda: {"example": scenario})
    assert command.main(["example", "--count", "2"]) == exit_code
    assert f"| example | 2 | {lost} | 0 | 0 | 0 | 0 | 0 |" in capsys.readouterr().out


def test_a_scenario_may_run_for_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[int] = []

    def run(seconds: int) -> Findings:
        given.append(seconds)
        return Findings(1)

    scenario = Scenario("example", 60, run, unit="seconds")
    monkeypatch.setattr(command, "find_scenarios", lambda: {"example": scenario})
    assert command.main(["example", "--seconds", "3", "--count", "2"]) == 0
    assert command.main(["example"]) == 0
    assert given == [3, 60]


def test_all_scenarios_have_names_and_counts() -> None:
    scenarios = command.find_scenarios()
    assert scenarios["kills"].count == 200
    assert all(scenario.count > 0 for scenario in scenarios.values())
