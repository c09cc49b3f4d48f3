"""Devices by name."""

import torch

from momalisa.errors import DeviceNotFound


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
