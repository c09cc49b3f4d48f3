"""MOMA Lisa: modern artworks that flow into each other."""

__version__ = "0.1.0"
