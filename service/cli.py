"""The program `parallax`: settings and arguments in, the work done by others, each failure told in a line.

Commands import what does their work when they run, so that each starts fast.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from service.access_commands import keys, tiers
from service.console import Failure, database, migrated, settings_or_failure, told
from service.settings import Settings, SettingsError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="parallax", message="parallax %(version)s")
def main() -> None:
    """One story, every vantage point: a GraphQL API for news, on Postgres.

    Settings come from the environment; docs/settings.md names them. Without PARALLAX_DATABASE_URL every command uses a
    Postgres of its own in PARALLAX_DATA_DIR, and those that run at the same time share it.
    """


main.add_command(keys)
main.add_command(tiers)


@main.command()
@click.option("--end-with-parent", is_flag=True, help="Stop when the process that started this one ends (Linux).")
def serve(*, end_with_parent: bool) -> None:
    """Serve until told to stop (SIGTERM or Ctrl-C), then let running requests end.

    The embedded Postgres is brought up to date, and filled with the demo world where it is empty. Another database is
    left as it is: where it is not up to date, this command says so and ends.
    """
    from service import parent, serving

    if end_with_parent:
        parent.end_with_parent(signal.SIGTERM)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    settings = settings_or_failure()
    with told(serving.AddressTaken):
        address = serving.bind(settings.host, settings.port, "PARALLAX_PORT")
        operators = serving.bind(settings.host, settings.port_for_operators, "PARALLAX_MANAGEMENT_PORT")
    with migrated(settings) as dsn:
        if settings.database_url is None:
            _fill_if_empty(dsn, settings.data_dir / "demo.unfinished")
        gc.disable()  # until it serves: nearly all that is made now stays
        from service.app import create_app
        from service.documents import BrokenDocuments

        url = _url(settings.host, address.port)
        with told(SettingsError, BrokenDocuments):
            app = create_app(settings, dsn)
        metrics = f"{_url(settings.host, operators.port)}/metrics"
        with told(serving.AddressTaken):
            served = serving.serve(app, address, operators, lambda: _welcome(url, metrics, settings), settings)
        if not served:
            raise Failure("The service could not start: what is logged above says why.")


@main.command()
@click.option("--check", is_flag=True, help="Only say whether it is up to date; exit 1 where it is not.")
def migrate(*, check: bool) -> None:
    """Bring the database up to date."""
    from service.db import migrations

    with database(settings_or_failure(), direct=True) as dsn:
        if check:
            missing = asyncio.run(migrations.pending(dsn))
            click.echo(f"Not yet run: {', '.join(missing)}" if missing else "The database is up to date.")
            sys.exit(1 if missing else 0)
        done = asyncio.run(migrations.migrate(dsn))
        click.echo(f"Run: {', '.join(done)}" if done else "The database was up to date.")


def _print_load_schema(context: click.Context, _option: click.Parameter, wanted: bool) -> None:  # noqa: FBT001 - as click calls it
    if wanted:
        from service.load.json_schema import json_schema

        click.echo(json_schema(), nl=False)
        context.exit()


@main.command()
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, allow_dash=True)
)
@click.option("--strict", is_flag=True, help="Refuse the whole load at the first wrong line.")
def load(files: tuple[str, ...], *, strict: bool) -> None:
    """Load news: newline-delimited JSON, .gz and .zst unpacked on the way, - for standard input.

    All files are one load, in order. Wrong lines are told on standard error and cost nothing but themselves. Exits
    with 0 where no line was refused, 1 where some were, 2 where nothing could be loaded.
    """
    import uvloop

    from service.load import Unreadable, load
    from service.progress import LoadProgress, print_outcome

    with (
        migrated(settings_or_failure(), direct=True) as dsn,
        told(Unreadable),
        _may_be_cut_off(),
        LoadProgress() as progress,
    ):
        summary = uvloop.run(load(dsn, files, strict=strict, observer=progress))
    print_outcome(summary)
    sys.exit(summary.exit_code)


@main.command()
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, allow_dash=True)
)
@click.option(
    "--schema",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_load_schema,
    help="Print the JSON Schema of a line, and end.",
)
def check(files: tuple[str, ...]) -> None:
    """Tell which lines `parallax load` would refuse, without a database.

    What only a database tells is not looked at: whether the story of an article is there, or what a merge names. Exits
    with 0 where every line is right, 1 where some are wrong, 2 where none is right.
    """
    from service.load import Unreadable, check
    from service.progress import LoadProgress, print_findings

    with told(Unreadable), LoadProgress() as progress:
        summary = check(files, progress)
    print_findings(summary)
    sys.exit(summary.exit_code)


@main.command()
def demo() -> None:
    """Fill an empty database with the demo world: fictional outlets, stories and articles of the last 30 days."""
    from service.db.state import is_empty

    with migrated(settings_or_failure(), direct=True) as dsn:
        if not asyncio.run(is_empty(dsn)):
            raise Failure("There is news in the database already, and the demo world goes into an empty one only.")
        _fill(dsn)


@main.command()
@click.option(
    "--for",
    "client",
    type=click.Choice(["apollo", "graphcache"]),
    help="Print what this client's cache has to know of it, a module in JavaScript.",
)
def schema(*, client: str | None) -> None:
    """Print the schema in GraphQL's schema definition language."""
    from schema import sdl
    from service.clients import MODULES, Cached

    click.echo(MODULES[client](Cached.of(sdl())) if client else sdl(), nl=False)


