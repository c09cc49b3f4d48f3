"""The worker: renders the queue's walks, in a process of its own that is kept alive."""
