"""The reader at `/`: pages for people, made of registered documents and nothing else, complete without a script."""

from service.reader.routes import Reader

__all__ = ["Reader"]
