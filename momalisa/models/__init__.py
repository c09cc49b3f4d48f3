"""The models that can be walked: a registry, and one adapter a family."""

import os

# Before torch and transformers are imported, which read these once. Threads that wait should
# sleep: spinning ones made a walk ten times slower beside another busy process.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
