"""The judgement of `tests.bench.load`."""

from tests.bench.load_figures import largest_lead, percentile


def test_fair_turns_have_a_lead_of_one() -> None:
    assert largest_lead(["a", "b", "c", "a", "b", "c", "a", "a"]) == 1


def test_a_maker_who_is_served_twice_in_a_round_leads_by_two() -> None:
    assert largest_lead(["a", "a", "b", "b"]) == 2


def test_newcomers_do_not_count() -> None:
    assert largest_lead(["a", "a", "newcomer 1"]) == 0


def test_percentiles() -> None:
    assert percentile([], 95) == 0
    assert percentile([2.0], 95) == 2
    assert percentile([float(n) for n in range(101)], 95) == 95
