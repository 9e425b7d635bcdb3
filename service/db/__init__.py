"""Postgres: the pool, the migrations, fixed queries. Knows nothing of GraphQL or HTTP."""
