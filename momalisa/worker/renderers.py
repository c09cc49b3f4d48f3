"""What a worker paints with: functions for walks, stills and probes, which tests replace."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from momalisa.engine.frame_cache import Frame, FrameCache
from momalisa.models import registry
from momalisa.render import ModelRenderer, Renderer, render, render_live, render_still
from momalisa.spec import Place, WalkSpec

if TYPE_CHECKING:
    from momalisa.engine.runner import ModelRunner

LoadModel = Callable[[str, str], "ModelRunner"]
"""Loads a model by name onto a device."""
StillRenderer = Callable[[WalkSpec, Place, "ModelRunner", FrameCache], str]
"""Renders one frame; returns its key in the cache."""
LiveRenderer = Callable[[WalkSpec, Sequence[Place], "ModelRunner", FrameCache, bool], list[Frame]]
"""Renders frames, roughly if asked to, and returns them."""


@dataclass(frozen=True)
class Renderers:
    """The functions that a worker paints with."""

    load: LoadModel = registry.load
    render: ModelRenderer = render
    """Renders a walk with a model."""
    remote: Renderer | None = None
    """Renders a walk at an endpoint; None for that of the settings, if they name one."""
    render_still: StillRenderer = render_still
    render_live: LiveRenderer = render_live
    render_probe: StillRenderer = render_still
    """Renders a frame that shows whether this machine is well again after a fault."""
