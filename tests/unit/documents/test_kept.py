from __future__ import annotations

from dataclasses import dataclass

from service.documents import KeptHere, Quota, id_of


@dataclass
class Clock:
    time: float = 0

    def __call__(self) -> float:
        return self.time


async def put(store: KeptHere, *texts: str) -> None:
    for text in texts:
        await store.put(id_of(text), text)


async def kept(store: KeptHere, *texts: str) -> list[str]:
    return [text for text in texts if await store.get(id_of(text)) == text]


async def test_those_not_used_for_longest_make_room_by_number() -> None:
    store = KeptHere(Quota(documents=2, bytes=1_000, seconds=60))
    await put(store, "a", "b")
    assert await kept(store, "a") == ["a"]
    await put(store, "c")
    assert await kept(store, "a", "b", "c") == ["a", "c"]


async def test_those_not_used_for_longest_make_room_by_bytes() -> None:
    store = KeptHere(Quota(documents=100, bytes=10, seconds=60))
    await put(store, "aaaa", "bbbb", "ééé")
    assert await kept(store, "aaaa", "bbbb", "ééé") == ["bbbb", "ééé"]


async def test_what_is_larger_than_the_whole_quota_drives_nothing_out() -> None:
    store = KeptHere(Quota(documents=100, bytes=10, seconds=60))
    await put(store, "aaaa", "b" * 11)
    assert await kept(store, "aaaa", "b" * 11) == ["aaaa"]


async def test_a_document_put_twice_counts_once() -> None:
    store = KeptHere(Quota(documents=2, bytes=8, seconds=60))
    await put(store, "aaaa", "aaaa", "aaaa", "bbbb")
    assert await kept(store, "aaaa", "bbbb") == ["aaaa", "bbbb"]


async def test_a_document_is_kept_for_a_time_after_its_last_use() -> None:
    clock = Clock()
    store = KeptHere(Quota(documents=9, bytes=99, seconds=60), clock)
    await put(store, "a", "b")
    clock.time = 59
    assert await kept(store, "a") == ["a"]
    clock.time = 61
    assert await kept(store, "a", "b") == ["a"]
    clock.time = 200
    assert await kept(store, "a", "b") == []


async def test_a_quota_of_none_keeps_none() -> None:
    store = KeptHere(Quota(documents=0, bytes=99, seconds=60))
    await put(store, "a")
    assert await kept(store, "a") == []


async def test_a_million_documents_take_no_more_than_the_quota() -> None:
    store = KeptHere(Quota(documents=50, bytes=400, seconds=60))
    for number in range(1_000_000):
        store.keep(str(number), f"{number:x}")
    assert len(store) == 50
    assert store.bytes == sum(len(f"{number:x}") for number in range(999_950, 1_000_000)) <= 400
