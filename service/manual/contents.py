"""Which pages the manual has, and in which order: a page of docs/ is served once it has its line here."""

from __future__ import annotations

from typing import NamedTuple

REFERENCE = "reference"
"""The page that is made of the SDL; all others are files."""


class Entry(NamedTuple):
    """A page: its name in docs/ and in URLs, and what it is good for, in a line."""

    name: str
    about: str


class Group(NamedTuple):
    """Pages for the same readers."""

    title: str
    entries: tuple[Entry, ...]


CALLERS = (
    Group(
        "Start",
        (
            Entry("quickstart", "From nothing to coverage in five minutes: curl, Python, TypeScript, Swift."),
            Entry("your-key", "How a key is sent, what it adds, and what to do when it leaks."),
            Entry(REFERENCE, "Every type, field and argument, with what it costs and which feature it needs."),
        ),
    ),
    Group(
        "Guides",
        (
            Entry("figures", "What each figure counts, and by which rule."),
            Entry("windows", "Coverage over many stories in a window of time."),
            Entry("paging", "Pages of a list, their order, and how many items there are."),
            Entry("errors", "Every code, its status, and what to do about it."),
            Entry("changes", "Stay in step: poll the change feed, or subscribe."),
            Entry("documents", "Send an id in place of a document's text."),
            Entry("caching", "What is kept, for how long, and how to ask whether it changed."),
            Entry("cost", "What an operation costs, and how that is counted."),
            Entry("limits", "What you may spend, and how you are told."),
        ),
    ),
)
"""What users of the API read. Every example of these pages is run by the tests."""

OTHER_WAYS = (
    Group(
        "Other ways in",
        (
            Entry("rest", "A URL for each thing, with an OpenAPI document."),
            Entry("feeds", "RSS, Atom and JSON Feed; ninjs and schema.org."),
            Entry("export", "All articles or stories of a filter, as NDJSON or CSV."),
            Entry("clients", "Apollo Client, urql, Relay and code generators: what to set."),
        ),
    ),
)
"""What they read beside. What these show has tests of its own."""

OPERATORS = (
    Group(
        "Running it",
        (
            Entry("load", "Bring news in: what a line of the load stream looks like."),
            Entry("keys", "Give keys, rotate and revoke them, change tiers."),
            Entry("settings", "Every setting, with its default."),
            Entry("lifecycle", "Start, end and replace processes."),
            Entry("scaling", "Replicas, failover, PgBouncer, Redis Cluster."),
            Entry("telemetry", "Logs, metrics and traces."),
            Entry("metrics", "Every metric, and what it tells."),
            Entry("runbook", "Every alert, and what to do about it."),
            Entry("backup", "Save it, and bring it back."),
        ),
    ),
    Group(
        "What was measured",
        (
            Entry("performance", "How fast it is, beside what."),
            Entry("reliability", "What callers see while parts fail."),
            Entry("bad-inputs", "What comes back for each kind of bad input."),
            Entry("threat-model", "What is guarded against, and how."),
        ),
    ),
)
"""What those read who run the service."""

CONTENTS = CALLERS + OTHER_WAYS + OPERATORS
