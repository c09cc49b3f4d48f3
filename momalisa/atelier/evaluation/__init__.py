"""Judging a trained model, each figure beside the painter's own canvases and beside chance."""

# Before torch: it is told there that threads which wait should sleep.
import momalisa.models  # noqa: F401
