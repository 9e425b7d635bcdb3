"""What can be set from outside, and how a wrong setting is told. Knows nothing of what the settings are for."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, cast

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.setting_types import (
    Features,
    Networks,
    Origins,
    PostgresUrl,
    PostgresUrls,
    PublicUrl,
    RedisUrl,
    TracesUrl,
)

PREFIX = "PARALLAX_"


class SettingsError(Exception):
    """Settings that cannot be used: one line for each, with what was given (never a secret) and what would do."""


class Settings(BaseSettings):
    """Every setting with its default; `Settings()` reads them from the environment and cannot be changed after."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        frozen=True,
        hide_input_in_errors=True,
        validate_default=True,
        allow_inf_nan=False,
    )

    database_url: PostgresUrl = Field(
        default=None,
        description="The Postgres that holds the news. Without it Parallax runs one of its own in `DATA_DIR`.",
        examples=["postgresql://parallax:password@localhost:5432/parallax"],
    )
    data_dir: Path = Field(default=Path(".parallax"), description="Where the embedded Postgres keeps its data.")
    pool_size: PositiveInt = Field(
        default=16,
        description=(
            "The most connections to Postgres at one time. "
            "Two for each of its cores serve best: reads that wait go together."
        ),
    )

    prepared_statements: bool = Field(
        default=True,
        description=(
            "Whether statements are prepared once for each connection. `false` for a PgBouncer before 1.21 in "
            "transaction mode, which gives a connection's statements to others."
        ),
    )
    feed_database_url: PostgresUrl = Field(
        default=None,
        description=(
            "The same Postgres without a pooler between: where `DATABASE_URL` leads through PgBouncer, changes are "
            "heard of here, since LISTEN does not pass through, and `migrate`, `load` and `demo` work here. Without "
            "it, `DATABASE_URL`."
        ),
        examples=["postgresql://parallax:password@localhost:5432/parallax"],
    )
    replica_urls: PostgresUrls = Field(
        default=(),
        description=(
            "Where reads may go: streaming replicas of `DATABASE_URL`, separated by commas. Reads are spread over "
            "those that follow closely enough; a story is never older than the change that the process was told of."
        ),
        examples=["postgresql://parallax:password@replica-1:5432/parallax"],
    )
    replica_lag_seconds: float = Field(
        default=10.0,
        ge=2,
        le=600,
        description="Seconds that a replica may be behind; one that is further behind is left alone until it is not.",
    )
    changes_kept_hours: PositiveFloat = Field(
        default=168.0,
        le=1_000_000,
        description="Hours for which changes are kept for those who come back; an older cursor has expired.",
    )

    redis_url: RedisUrl = Field(
        default=None,
        description=(
            "The Redis that processes share: `redis://`, or `rediss://` for TLS; `redis+cluster://` and "
            "`rediss+cluster://` for a cluster. Without it, and while it is away, each process keeps to itself what it "
            "knows."
        ),
        examples=["redis://localhost:6379/0"],
    )
    redis_prefix: str = Field(
        default="parallax",
        pattern=r"^[A-Za-z0-9_.:-]{1,40}$",
        description="What all keys in Redis begin with: installations that share a Redis need different ones.",
    )

    host: str = Field(default="127.0.0.1", description="The address to serve on; `0.0.0.0` is every IPv4 address.")
    port: int = Field(default=8000, ge=0, le=65535, description="The port to serve on; 0 takes a free one.")
    management_port: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description=(
            "The port at which `/metrics` and the probes are served to operators, at the same address: it is not for "
            "the public. Without it, 1,000 above `PORT`, or below where none is above; 0 takes a free one."
        ),
        examples=["9000"],
    )
    drain_timeout: PositiveInt = Field(
        default=10, description="Seconds that running requests are given to end when the server is told to stop."
    )

    public_url: PublicUrl = Field(
        default=None,
        description=(
            "Where callers reach the service, such as `https://news.example`, for the links in feeds, pages and REST. "
            "Without it, links lead to the host that a request names."
        ),
        examples=["https://news.example"],
    )
    allowed_origins: Origins = Field(
        default=frozenset({"*"}),
        description=(
            "The origins whose pages may read answers and open WebSockets, separated by commas; `*` is every one. "
            "Nothing that a browser adds by itself lets a caller see more, so a page learns what its author could."
        ),
        examples=["https://news.example,https://app.news.example"],
    )
    trusted_proxies: Networks = Field(
        default=frozenset(),
        description=(
            "The networks of the proxies in front, separated by commas: of these, `X-Forwarded-For` is believed. "
            "Without it, a caller's address is the one that the connection comes from."
        ),
        examples=["10.0.0.0/8,fd00::/8"],
    )
    tls_only_seconds: NonNegativeInt = Field(
        default=0,
        description=(
            "Seconds for which browsers are told to come by TLS only (`Strict-Transport-Security`); 0 tells them "
            "nothing. For installations that are never reached without TLS."
        ),
    )

    key_pepper: SecretStr | None = Field(
        default=None,
        min_length=16,
        description=(
            "The secret by which keys are kept, at least 16 characters. It must stay the same: keys made by one are "
            "not known by another. Required with `DATABASE_URL`; else made, and kept in `DATA_DIR`."
        ),
        examples=["kept-as-secret-as-a-password-is"],
    )
    keys_away_seconds: NonNegativeFloat = Field(
        default=0.0,
        le=86_400,
        description=(
            "Seconds for which keys that are known go on being good while Postgres is away. With 0, a revoked key is "
            "refused everywhere within 5 seconds, and callers with keys get 503 while nobody can say if theirs was "
            "revoked; with more, they are answered, and so are those whose key was revoked meanwhile."
        ),
    )

    granted_features: Features = Field(
        default=frozenset(),
        description=(
            "Features that every caller has, separated by commas, of `FACTUALITY`, `OWNERSHIP`, `PERSPECTIVES`, "
            "`HISTORY` and `EXPORT`. Meant for private installations and tests."
        ),
        examples=["FACTUALITY,OWNERSHIP"],
    )

    max_body_bytes: PositiveInt = Field(default=100_000, description="The largest request body, in bytes.")
    body_timeout: PositiveFloat = Field(default=10.0, description="Seconds in which a request's body must arrive.")
    max_tokens: PositiveInt = Field(default=1_000, description="The most tokens in a document.")
    max_depth: PositiveInt = Field(
        default=12, description="The deepest nesting of fields; a root field is 1, leaves count."
    )
    max_introspection_depth: PositiveInt = Field(
        default=16, description="The deepest nesting below `__schema` and `__type`."
    )
    max_introspection_fields: PositiveInt = Field(
        default=2_000, description="The most fields below `__schema` and `__type`, fragments expanded."
    )
    max_aliases: PositiveInt = Field(default=30, description="The most aliases in a document, fragments expanded.")
    max_root_fields: PositiveInt = Field(
        default=10, description="The most root fields in a document, fragments expanded."
    )
    max_page_size: PositiveInt = Field(
        default=1_000, description="The most items in a page, for tiers that would allow more."
    )
    max_window_days: PositiveInt = Field(
        default=366, le=1_000_000, description="The longest window of coverage, in days."
    )
    open_window_days: PositiveInt = Field(
        default=90,
        le=1_000_000,
        description="Days that a window of coverage may look back without the feature `HISTORY`.",
    )
    max_response_bytes: PositiveInt = Field(default=5_000_000, description="The largest response, in bytes.")
    operation_timeout: PositiveFloat = Field(
        default=5.0,
        le=86_400,
        description="Seconds that one operation may take; half of them it waits for a connection at most.",
    )

    allowances: Literal["enforce", "measure", "off"] = Field(
        default="enforce",
        description=(
            "Whether operations are refused for what they cost and what their caller has spent: `enforce`, `measure` "
            "(nothing is refused, and the log tells how much would have been), or `off`."
        ),
    )

    max_streams: PositiveInt = Field(
        default=4_000, description="The most WebSockets and event streams of one caller that are open at a time."
    )
    max_exports: PositiveInt = Field(
        default=4, description="The most exports of one caller that are on their way at a time from one process."
    )
    max_subscriptions: PositiveInt = Field(default=10, description="The most operations that run on a WebSocket.")
    socket_init_timeout: PositiveFloat = Field(
        default=3.0, description="Seconds in which a WebSocket must send `connection_init`."
    )
    heartbeat: PositiveFloat = Field(
        default=15.0, description="Seconds between signs of life on WebSockets and event streams that are quiet."
    )

    cache_bytes: NonNegativeInt = Field(
        default=64_000_000,
        description="Memory for answers that are kept in the process, in bytes; 0 keeps none anywhere.",
    )
    cache_list_seconds: NonNegativeFloat = Field(
        default=2.0,
        description="Seconds for which a list is given as it is kept. Stories know themselves when they change.",
    )
    cache_refresh_seconds: NonNegativeFloat = Field(
        default=30.0, description="Seconds after that for which it is still given, while one request has it made anew."
    )
    cache_away_seconds: NonNegativeFloat = Field(
        default=600.0, description="Seconds for which what is kept is given, marked stale, while Postgres is away."
    )
    cache_max_age: NonNegativeInt = Field(
        default=2, description="Seconds for which browsers and proxies may keep an answer (`Cache-Control: max-age`)."
    )

    registered_only: bool = Field(
        default=False,
        description="Whether anonymous callers may run registered documents only; `parallax documents` lists these.",
    )
    kept_documents: NonNegativeInt = Field(
        default=10_000,
        description="The most documents that are kept for clients of Apollo's automatic protocol; 0 keeps none.",
    )
    kept_documents_bytes: PositiveInt = Field(
        default=16_000_000, description="The most bytes of these together; those not used for longest make room."
    )
    kept_documents_seconds: PositiveInt = Field(
        default=86_400, description="Seconds for which such a document is kept after its last use."
    )

    log_requests: Literal["all", "notable", "none"] = Field(
        default="notable",
        description=(
            "Which requests are logged: `all`, the `notable` (which failed by no fault of the caller, or took longer "
            "than `SLOW_SECONDS`), or `none`. All are counted in the metrics."
        ),
    )
    slow_seconds: PositiveFloat = Field(default=1.0, description="Seconds after which a request is logged as slow.")
    traces_url: TracesUrl = Field(
        default=None,
        description="Where OpenTelemetry's spans go, by OTLP over HTTP. Without it, there are none.",
        examples=["http://localhost:4318/v1/traces"],
    )
    traces_share: float = Field(
        default=0.05,
        ge=0,
        le=1,
        description="The share of operations that are recorded, 0 to 1; which, chance decides.",
    )

    introspection: bool = Field(
        default=True,
        description="Whether `__schema`, `__type` and `/schema.graphql` are answered, and errors suggest names.",
    )
    reader: bool = Field(
        default=True,
        description="Whether pages for people are served, at `/`; without them, only what programs ask for.",
    )
    graphiql: bool = Field(default=True, description="Whether a browser that opens `/graphql` gets the GraphiQL page.")

    @property
    def port_for_operators(self) -> int:
        """`management_port`, or what it is by default."""
        if self.management_port is not None:
            return self.management_port
        if not self.port:
            return 0
        return self.port + 1_000 if self.port <= 64_535 else self.port - 1_000


