"""Exponential backoff: pauses between retries."""


class Backoff:
    """Pauses in seconds that double from `first` up to `longest`."""

    def __init__(self, first: float, longest: float) -> None:
        self.first = first
        self.longest = longest
        self._next = min(first, longest)

    def next_pause(self) -> float:
        """Return the pause before the next retry and double the one after it."""
        pause = self._next
        self._next = min(2 * pause, self.longest)
        return pause

    def reset(self) -> None:
        """Start again with the first pause, after a success."""
        self._next = min(self.first, self.longest)
