"""What a load promises whatever happens: wrong lines, strictness, kills, other loads, and a real corpus."""

import asyncio
import gzip
import io
import random
import subprocess
import sys
import tracemalloc
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import pytest

from service.events import Event
from service.load import BatchWritten, LineRefused, LinesRead, ReadingEnded, WritingBegan, load, load_lines, writing
from tests.databases import MakeDatabase
from tests.integration.loading import (
    Line,
    article,
    contents,
    findings,
    merge,
    outcome,
    outlet,
    put,
    put_twice,
    remove_story,
    rows,
    shown,
    story,
    stream,
    topic,
)
from tests.integration.recount import BIASES, assert_figures_agree

CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "news-2014.ndjson.gz"

WRONG_LINES: list[bytes | Line] = [
    b"not JSON",
    b'{"type": "nonsense"}',
    article("nul", title="a\0b"),
    b'{"type": "topic", "slug": "' + b"x" * 50_000_000 + b'"}',
    article("time", publishedAt="2026-03-01T12:00:00"),
    b'{"type": "article", "url": "https://one.exam',
    b'{"type": "topic", "slug": "\xc3',
]


async def test_a_wrong_line_costs_nothing_but_itself(empty_database: str) -> None:
    right = [story("k"), article("1", story="k")]
    summary = await put_twice(empty_database, right[0], *WRONG_LINES, right[1])
    assert findings(summary) == [
        (2, None),
        (3, "type"),
        (4, "title"),
        (5, None),
        (6, "publishedAt"),
        (7, None),
        (8, None),
    ]
    assert all(error.reason and error.file == "stream" for error in summary.errors)
    assert (summary.created, summary.refused, summary.exit_code) == (2, 7, 1)
    assert outcome(summary, "unknown") == (0, 0, 0, 5)
    assert await shown(empty_database) == {"k": {"1"}}


async def test_errors_name_the_file_and_its_line(empty_database: str, tmp_path: Path) -> None:
    first, second = tmp_path / "first.ndjson", tmp_path / "second.ndjson.gz"
    first.write_bytes(b"\n" + stream(topic("a"), b"x"))
    second.write_bytes(gzip.compress(stream(topic("b"), article("1", story="never"), topic(""))))
    told: list[Event] = []
    summary = await load(empty_database, [first, second], observer=told.append)
    places = [(error.file, error.line, error.field) for error in summary.errors]
    assert places == [(str(first), 3, None), (str(second), 3, "slug"), (str(second), 2, "story")]
    assert [event for event in told if isinstance(event, LineRefused)] == list(summary.errors)
    assert [event for event in told if isinstance(event, LinesRead)][-1] == LinesRead(6, 2, 1.0)
    assert summary.errors[2].text == '{"type": "article", "url": "https://one.example/1", "story": "never"}'


async def test_lines_that_name_what_is_not_there_are_refused_in_bounded_memory(empty_database: str) -> None:
    peaks: list[int] = []

    def watch(event: Event) -> None:
        if isinstance(event, LinesRead) and event.lines == 30_000 and not tracemalloc.is_tracing():
            tracemalloc.start()
        elif isinstance(event, LineRefused) and not peaks:
            peaks.append(tracemalloc.get_traced_memory()[1])

    lines = (article(str(number), story="never") for number in range(30_000))
    try:
        summary = await load_lines(empty_database, lines, observer=watch)
    finally:
        tracemalloc.stop()
    assert (summary.refused, [error.line for error in summary.errors[:3]]) == (30_000, [1, 2, 3])
    assert peaks[0] < 2_000_000


async def test_files_of_one_command_are_one_load_in_order(empty_database: str) -> None:
    files = [stream(article("1", story="k", title="Old")), stream(story("k")), stream(article("1", title="New"))]
    summary = await load(empty_database, [io.BytesIO(file) for file in files])
    assert summary.refused == 0
    assert await rows(empty_database, "select title from articles") == [("New",)]


async def test_lines_before_a_bad_gzip_tail_are_loaded_and_the_tail_is_told(empty_database: str) -> None:
    packed = gzip.compress(stream(*(topic(str(n)) for n in range(100))))[:-6]
    summary = await load(empty_database, [io.BytesIO(packed), io.BytesIO(stream(topic("after")))])
    assert outcome(summary, "topic") == (101, 0, 0, 0)
    assert findings(summary) == [(101, None)]
    assert summary.exit_code == 1


