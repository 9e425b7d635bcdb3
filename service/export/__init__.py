"""Exports: all articles or stories that a filter chooses, as NDJSON or CSV, streamed page by page."""
