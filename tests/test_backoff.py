"""Pauses between retries double up to a limit."""

from momalisa.backoff import Backoff


def test_pauses_double_up_to_the_longest() -> None:
    backoff = Backoff(1.0, 5.0)
    assert [backoff.next_pause() for _ in range(5)] == [1.0, 2.0, 4.0, 5.0, 5.0]


def test_success_starts_again_with_the_first() -> None:
    backoff = Backoff(1.0, 5.0)
    backoff.next_pause()
    backoff.reset()
    assert [backoff.next_pause(), backoff.next_pause()] == [1.0, 2.0]


def test_first_pause_keeps_to_the_limit() -> None:
    assert Backoff(9.0, 5.0).next_pause() == 5.0
