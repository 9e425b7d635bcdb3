"""The second level: entries in Redis, for all processes. Never needed: whatever goes wrong with it is a miss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class SharedCache(Protocol):
    """Bytes by key, for all processes. No call raises, and none takes longer than its time."""

    def begin(self, database: str) -> None:
        """What is kept is of the database of that identity; before, nothing is kept."""
        ...

    def ask(self, key: bytes, then: Callable[[bytes | None], None]) -> bool:
        """Has `then` told what is kept under the key; False, with nobody asked, where that cannot be had so.

        Cheaper than asking who leads too.
        """
        ...

    async def get_or_lead(self, key: bytes, seconds: float) -> tuple[bytes | None, bool]:
        """What is kept under the key; where nothing is, also whether the caller is the one to `lead`."""
        ...

    async def lead(self, key: bytes, seconds: float) -> bool:
        """Whether the caller is to fill the key: for so long, or until it is `released`, no other is."""
        ...

    async def hold(self, key: bytes, seconds: float) -> None:
        """The caller that leads goes on doing so, for so long from now."""
        ...

    async def released(self, key: bytes) -> None:
        """The caller that was to fill the key has done so, or has given up."""
        ...

    async def put(self, key: bytes, value: bytes, seconds: int) -> None:
        """Keeps a value for so long."""
        ...


class NothingShared:
    """No second level: the process is alone, and always the one to fill."""

    def begin(self, database: str) -> None:
        pass

    def ask(self, key: bytes, then: Callable[[bytes | None], None]) -> bool:  # noqa: ARG002
        return False

    async def get_or_lead(self, key: bytes, seconds: float) -> tuple[bytes | None, bool]:  # noqa: ARG002
        return None, True

    async def lead(self, key: bytes, seconds: float) -> bool:  # noqa: ARG002
        return True

    async def hold(self, key: bytes, seconds: float) -> None:
        pass

    async def released(self, key: bytes) -> None:
        pass

    async def put(self, key: bytes, value: bytes, seconds: int) -> None:
        pass
