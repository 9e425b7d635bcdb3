"""The load stream in: lines of JSON become news, in batches, whatever the size. Knows nothing of HTTP or GraphQL."""

from service.load.events import BatchWritten, Counts, LineRefused, LinesRead, Summary
from service.load.files import Source, Unreadable
from service.load.loading import load, load_lines
from service.load.reading import check

__all__ = [
    "BatchWritten",
    "Counts",
    "LineRefused",
    "LinesRead",
    "Source",
    "Summary",
    "Unreadable",
    "check",
    "load",
    "load_lines",
]
