"""The commands of `python -m momalisa`, a module each: its options, and what it runs."""
