"""The history database (SQLite or PostgreSQL): walks, queue, workers, votes and stills."""
