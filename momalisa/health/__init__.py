"""Whether the app works: checks with sentences, readiness under deadlines, metrics."""
