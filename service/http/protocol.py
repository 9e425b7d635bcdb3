"""uvicorn's protocol, but that an answer which is at hand is written as soon as its request is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.types import Message, Scope

from service.heads import BoundedHeads, bounded_heads
from service.http.shortcuts import whole_of

Answerer = Callable[[Scope, bytes], Message | None]
"""Gives the whole answer to a request with this body, or None where that takes longer."""


class AnswersAtHand(BoundedHeads):
    """Asks `at_hand` first for requests whose body comes with their head, and leaves all others to uvicorn."""

    at_hand: Answerer
    _held: list[bytes] | None = None
    """The parts of a body, while uvicorn has not been told of its head."""

    def on_headers_complete(self) -> None:
        if self._is_ordinary():
            self._within, self._held = False, []
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if self._held is None:
            super().on_body(body)
        else:
            self._held.append(body)

    def on_message_complete(self) -> None:
        if self._held is not None and (message := self._asked(b"".join(self._held))):
            self._held = None
            self.transport.write(whole_of(message, self.server_state.default_headers))
            self.on_response_complete()
            return
        self._let_go()
        super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._let_go()  # the rest of the body is on its way

    def _is_ordinary(self) -> bool:
        """Whether a request could be answered at once: none before it waits, and uvicorn has nothing else to do."""
        cycle: Any = self.cycle
        parser: Any = self.parser
        return (
            (cycle is None or cycle.response_complete)
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not parser.should_upgrade()
            and not self.expect_100_continue
            and not self.flow.write_paused
            and self.limit_concurrency is None
            and not self.access_log
        )

    def _asked(self, body: bytes) -> Message | None:
        scope: Any = self.scope
        parser: Any = self.parser
        scope["method"] = parser.get_method().decode("ascii")
        # What is more than a path and a query, or has escapes in it, is none of those that are at hand.
        path, _, scope["query_string"] = self.url.partition(b"?")
        scope["path"] = path.decode("latin-1")
        return self.at_hand(scope, body)

    def _let_go(self) -> None:
        """Tells uvicorn of what was held back."""
        if self._held is not None:
            held, self._held = self._held, None
            super().on_headers_complete()
            for part in held:
                super().on_body(part)


def answers_at_hand(at_hand: Answerer, most: int, seconds: float) -> type[AnswersAtHand]:
    """The protocol that asks so first, with the bounds of `bounded_heads`."""
    bounded = bounded_heads(most, seconds)
    return type("AnswersAtHand", (AnswersAtHand, bounded), {"at_hand": staticmethod(at_hand)})
