"""What commands have in common: settings read, the database reached, failures told in a line, values printed."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import click

from service.settings import Settings, SettingsError, read_settings


class Failure(click.ClickException):
    """Nothing could be done; the message says why and what would help."""

    exit_code = 2


def settings_or_failure() -> Settings:
    """The settings."""
    with told(SettingsError):
        return read_settings()


@contextmanager
def told(*expected: type[Exception]) -> Generator[None]:
    """Turns errors whose message is meant for the user into a Failure."""
    try:
        yield
    except expected as error:
        raise Failure(str(error)) from error


@contextmanager
def database(settings: Settings, *, direct: bool = False) -> Generator[str]:
    """The DSN of the database that was set, or of the embedded one, started or joined; it can be reached.

    `direct` for what needs a session of its own: the DSN without a pooler between, where there is one.
    """
    from service.db.state import Unreachable, reach
    from service.embedded.errors import EmbeddedError

    if settings.database_url is not None:
        url = (direct and settings.feed_database_url) or settings.database_url
        dsn = url.get_secret_value()
        with told(Unreachable):
            asyncio.run(reach(dsn))
        yield dsn
        return

    from service.embedded.postgres import EmbeddedPostgres

    embedded = EmbeddedPostgres(settings.data_dir)
    with told(EmbeddedError):
        dsn = embedded.start()
    try:
        yield dsn
    finally:
        embedded.stop()


@contextmanager
def migrated(settings: Settings, *, direct: bool = False) -> Generator[str]:
    """The DSN of the database, up to date: the embedded one is brought there, another one has to be."""
    from service.db import migrations

    with database(settings, direct=direct) as dsn:
        if settings.database_url is None:
            asyncio.run(migrations.migrate(dsn))
        elif missing := asyncio.run(migrations.pending(dsn)):
            raise Failure(f"The database is not up to date: run `parallax migrate`. Not yet run: {', '.join(missing)}.")
        yield dsn


def time_of(when: datetime) -> str:
    """A time as users read it."""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def text_of(value: Any) -> str:
    """Any value as users read it in a table."""
    if isinstance(value, datetime):
        return time_of(value)
    if isinstance(value, list | tuple | set | frozenset):
        return ",".join(map(str, value)) or "-"  # pyright: ignore[reportUnknownArgumentType]  # of whatever
    return "-" if value is None else str(value)


def tell(message: str) -> None:
    """Tells the user what is not for programs, on standard error."""
    click.echo(message, err=True)


def print_json(value: Any) -> None:
    """Prints any value for programs."""
    import orjson

    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Prints rows for people, each column as wide as its widest value."""
    lines = [[*columns], *([text_of(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        click.echo("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())
