"""Encodes frames as films (GIF, MP4, animated WebP) and stills, and exports them."""
