"""The models that can be walked: a registry, and one adapter a family."""

import os

# Before torch and transformers are imported, which read these once. Threads that wait should
# sleep: beside a training on both cores four frames took 23 s with spinning ones, then 1 s.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
