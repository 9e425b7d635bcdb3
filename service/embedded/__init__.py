"""Postgres for a laptop and for tests. Knows nothing of what is kept in it."""
