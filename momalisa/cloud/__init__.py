"""Beyond one machine: the prediction container, its client, and the pipeline."""
