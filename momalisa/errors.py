"""What can go wrong, in sentences a curator understands.

    MomaLisaError
    ├── BadInput (also ValueError)             what was asked for cannot be done
    │   └── ModelNotFound                      no such checkpoint here
    ├── ModelBroken                            the checkpoint is there, but cannot be used
    ├── OutOfMemory (also MemoryError)         not even one frame fits
    ├── StorageError (also OSError)            a file could not be stored or read
    │   └── NotStored (also FileNotFoundError) no file under that key
    └── Cancelled                              the walk was called off

Each message says what happened and what to do about it.
"""


class MomaLisaError(Exception):
    """Any error whose message is meant for the person in front of the screen."""


class BadInput(MomaLisaError, ValueError):
    """What was asked for cannot be done as it stands."""


class ModelNotFound(BadInput):
    """The named checkpoint is not on this machine."""


class ModelBroken(MomaLisaError):
    """The checkpoint is there, but it cannot be loaded or is of a foreign kind."""


class OutOfMemory(MomaLisaError, MemoryError):
    """Not even a single frame fits into memory."""


class StorageError(MomaLisaError, OSError):
    """A file could not be stored, read or deleted."""


class NotStored(StorageError, FileNotFoundError):
    """There is no file under that key."""


class Cancelled(MomaLisaError):
    """The walk was called off before it was finished."""
