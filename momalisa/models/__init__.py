"""The models that can be walked: a registry, and one adapter a family."""
