"""Evaluation of a trained model: metrics compared with the painter's canvases and with chance."""

# Imported before torch, because it sets the wait policy of OpenMP threads.
import momalisa.models  # noqa: F401
