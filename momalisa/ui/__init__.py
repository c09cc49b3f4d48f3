"""The user interface: shared modules here, parts of single pages in subpackages."""
