"""When stills were painted while a walk was, and whether the walk had its share of the time."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

from momalisa.render import Progress, StoredFilm
from momalisa.spec import WalkSpec


class StillTimes:
    """Notes when stills begin and end, and when a walk's frames do."""

    def __init__(self) -> None:
        self.stills: list[tuple[float, float]] = []
        """Begin and end of each, in seconds of one clock."""
        self._stages: dict[str, float] = {}

    @contextmanager
    def painting_still(self) -> Iterator[None]:
        """Note the time of the body, which paints a still."""
        began = time.monotonic()
        yield
        self.stills.append((began, time.monotonic()))

    def watch(self, render: Callable[..., StoredFilm]) -> Callable[..., StoredFilm]:
        """Note the stages of the walks that `render` renders."""

        def render_watched(
            spec: WalkSpec, *, on_progress: Callable[[Progress], None], **how: Any
        ) -> StoredFilm:
            def note(progress: Progress) -> None:
                self._stages.setdefault(progress.stage, time.monotonic())
                on_progress(progress)

            return render(spec, on_progress=note, **how)

        return render_watched

    def check_shares(self) -> None:
        """Check that a still interrupted the walk, and each after as long as the last one took.

        On a busy machine both take longer, so that the law holds there, too.
        """
        during = [
            (earlier, later)
            for earlier, later in pairwise(self.stills)
            if self._stages["frames"] <= later[0] <= self._stages["storing"]
        ]
        assert during, "no still was painted between the frames"
        for (began, ended), (next_began, _) in during:
            assert next_began - ended >= ended - began
