"""Painter, captions, training and evaluation of the shipped model."""