async def test_a_last_line_without_an_end_counts(empty_database: str) -> None:
    summary = await load(empty_database, [io.BytesIO(stream(topic("a")).rstrip())])
    assert summary.created == 1


@pytest.mark.parametrize(
    "wrong", [b"x", article("2", story="never"), merge("k", "never"), topic("a", parent="a")], ids=str
)
async def test_strict_refuses_the_whole_load(empty_database: str, wrong: bytes | Line) -> None:
    await put(empty_database, story("k"), article("1", story="k"))
    before = await contents(empty_database)
    summary = await put(empty_database, topic("new"), article("1", title="New"), wrong, b"y", strict=True)
    assert (summary.refused, summary.exit_code, summary.completed) == (1, 2, False)
    assert (summary.created, summary.updated, summary.unchanged) == (0, 0, 0)
    assert await contents(empty_database) == before


async def test_strict_loads_what_is_right(empty_database: str) -> None:
    assert (await put(empty_database, story("k"), article("1", story="k"), strict=True)).exit_code == 0


async def test_exit_codes(empty_database: str) -> None:
    assert (await put(empty_database)).exit_code == 0
    assert (await put(empty_database, topic("a"), b"x")).exit_code == 1
    assert (await put(empty_database, topic("a"), b"x")).exit_code == 1
    assert (await put(empty_database, b"x")).exit_code == 2


async def test_every_line_is_counted_once(empty_database: str) -> None:
    await put(empty_database, story("k"), article("1", story="k"), topic("t"))
    summary = await put(
        empty_database,
        *(story("k"), story("k", "New"), article("1"), article("2", story="k"), article("3", story="no"), topic("t")),
        *(topic("u"), topic("u"), outlet("one.example", country="GB"), remove_story("never"), b"x"),
    )
    assert summary.lines == summary.created + summary.updated + summary.unchanged + summary.refused == 11
    assert outcome(summary, "story") == (0, 1, 1, 0)
    assert outcome(summary, "article") == (1, 0, 1, 1)
    assert outcome(summary, "topic") == (1, 0, 2, 0)
    assert outcome(summary, "outlet") == (0, 1, 0, 0)
    assert outcome(summary, "remove") == (0, 0, 1, 0)


async def test_lines_of_a_program_are_loaded_as_they_come(empty_database: str) -> None:
    summary = await load_lines(empty_database, (topic(str(n)) for n in range(25_000)))
    assert outcome(summary, "topic") == (25_000, 0, 0, 0)


async def test_nothing_of_a_load_is_left_in_the_database(empty_database: str) -> None:
    query = "select relname from pg_class where relname ~ '^(staged|net|batch|story_nodes)'"
    before = await rows(empty_database, query)
    await put(empty_database, story("k"), article("1", story="k"))
    assert await rows(empty_database, query) == before == []


# Kills and other loads ---------------------------------------------------------------------------------

KILLS = 20

LOADER = """
import asyncio, sys
from service.load import BatchWritten, load, writing
writing.ARTICLES = 40
def tell(event):
    if isinstance(event, BatchWritten):
        print(event.done, flush=True)
print("begun", flush=True)
asyncio.run(load(sys.argv[1], [sys.argv[2]], observer=tell))
"""


def _world(seed: int, articles: int = 400) -> list[Line]:
    """Overlapping streams: every one has the same outlets, stories and articles, and puts them together differently."""
    chosen = random.Random(seed)
    lines: list[Line] = [
        outlet(f"{n}.example", country="GB", ratings=[{"agency": "A", "bias": chosen.choice(BIASES)}])
        for n in range(20)
    ]
    lines += [story(f"s{n}", f"Title {chosen.randrange(9)}", topics=[f"t{n % 5}"]) for n in range(25)]
    lines += [
        article(
            str(n),
            story=f"s{chosen.randrange(25)}",
            outlet=f"{chosen.randrange(20)}.example",
            publishedAt=f"2026-03-{1 + n % 28:02}T00:00:00Z",
            title=f"Title {chosen.randrange(9)}",
        )
        for n in range(articles)
    ]
    return [*lines, merge(f"s{20 + seed % 5}", "s1")]


