"""The errors of MOMA Lisa, whose messages a curator understands.

    MomaLisaError
    ├── BadInput (also ValueError)             the request is invalid
    │   ├── NotHere                            what a walk needs is not on this machine
    │   │   └── ModelNotFound                  no such checkpoint on this machine
    │   └── DeviceNotFound                     the device of the settings is not there
    ├── ModelBroken                            the checkpoint cannot be used
    │   ├── ModelDamaged                       a file of it is missing or cut off here
    │   └── NoPicture                          what it computes is no picture
    ├── OutOfMemory (also MemoryError)         not even one frame fits
    ├── StorageError (also OSError)            a file could not be stored or read
    │   ├── NotStored (also FileNotFoundError) no file under that key
    │   └── KeyTaken                           another file under that key
    ├── ServiceError                           a service is out of reach or refuses this machine
    ├── MachineFault                           this machine cannot render for now
    └── Cancelled                              the walk was cancelled

Each message says what happened and what to do about it.
"""


class MomaLisaError(Exception):
    """Base of all errors whose message is shown to the curator."""


class BadInput(MomaLisaError, ValueError):
    """The request is invalid; the message says what to change."""


class NotHere(BadInput):
    """What a walk needs is not on this machine: it may come back, or be on another."""


class ModelNotFound(NotHere):
    """The named checkpoint is not on this machine."""


class DeviceNotFound(BadInput):
    """The device of the settings is not there, or its driver does not work."""


class ModelBroken(MomaLisaError):
    """The checkpoint exists, but it cannot be loaded or its family is not supported."""


class ModelDamaged(ModelBroken):
    """A file of the checkpoint is missing, cut off or damaged on this machine."""


class NoPicture(ModelBroken):
    """What a checkpoint computes is no picture: its weights are broken, or the device is."""


class OutOfMemory(MomaLisaError, MemoryError):
    """Not even a single frame fits into memory."""


class StorageError(MomaLisaError, OSError):
    """A file could not be stored, read or deleted."""


class NotStored(StorageError, FileNotFoundError):
    """There is no file under that key."""


class KeyTaken(StorageError):
    """There is another file under that key."""


class ServiceError(MomaLisaError):
    """A service that renders walks is out of reach, refuses this machine, or failed."""


class MachineFault(MomaLisaError):
    """This machine cannot render for now, whatever the walk."""


class Cancelled(MomaLisaError):
    """The walk was cancelled before it was finished."""