@main.command()
def documents() -> None:
    """Print the name and the id of each registered document."""
    from schema import schema
    from service.documents import BrokenDocuments, read_registered
    from service.planner import Planner

    with told(BrokenDocuments):
        for each in read_registered(Planner(schema)):
            click.echo(f"{each.name:<16}  sha256:{each.id}")


@main.command()
def doctor() -> None:
    """Look at settings, documents, Postgres, replicas, migrations, clock and Redis; exit 1 where something is wrong.

    What is wrong is told with how to mend it.
    """
    from service import doctor as practice
    from service.access.pepper import pepper_of

    findings = [*practice.examine_environment(), *practice.examine_documents()]
    try:
        settings = settings_or_failure()
        with database(settings) as dsn:
            findings += asyncio.run(practice.examine_database(dsn))
            if all(finding.well for finding in findings if finding.subject == "migrations"):
                with told(SettingsError):
                    findings += asyncio.run(practice.examine_keys(dsn, pepper_of(settings)))
                replicas = [url.get_secret_value() for url in settings.replica_urls]
                findings += asyncio.run(practice.examine_replicas(dsn, replicas, settings.replica_lag_seconds))
            feed = settings.feed_database_url
            findings.append(asyncio.run(practice.examine_feed(feed.get_secret_value() if feed else dsn)))
            if settings.redis_url is not None:
                findings.append(asyncio.run(practice.examine_redis(settings.redis_url.get_secret_value())))
    except Failure as failure:
        findings += [practice.Finding("cannot run", False, line) for line in failure.message.splitlines()]
    for finding in findings:
        mark = click.style("ok   ", fg="green") if finding.well else click.style("wrong", fg="red")
        click.echo(f"{mark}  {finding.subject:<10}  {finding.told}")
    sys.exit(0 if all(finding.well for finding in findings) else 1)


@contextmanager
def _may_be_cut_off() -> Generator[None]:
    """Tells what holds after a load that did not come to its end."""
    import asyncpg

    rest = "What was written is whole, and the same load again completes it."
    try:
        yield
    except KeyboardInterrupt:
        raise Failure(f"Stopped. {rest}") from None
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Failure(f"The database went away: {error}. {rest}") from error


def _fill(dsn: str) -> None:
    import uvloop

    from service.demo import world
    from service.load import load_lines

    click.echo("Filling the database with the demo world …", err=True)
    with _may_be_cut_off():
        uvloop.run(load_lines(dsn, world(datetime.now(UTC)), strict=True))


def _fill_if_empty(dsn: str, unfinished: Path) -> None:
    """Fill an empty embedded database, or one whose filling was cut off: `unfinished` is there until it is done."""
    from service.db.state import is_empty

    if unfinished.exists() or asyncio.run(is_empty(dsn)):
        unfinished.touch()
        _fill(dsn)
        unfinished.unlink(missing_ok=True)


def _url(host: str, port: int) -> str:
    if host in {"0.0.0.0", "::", ""}:  # noqa: S104 - every address of this machine, of which one is named  # nosec B104
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _welcome(url: str, metrics: str, settings: Settings) -> None:
    pages = f"\nPages to read are at {url}/\n" if settings.reader else ""
    welcome = WELCOME_TO_REGISTERED if settings.registered_only else WELCOME
    click.echo(welcome.format(url=url, metrics=metrics, pages=pages))


WELCOME = """
Parallax serves at {url}/graphql
{pages}
Three things to try:

  1. Open {url}/graphql in a browser: GraphiQL, with the documentation of every field.

  2. Ask which stories the left hardly reports:

     curl -sG {url}/graphql --data-urlencode \\
       'query={{ stories(first: 3, filter: {{blindspot: LEFT}}) {{ nodes {{ title coverage {{ outletCount }} }} }} }}'

  3. Load news of your own, from another terminal:

     .venv/bin/parallax load FILE

Metrics for Prometheus are at {metrics}

Ctrl-C ends it.
"""

WELCOME_TO_REGISTERED = """
Parallax serves registered documents at {url}/graphql, and no others
{pages}
Three things to try:

  1. Open {url}/graphql in a browser: which documents there are. `parallax documents` lists them too.

  2. Ask for the front page:

     curl -sG {url}/graphql --data-urlencode \\
       "documentId=$(.venv/bin/parallax documents | sed -n 's/^FrontPage *//p')"

  3. Load news of your own, from another terminal:

     .venv/bin/parallax load FILE

Metrics for Prometheus are at {metrics}

Ctrl-C ends it.
"""
