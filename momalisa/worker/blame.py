"""Whom to blame for an error: the walk, the machine or its device, a passing outage, or unknown.

Errors of PyTorch are told by the names of their classes and by their messages, so that this
module works where PyTorch is not imported.
"""

import errno
import re
from collections.abc import Iterator
from enum import StrEnum

from pydantic import ValidationError

from db.error_messages import HistoryError
from momalisa.errors import (
    DeviceNotFound,
    ModelBroken,
    ModelDamaged,
    MomaLisaError,
    NoPicture,
    NotHere,
    OutOfMemory,
    ServiceError,
    StorageError,
)


class Blame(StrEnum):
    """What an error is blamed on."""

    WALK = "walk"
    """It fails on every machine: tell its curator at once."""
    DEVICE = "device"
    """The accelerator or its driver failed; only a new process can use it again."""
    MACHINE = "machine"
    """Disk, memory or files of the machine failed."""
    MODEL = "model"
    """A model that was there when the walk was queued is missing or cannot be read here, as may be
    a LoRA or an endpoint; or this program is older than the one that queued the walk."""
    PASSING = "passing"
    """A network, a store or a service was out of reach."""
    UNFORESEEN = "unforeseen"
    """Nothing is known of it: worth another try."""


_DEVICE_CLASSES = {"AcceleratorError", "CudaError", "DeferredCudaCallError"}
_DEVICE_MESSAGES = re.compile(
    r"CUDA (driver )?error(?!: out of memory)|CUDA driver (version|initialization)|cuDNN error"
    r"|CUDNN_STATUS|CUBLAS_STATUS|CUSPARSE_STATUS|CUSOLVER_STATUS|CUFFT_|NVML|NVRTC|NCCL"
    r"|HIP error|hipError|MPS backend (?!out of memory)|Metal (device|error)"
    r"|device-side assert|illegal memory access|unspecified launch failure|misaligned address"
    r"|(GPU|device) (is|was) (lost|removed)|uncorrectable ECC|Found no NVIDIA driver"
    r"|No CUDA GPUs are available|no kernel image is available|cudaErr|driver shutting down",
    re.IGNORECASE,
)
_MEMORY_MESSAGES = re.compile(
    r"out of memory|(cannot|can't|could not|unable to) allocate|not enough memory"
    r"|can't start new thread",
    re.IGNORECASE,
)
_DEVICE_ERRNOS = {errno.ENODEV, errno.ENXIO}
_DISK_ERRNOS = {
    *(errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG, errno.ESTALE),
    *(errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOTCONN, errno.EREMOTEIO),
}
_NETWORK_LIBRARIES = {"requests", "urllib3", "httpx", "google", "grpc"}


def assign_blame(error: BaseException) -> Blame:
    """Return what an error is blamed on, by its class, its message and its causes."""
    if isinstance(error, OutOfMemory):
        return Blame.WALK  # not even one frame of this size fits
    chain = list(_causes(error))
    if any(_is_of_the_device(link) for link in chain):
        return Blame.DEVICE
    if any(_is_of_the_machine(link) for link in chain):
        return Blame.MACHINE
    if isinstance(error, StorageError | ServiceError | HistoryError):
        # Not a socket, which has no file's name, but a file of this machine, as of the outbox.
        return Blame.MACHINE if any(_is_refused_file(link) for link in chain) else Blame.PASSING
    if isinstance(error, NotHere):
        return Blame.MODEL
    if _is_of_another_version(error):
        return Blame.MODEL
    if isinstance(error, NoPicture):
        return Blame.UNFORESEEN  # of weights, or of a device that fails
    if isinstance(error, ModelBroken):
        if any(isinstance(link, OSError | ModelDamaged) for link in chain):
            return Blame.MODEL
        # Files that are damaged raise other errors; this one may come from the device as well.
        return Blame.UNFORESEEN if isinstance(error.__cause__, RuntimeError) else Blame.WALK
    if isinstance(error, MomaLisaError | ValidationError):
        return Blame.WALK
    if any(_is_of_the_network(link) for link in chain):
        return Blame.PASSING
    # A file that the machine refuses, as without permission; a missing one may be there again.
    refused = isinstance(error, OSError) and error.errno not in (None, errno.ENOENT)
    return Blame.MACHINE if refused else Blame.UNFORESEEN


def describe_fault(error: BaseException) -> str:
    """Return a sentence about an error that is not the walk's: what happened, and what to do."""
    blame = assign_blame(error)
    if isinstance(error, MomaLisaError | HistoryError) and blame in (Blame.PASSING, Blame.MODEL):
        return str(error)
    if _is_of_another_version(error):
        return (
            "This walk was queued by another version of this program, and has settings that this "
            "worker does not know. Please bring the worker to the same version."
        )
    if missing := next((e for e in _causes(error) if isinstance(e, DeviceNotFound)), None):
        return str(missing)  # it names the setting; PyTorch's own message does not
    detail = _first_line(error)
    if blame is Blame.DEVICE:
        return f"The device that paints, or its driver, failed ({detail})."
    codes = {link.errno for link in _causes(error) if isinstance(link, OSError)}
    if codes & {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return "The worker's disk is full. Please make some room."
    if codes & _DISK_ERRNOS:
        return f"A disk of the worker failed ({detail})."
    if any(_is_of_memory(link) for link in _causes(error)):
        return f"The worker's memory is full ({detail})."
    if isinstance(error, MomaLisaError):
        return str(error)
    return f"Something unforeseen happened ({type(error).__name__})."


def _is_of_another_version(error: BaseException) -> bool:
    """Whether a walk's spec has settings that are not known here."""
    return isinstance(error, ValidationError) and any(
        problem["type"] == "extra_forbidden" for problem in error.errors()
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, and the errors that it was raised from."""
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__


def _is_of_the_device(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno in _DEVICE_ERRNOS
    names = {kind.__name__ for kind in type(error).__mro__}
    if names & _DEVICE_CLASSES or isinstance(error, DeviceNotFound):
        return True
    # A message of ours may quote a prompt or a path.
    return isinstance(error, RuntimeError) and bool(_DEVICE_MESSAGES.search(str(error)))


def _is_of_the_machine(error: BaseException) -> bool:
    return _is_of_memory(error) or (isinstance(error, OSError) and error.errno in _DISK_ERRNOS)


def _is_refused_file(error: BaseException) -> bool:
    """Whether a file cannot be used, as without permission; a missing one may be there again."""
    return isinstance(error, OSError) and bool(error.filename) and error.errno != errno.ENOENT


def _is_of_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, RuntimeError) and bool(_MEMORY_MESSAGES.search(str(error)))


def _is_of_the_network(error: BaseException) -> bool:
    library = type(error).__module__.partition(".")[0]
    return isinstance(error, ConnectionError | TimeoutError) or library in _NETWORK_LIBRARIES


def _first_line(error: BaseException) -> str:
    """The first line of the innermost error's message, or its class."""
    innermost = list(_causes(error))[-1]
    if isinstance(innermost, OSError) and innermost.strerror:
        return innermost.strerror  # without the path
    lines = str(innermost).strip().splitlines()
    return lines[0][:200].rstrip(".") if lines else type(innermost).__name__
