"""The load stream in: lines of JSON become news, in batches, whatever the size. Knows nothing of HTTP or GraphQL."""

from service.load.events import BatchWritten, Counts, LineRefused, LinesRead, ReadingEnded, Summary, WritingBegan
from service.load.files import Source, Unreadable
from service.load.loading import load, load_lines
from service.load.reading import check

__all__ = [
    "BatchWritten",
    "Counts",
    "LineRefused",
    "LinesRead",
    "ReadingEnded",
    "Source",
    "Summary",
    "Unreadable",
    "WritingBegan",
    "check",
    "load",
    "load_lines",
]
