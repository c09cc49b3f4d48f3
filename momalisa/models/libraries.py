"""Imports what a family needs: PyTorch, diffusers, and its adapter."""

import gc
import sys
from importlib import import_module
from types import ModuleType

LIBRARIES = ("momalisa.engine.runner", "momalisa.models.rough_decoder")
"""Modules that import PyTorch and diffusers; no others do before them."""


def import_adapter(module: str) -> ModuleType:
    """Import a family's adapter, the first one with all libraries, which takes seconds.

    Meanwhile Python looks for no garbage, and later not among what was imported: 700,000 objects of
    which it can free none. Of importing, these looks took a fifth.
    """
    if module in sys.modules:
        return sys.modules[module]
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        for library in LIBRARIES:
            import_module(library)
        return import_module(module)
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()
