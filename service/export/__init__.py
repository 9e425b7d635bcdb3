"""Exports: all articles or stories that a filter chooses, as NDJSON or CSV, streamed page by page."""

from service.export.described import described as exports_described
from service.export.routes import export_routes

__all__ = ["export_routes", "exports_described"]