def read_settings() -> Settings:
    """The settings from the environment; raises SettingsError where one of them will not do."""
    try:
        return Settings()
    except ValidationError as wrong:
        findings = {str(error["loc"][0]): error for error in reversed(wrong.errors(include_url=False))}
        lines = [_finding(name, str(error["msg"]), error["input"]) for name, error in sorted(findings.items())]
        raise SettingsError("\n".join(lines)) from None


def default_of(name: str) -> str:
    """A setting's default as it is written in the documentation."""
    default: Any = Settings.model_fields[name].default
    if default is None or default in (frozenset(), ()):
        return "none"
    if isinstance(default, frozenset):
        return f"`{','.join(sorted(cast('frozenset[str]', default)))}`"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _example(name: str) -> str:
    examples: list[Any] | None = Settings.model_fields[name].examples
    return str(examples[0]) if examples else default_of(name).strip("`")


def _finding(name: str, reason: str, given: object) -> str:
    secret = "SecretStr" in str(Settings.model_fields[name].annotation)
    shown = "what was given (kept secret)" if secret else f'"{given}"'
    variable = PREFIX + name.upper()
    told = reason.removeprefix("Value error, ").replace("Input should be", "it must be")
    return f"{variable}: {shown} will not do: {told}. This would do: {variable}={_example(name)}"
