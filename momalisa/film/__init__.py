"""Frames become films: GIF, MP4, animated WebP, posters, and exports of them."""
