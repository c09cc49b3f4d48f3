"""Devices by name, and their memory."""

import torch

from momalisa.errors import DeviceNotFound
from momalisa.models.fit import Machine
from momalisa.models.memory import read_machine


def open_device(name: str) -> torch.device:
    """The device of that name, or the best there is; DeviceNotFound if there is none such."""
    try:
        device = torch.device(name or best_device())
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise DeviceNotFound(
            f"There is no device “{name}” on this machine that works. Please correct "
            "MOMALISA_DEVICE (or --device), or leave it out for the best there is."
        ) from error
    return device


def best_device() -> str:
    """CUDA where there is one, else Apple's GPU, else the CPU."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def measure_device(device: torch.device) -> Machine:
    """The device and the memory that is free on it now; of a processor all that there is."""
    if device.type != "cuda":
        return read_machine("mps" if device.type == "mps" else "cpu")
    torch.cuda.empty_cache()  # what a model before held counts as free
    free, _ = torch.cuda.mem_get_info(device)
    with torch.cuda.device(device):
        bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
    return Machine("cuda", free, read_machine("cpu").ram, bf16)
