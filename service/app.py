"""The only wiring: which parts there are, what they are given, where they answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Container, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from starlette.routing import BaseRoute, Mount, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from schema import schema
from service.access.callers import Callers
from service.access.limits import Allowances
from service.access.pepper import pepper_of
from service.access.usage import Usage
from service.cache import Following, Lifetimes, LocalCache, NothingShared, RedisCache, ResponseCache
from service.clients.files import client_routes
from service.db.batching import Batches
from service.db.changes import SILENCE, ChangeFeed, Follower
from service.db.pool import Database
from service.db.replicas import Replicas
from service.documents import KeptForAll, KeptHere, Quota, Registered, Registry, read_registered
from service.errors import NotFound
from service.events import Observer, ServingEnded, ServingStarted
from service.export import export_routes, exports_described
from service.feeds import feed_routes, feeds_described, news_routes
from service.http import health, pages
from service.http.admission import Admission
from service.http.asking import Asking
from service.http.at_hand import AtHand
from service.http.changes import StoryChanges
from service.http.graphql import GraphQLEndpoint
from service.http.kept import READING
from service.http.management import management
from service.http.middleware import Failures, RequestId
from service.http.operations import Operations
from service.http.origins import Sharing, SocketOrigins, lines_for_all, refuse_socket
from service.http.paths import at
from service.http.proxies import BehindProxies
from service.http.readings import readings
from service.http.server_sent_events import EventStream
from service.http.streams import Streams
from service.http.websocket import WebSocketEndpoint
from service.manual import manual_routes
from service.planner import Limits, Planner, WindowLimits
from service.reader import Reader
from service.redis import SharedRedis
from service.rest import Beside, rest_routes
from service.settings import PREFIX, Settings, SettingsError
from service.telemetry import Telemetry

GRAPHQL_PATHS = ("/graphql", "/graphql/")


def create_app(settings: Settings, dsn: str, observe: Observer | None = None) -> Application:
    """The service as an ASGI application over the database at `dsn`, which need not be there yet.

    Raises SettingsError, and BrokenDocuments.
    """
    # Limits are there for documents of strangers: these fit the defaults, whatever is set.
    registered = read_registered(Planner(schema))
    telemetry = Telemetry.started(settings, [each.name for each in registered], observe)
    observe = telemetry.observe
    database = Database(dsn, settings, observe)
    redis = _redis(settings, observe)
    planner = Planner(schema, limits_of(settings), dated=settings.cache_bytes > 0)
    documents = _documents(settings, planner, registered, redis, observe)

    cache = _cache(settings, redis, observe) if settings.cache_bytes else None
    changes = StoryChanges(database)
    primary = Batches(database, settings)
    replicas = _replicas(settings, primary, observe)
    followers: list[Follower | None] = [changes, Following(cache) if cache else None, replicas]
    feed = _feed(settings, dsn, [each for each in followers if each], observe)

    # Connections of their own: however many queries wait for one, nobody waits to be known.
    access = Database(dsn, settings.model_copy(update={"pool_size": 2}), observe)
    callers = Callers(access, pepper_of(settings), away=settings.keys_away_seconds, observe=observe)
    allowances = Allowances(redis, settings.redis_prefix, settings.allowances, observe)
    usage = Usage(dsn, access, observe)
    streams = Streams(settings.max_streams)
    exports = Streams(settings.max_exports, "exports")

    @asynccontextmanager
    async def lifespan(_app: object) -> AsyncGenerator[None]:
        async with AsyncExitStack() as stack:
            reviewed = [each.reviewed(callers.holds) for each in (streams, exports)]
            parts = (telemetry.running(), database, replicas, access, redis, callers, usage, feed, *reviewed)
            for part in parts:
                if part:
                    await stack.enter_async_context(part)
            observe(ServingStarted())
            yield
        observe(ServingEnded())

    admission = Admission(callers, allowances, usage, settings)
    operations = Operations(
        planner,
        documents,
        database,
        primary,
        replicas,
        admission=admission,
        usage=usage,
        cache=cache,
        changes=changes,
        settings=settings,
    )
    asking = Asking(admission, operations, registered, cache, settings)
    events = EventStream(admission, operations, streams, settings.heartbeat, telemetry)
    graphql = GraphQLEndpoint(admission, operations, events, documents=documents, cache=cache, settings=settings)
    sockets = WebSocketEndpoint(admission, operations, streams, settings, telemetry)
    kept_elsewhere = readings(
        database,
        primary,
        access=access,
        replicas=replicas,
        cache=cache,
        feed=feed,
        redis=redis,
        streams=(streams, exports),
    )
    telemetry.metrics.read(kept_elsewhere)
    ready = health.ready(database, redis, feed, replicas)
    reader = Reader(asking, registered, settings)

    def beside() -> list[Beside]:
        return [each for tell in (exports_described, feeds_described) for each in tell(registered, planner.schema)]

    router = Router(
        [
            *_routes(settings, ready),
            *reader.routes,
            *feed_routes(asking, settings),
            *news_routes(asking, settings),
            *export_routes(asking, registered, planner.schema, exports, telemetry=telemetry, settings=settings),
            *rest_routes(asking, registered, planner.schema, settings, beside),
        ],
        redirect_slashes=False,
        default=reader.telling(_nothing_here),
        lifespan=lifespan,
    )
    app = _straight(graphql, SocketOrigins(sockets, settings.allowed_origins), GRAPHQL_PATHS, router)
    operators = management(telemetry.metrics.exposition, ready)

    def drain() -> None:
        streams.end()
        exports.end()

    return Application(*_layered(app, graphql, settings, telemetry), drain=drain, management=operators)


@dataclass(frozen=True, slots=True)
class Application:
    """The service as an ASGI application; `drain` has sockets and streams end, which would stay open for ever.

    `at_hand` is what a server may ask first, and `management` another application, for operators.
    """

    app: ASGIApp
    at_hand: AtHand
    drain: Callable[[], None]
    management: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


def _routes(settings: Settings, ready: health.Probe) -> list[BaseRoute]:
    return [
        *at("/livez", health.alive),
        *at("/readyz", ready),
        *at("/startupz", health.alive),
        *((*at("/schema.graphql", pages.schema_file(), READING), *client_routes()) if settings.introspection else ()),
        Mount("/graphiql", pages.graphiql_files()),
        *manual_routes(settings),
    ]


def _layered(
    app: ASGIApp, graphql: GraphQLEndpoint, settings: Settings, telemetry: Telemetry
) -> tuple[ASGIApp, AtHand]:
    """The application within the layers that every request goes through, and what goes through them in one step."""
    sharing = Sharing(Failures(app, observe=telemetry.observe), allowed=settings.allowed_origins)
    # The server's own `send` is known to the outermost of those that touch an answer.
    requests = RequestId(
        sharing,
        report=telemetry.report,
        tls_seconds=settings.tls_only_seconds,
        lines=lines_for_all(settings.allowed_origins),
    )
    proxies = BehindProxies(requests, settings.trusted_proxies) if settings.trusted_proxies else None
    return proxies or requests, AtHand(graphql, GRAPHQL_PATHS, requests=requests, sharing=sharing, proxies=proxies)


def _straight(endpoint: ASGIApp, sockets: ASGIApp, paths: Container[str], router: ASGIApp) -> ASGIApp:
    """Leads what comes for these paths to its endpoint, all else to the router, whose search costs like a plan."""

    def lead(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "http" and scope["path"] in paths:
            return endpoint(scope, receive, send)
        if scope["type"] == "websocket":
            return (sockets if scope["path"] in paths else refuse_socket)(scope, receive, send)
        # Within an application, as it takes this to be, Starlette raises what else it would answer in plain text.
        scope["app"] = router
        return router(scope, receive, send)

    return lead


async def _nothing_here(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise NotFound("Nothing is served here. GraphQL is at /graphql.")


def _redis(settings: Settings, observe: Observer) -> SharedRedis | None:
    if settings.redis_url is None:
        return None
    try:
        return SharedRedis(settings.redis_url.get_secret_value(), observe)
    except ValueError as error:
        raise SettingsError(f"{PREFIX}REDIS_URL: what was given (kept secret) will not do: {error}") from None


def _documents(
    settings: Settings,
    planner: Planner,
    registered: tuple[Registered, ...],
    redis: SharedRedis | None,
    observe: Observer,
) -> Registry:
    quota = Quota(settings.kept_documents, settings.kept_documents_bytes, settings.kept_documents_seconds)
    here = KeptHere(quota)
    kept = KeptForAll(redis, settings.redis_prefix, quota, here, observe) if redis else here
    return Registry(planner, registered, kept)


def _replicas(settings: Settings, primary: Batches, observe: Observer) -> Replicas | None:
    if not settings.replica_urls:
        return None
    if not settings.cache_bytes:
        advice = f"leave out {PREFIX}CACHE_BYTES=0: what tells an old answer from a new one is kept there"
        raise SettingsError(f"{PREFIX}REPLICA_URLS: replicas cannot be read without a cache; {advice}")
    return Replicas(primary, settings, observe)


def _feed(settings: Settings, dsn: str, followers: Sequence[Follower], observe: Observer) -> ChangeFeed:
    direct = settings.feed_database_url
    keep = timedelta(hours=settings.changes_kept_hours)
    return ChangeFeed(direct.get_secret_value() if direct else dsn, followers, keep, observe)


def _cache(settings: Settings, redis: SharedRedis | None, observe: Observer) -> ResponseCache:
    lifetimes = Lifetimes(
        heard=SILENCE,
        list_fresh=settings.cache_list_seconds,
        list_stale=settings.cache_refresh_seconds,
        if_away=settings.cache_away_seconds,
    )
    local = LocalCache(settings.cache_bytes)
    limit = settings.max_response_bytes
    shared = RedisCache(redis, settings.redis_prefix) if redis else NothingShared()
    return ResponseCache(local, shared, lifetimes, max_body_bytes=limit, observe=observe)


def limits_of(settings: Settings) -> Limits:
    """What an operation may be at most, whoever sends it."""
    return Limits(
        max_tokens=settings.max_tokens,
        max_depth=settings.max_depth,
        max_introspection_depth=settings.max_introspection_depth,
        max_introspection_fields=settings.max_introspection_fields,
        max_aliases=settings.max_aliases,
        max_root_fields=settings.max_root_fields,
        introspection=settings.introspection,
        windows=WindowLimits(settings.max_window_days, settings.open_window_days),
    )
