"""Measures loading and querying, beside what Postgres alone could do."""