async def test_a_kill_at_any_moment_leaves_whole_batches_and_loading_again_completes(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    dsn, chosen = await make_database(), random.Random(1)
    cut_off = 0
    for seed in range(KILLS):
        file = tmp_path / f"{seed}.ndjson"
        file.write_bytes(stream(*_world(seed)))
        with subprocess.Popen(
            [sys.executable, "-c", LOADER, dsn, str(file)], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
        ) as loader:
            assert loader.stdout is not None
            for _ in range(chosen.randrange(1, 14)):
                loader.stdout.readline()
            await asyncio.sleep(chosen.random() / 20)
            loader.kill()
        cut_off += loader.returncode != 0
        await assert_figures_agree(dsn)
    assert cut_off > KILLS // 2
    last = _world(KILLS - 1)
    await put_twice(dsn, *last)
    assert await rows(dsn, "select count(*), count(distinct url) from articles") == [(400, 400)]


async def test_loads_of_the_same_stories_at_once_leave_figures_that_agree(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "ARTICLES", 30)
    monkeypatch.setattr(writing, "STORIES", replace(writing.STORIES, size=5))
    monkeypatch.setattr(writing, "OUTLETS", replace(writing.OUTLETS, size=5))
    loads = (load_lines(empty_database, _world(seed)) for seed in range(4))
    summaries = await asyncio.gather(*loads)
    await assert_figures_agree(empty_database)
    assert [summary.refused for summary in summaries] == [0, 0, 0, 0]
    assert await rows(empty_database, "select count(*) from articles") == [(400,)]


async def test_two_loads_of_the_same_file_at_once_are_as_one(make_database: MakeDatabase) -> None:
    one, two = await make_database(), await make_database()
    await load_lines(one, _world(0))
    summaries = await asyncio.gather(load_lines(two, _world(0)), load_lines(two, _world(0)))
    await assert_figures_agree(two)
    assert await shown(two) == await shown(one)
    assert sum(outcome(summary, "article")[0] for summary in summaries) == 400


async def test_a_writer_that_is_no_load_makes_a_load_try_again(empty_database: str) -> None:
    await put(empty_database, *(story(key) for key in "ab"), *(article(key, story=key) for key in "ab"))
    conn = await asyncpg.connect(empty_database)
    try:
        deadlocks = 0
        loading = asyncio.create_task(load_lines(empty_database, _world(3, articles=300)))
        while not loading.done():
            try:
                async with conn.transaction():
                    for key in ("b", "a"):
                        await conn.execute("update stories set title = title || '.' where key = $1", key)
                        await asyncio.sleep(0)
            except asyncpg.DeadlockDetectedError:
                deadlocks += 1
        assert (await loading).refused == 0
    finally:
        await conn.close()
    await assert_figures_agree(empty_database)


async def test_progress_is_told_batch_by_batch(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "ARTICLES", 100)
    told: list[Event] = []
    await load_lines(empty_database, _world(0), observer=told.append)
    batches = [event for event in told if isinstance(event, BatchWritten)]
    assert [batch.done for batch in batches] == sorted({batch.done for batch in batches})
    assert batches[-1].done == batches[-1].total
    ended, began = (event for event in told if isinstance(event, ReadingEnded | WritingBegan))
    assert isinstance(ended, ReadingEnded)
    assert isinstance(began, WritingBegan)
    assert began.total == batches[-1].total
    reads = [event for event in told if isinstance(event, LinesRead)]
    assert max(map(told.index, reads)) < told.index(ended) < told.index(began) < told.index(batches[0])
    assert ended.lines == reads[-1].lines


# The real corpus ---------------------------------------------------------------------------------------


@pytest.mark.skipif(not CORPUS.exists(), reason="the real corpus is not beside the project")
async def test_the_real_corpus_is_loaded_whole_and_its_figures_are_those_of_its_lines(empty_database: str) -> None:
    dsn = empty_database
    first = await load(dsn, [CORPUS])
    assert [outcome(first, kind) for kind in ("topic", "outlet", "story", "article")] == [
        (4, 0, 0, 0),
        (5_713, 0, 0, 0),
        (87, 0, 0, 0),
        (6_366, 0, 0, 0),
    ]
    before = await contents(dsn)
    second = await load(dsn, [CORPUS])
    assert (second.created, second.updated, second.unchanged, second.refused) == (0, 0, 12_170, 0)
    assert await contents(dsn) == before
    await assert_figures_agree(dsn)
    stored = {key: figures for key, *figures in await rows(dsn, STORED_FIGURES)}
    assert stored == _figures_of([orjson.loads(line) for line in gzip.decompress(CORPUS.read_bytes()).splitlines()])


STORED_FIGURES = """
    select s.key, s.article_count, s.outlet_count, s.bias_counts, array[s.left_count, s.center_count, s.right_count],
        percents(s.bias_counts), percents(side_counts(s.bias_counts)), s.outlet_count - s.rated_count,
        s.blindspot::text,
        s.leading_side::text, a.url, s.first_published_at, s.last_published_at,
        (select jsonb_object_agg(extract(epoch from t.start)::bigint, array[t.article_count, t.report_count])
         from story_timeline(s.id, 'hour') t)::text
    from stories s join articles a on a.id = s.first_article_id
"""


def _figures_of(lines: list[dict[str, Any]]) -> dict[str, list[Any]]:
    bias = {
        line["domain"]: line["ratings"][0]["bias"] for line in lines if line["type"] == "outlet" and "ratings" in line
    }
    members: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in lines:
        if line["type"] == "article":
            members[line["story"]].append(line)
    return {key: _figures(articles, bias) for key, articles in members.items()}


def _figures(articles: list[dict[str, Any]], bias: dict[str, str | None]) -> list[Any]:
    times = [datetime.fromisoformat(article["publishedAt"]) for article in articles]
    ordered = [article for _, _, article in sorted((time, n, articles[n]) for n, time in enumerate(times))]
    firsts: dict[str, str] = {}
    for one in ordered:
        firsts.setdefault(one["outlet"], one["publishedAt"])
    points = Counter(bias.get(outlet) for outlet in firsts)
    counts = [points[point] for point in BIASES]
    sides = [sum(counts[:3]), counts[3], sum(counts[4:])]
    hours = {_hour(time): [0, 0] for time in [article["publishedAt"] for article in articles]}
    for one in articles:
        hours[_hour(one["publishedAt"])][0] += 1
    for first in firsts.values():
        hours[_hour(first)][1] += 1
    leading = [side for side, count in zip(("LEFT", "CENTER", "RIGHT"), sides, strict=True) if count == max(sides)]
    return [
        *(len(articles), len(firsts), counts, sides, _percents(counts), _percents(sides), len(firsts) - sum(counts)),
        *(_blindspot(sides), leading[0] if len(leading) == 1 else None, ordered[0]["url"], min(times), max(times)),
        _as_json_object(hours),
    ]


def _as_json_object(hours: dict[int, list[int]]) -> str:
    """As Postgres writes it: the keys by length, then by bytes."""
    inside = ", ".join(f'"{hour}": [{counts[0]}, {counts[1]}]' for hour, counts in sorted(hours.items()))
    return f"{{{inside}}}"


def _hour(time: str) -> int:
    return int(datetime.fromisoformat(time).timestamp()) // 3600 * 3600


def _percents(counts: list[int]) -> list[int]:
    if not sum(counts):
        return [0] * len(counts)
    shares = [Fraction(100 * count, sum(counts)) for count in counts]
    whole = [int(share) for share in shares]
    largest = sorted(range(len(counts)), key=lambda entry: (whole[entry] - shares[entry], entry))
    for entry in largest[: 100 - sum(whole)]:
        whole[entry] += 1
    return whole


def _blindspot(sides: list[int]) -> str | None:
    rated = sum(sides)
    for name, one, other in (("LEFT", sides[0], sides[2]), ("RIGHT", sides[2], sides[0])):
        if rated >= 5 and 5 * one <= rated and 20 * other >= 7 * rated and other >= 2 * one:
            return name
    return None
