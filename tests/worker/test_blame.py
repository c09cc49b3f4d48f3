"""Errors are blamed on the walk, the device, the machine, an outage, or on nothing known."""

import errno
import os
import subprocess
import sys

import pytest
import torch
from pydantic import ValidationError
from requests import ConnectionError as NoConnection

from db.error_messages import OutOfReach
from momalisa.cloud.endpoint import EndpointError
from momalisa.errors import (
    BadInput,
    DeviceNotFound,
    ModelBroken,
    ModelNotFound,
    NotHere,
    OutOfMemory,
    StorageError,
)
from momalisa.models.device import open_device
from momalisa.models.registry import load
from momalisa.settings import CHECKOUT
from momalisa.spec import WalkSpec
from momalisa.worker.blame import Blame, assign_blame, describe_fault
from tests.support.pipelines import PipelineMaker

CUDA = "CUDA error: an illegal memory access was encountered\nCUDA kernel errors might be ..."
DISK = OSError(errno.ENOSPC, "No space left on device")
NO_FOLDER = NotADirectoryError(errno.ENOTDIR, "Not a directory", "/home/outbox/films")


def caused(error: Exception, cause: BaseException) -> Exception:
    error.__cause__ = cause
    return error


def invalid_spec() -> ValidationError:
    try:
        WalkSpec.model_validate({})
    except ValidationError as error:
        return error
    raise AssertionError


@pytest.mark.parametrize(
    "error",
    [
        BadInput("no such size"),
        invalid_spec(),
        caused(OutOfMemory("not one frame"), RuntimeError("CUDA out of memory. Tried 2 GiB")),
        caused(ModelBroken("cannot be loaded"), KeyError("unet")),
        BadInput("“a CUDA error: the painting” is too long"),
    ],
)
def test_blamed_on_the_walk(error: Exception) -> None:
    assert assign_blame(error) is Blame.WALK


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError(CUDA),
        torch.AcceleratorError(CUDA),
        RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR"),
        RuntimeError("CUDA driver initialization failed, you might not have a CUDA gpu."),
        RuntimeError("Found no NVIDIA driver on your system."),
        RuntimeError("No CUDA GPUs are available"),
        RuntimeError("MPS backend failed to commit"),
        OSError(errno.ENODEV, "No such device"),
        caused(ModelBroken("cannot be loaded"), RuntimeError("CUDA error: unknown error")),
        DeviceNotFound("There is no device “cuda” here."),
    ],
)
def test_blamed_on_the_device(error: Exception) -> None:
    assert assign_blame(error) is Blame.DEVICE


@pytest.mark.parametrize(
    "error",
    [
        DISK,
        OSError(errno.EIO, "Input/output error"),
        OSError(errno.EROFS, "Read-only file system"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        PermissionError(errno.EACCES, "Permission denied"),
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("can't start new thread"),
        caused(StorageError("The outbox did not take it."), DISK),
        caused(StorageError("The outbox did not take it."), NO_FOLDER),
        caused(ModelBroken("cannot be loaded"), OSError(errno.EIO, "Input/output error")),
        caused(ModelBroken("cannot be loaded"), MemoryError()),
    ],
)
def test_blamed_on_the_machine(error: Exception) -> None:
    assert assign_blame(error) is Blame.MACHINE


@pytest.mark.parametrize(
    "error",
    [
        StorageError("The bucket is away."),
        caused(StorageError("The bucket is away."), PermissionError(errno.EACCES, "No route")),
        EndpointError("The endpoint cannot be reached."),
        OutOfReach("The history is away."),
        ConnectionResetError(errno.ECONNRESET, "reset"),
        TimeoutError("timed out"),
        NoConnection("Name or service not known"),
    ],
)
def test_blamed_on_an_outage(error: Exception) -> None:
    assert assign_blame(error) is Blame.PASSING


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("mat1 and mat2 shapes cannot be multiplied"),
        KeyError("x"),
        FileNotFoundError(errno.ENOENT, "gone"),
        FileNotFoundError("A frame was dropped from the cache; please walk again."),
        caused(ModelBroken("cannot be loaded"), RuntimeError("size mismatch")),
    ],
)
def test_not_foreseen(error: Exception) -> None:
    assert assign_blame(error) is Blame.UNFORESEEN


@pytest.mark.parametrize(
    "error",
    [
        ModelNotFound("no such model"),
        NotHere("no such LoRA"),
        caused(ModelBroken("cannot be loaded"), OSError("Error no file named model.safetensors")),
    ],
)
def test_blamed_on_the_model(error: Exception) -> None:
    """Such walks failed, all that were queued, while a disk was not mounted."""
    assert assign_blame(error) is Blame.MODEL


def test_device_that_is_not_there() -> None:
    with pytest.raises(DeviceNotFound) as caught:
        open_device("cuda:99")
    assert assign_blame(caught.value) is Blame.DEVICE
    assert "MOMALISA_DEVICE" in describe_fault(caught.value)
    assert "cuda:99" in describe_fault(caught.value)


def test_weights_that_were_cut_off_are_the_models_fault(make_pipeline: PipelineMaker) -> None:
    folder = make_pipeline()
    weights = next(iter((folder / "unet").glob("*.safetensors")))
    os.truncate(weights, 1000)
    with pytest.raises(Exception) as caught:  # noqa: PT011 - which one is the question
        load(str(folder), "cpu")
    assert assign_blame(caught.value) is Blame.MODEL


def test_sentences_say_what_happened_in_one_line() -> None:
    assert describe_fault(DISK) == "The worker's disk is full. Please make some room."
    assert describe_fault(RuntimeError(CUDA)) == (
        "The device that paints, or its driver, failed "
        "(CUDA error: an illegal memory access was encountered)."
    )
    assert "memory is full" in describe_fault(MemoryError())
    assert describe_fault(EndpointError("The endpoint is away.")) == "The endpoint is away."
    assert describe_fault(KeyError("x")) == "Something unforeseen happened (KeyError)."


def test_import_is_light() -> None:
    code = "import sys, momalisa.worker.blame; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, check=True)
