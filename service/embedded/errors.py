"""What can go wrong with the embedded Postgres."""


class EmbeddedError(Exception):
    """The embedded Postgres cannot run; the message says why and what would help."""
