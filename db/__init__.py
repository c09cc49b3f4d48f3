"""The history: walks, their queue and their workers, in SQLite or PostgreSQL."""
