"""What a worker tidies between walks: the frame cache, and pictures that no walk came to use."""

import logging
import time
from collections.abc import Callable

from db import stop_pictures
from db.session import writing

TRIM_SECONDS = 60.0
"""Seconds between two trims of the frame cache where no walk ends."""
PRUNE_SECONDS = 600.0
"""Seconds between two looks for pictures in the history that were not used for long."""

log = logging.getLogger(__name__)


class Housekeeping:
    """Tidies at a worker's start, and now and then; `trim` is what trims its frame cache."""

    def __init__(self, trim: Callable[[], None], database: str) -> None:
        self._trim, self._database = trim, database
        self._last_trim = -TRIM_SECONDS
        self._last_prune = -PRUNE_SECONDS

    def tidy_if_due(self) -> None:
        """Trim the cache and drop old pictures, if it is time for that. Raises HistoryError.

        The frames are those of stills, and of a walk that ended with its worker. The pictures are
        those that visitors brought and made no walk from; each that is brought drops some, too.
        """
        if time.monotonic() - self._last_trim > TRIM_SECONDS:
            self.trim_cache()
        if time.monotonic() - self._last_prune > PRUNE_SECONDS:
            self._last_prune = time.monotonic()
            with writing(self._database) as session:
                dropped = stop_pictures.prune(session=session)
            if dropped:
                log.info("Pictures that no walk came to use were dropped: %d", dropped)

    def trim_cache(self) -> None:
        """Trim the frame cache, as after each walk, however it ended."""
        self._last_trim = time.monotonic()
        self._trim()
