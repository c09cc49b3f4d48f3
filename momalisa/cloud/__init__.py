"""Google Cloud: the prediction container of Vertex AI, its client, and the Kubeflow pipeline."""
