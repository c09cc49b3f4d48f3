"""The operating system's limit of open files and connections of this process."""

import logging
import resource

WANTED = 65_536
"""Connections that ask for nothing are cheap, but each of them is an open file."""

log = logging.getLogger(__name__)


def raise_limit() -> None:
    """Raise the soft limit, often 1,024, to WANTED or to the hard one; never lowers it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError) as error:  # macOS has a lower one than it says
        log.warning("The limit of open files stays at %d: %s", soft, error)
