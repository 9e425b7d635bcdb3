"""Requests that ask to go on as another protocol: as WebSocket they may, or are answered as if they had not asked.

httptools reads no body of such a request and takes what follows for the next one, which no proxy has seen as one; and
clients that would rather speak HTTP/2, as Java's does, lose what they send.
"""

from __future__ import annotations

import sys
from typing import Any, cast

from httptools import HttpRequestParser  # pyright: ignore[reportMissingTypeStubs]
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class PassesOverUpgrades(HttpToolsProtocol):
    """uvicorn's protocol, but that it reads on where nothing comes of an upgrade."""

    _passes_over = False
    """Whether the request that is being read asks in vain."""
    _again: tuple[bytes, int] | None = None
    """The head of such a request without what it asked in vain, and where in what was read it ended."""

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._again:
            self._read_again(data)

    def _read_again(self, data: bytes) -> None:
        rest = memoryview(data)
        while self._again and not self.transport.is_closing():
            (head, end), self._again = self._again, None
            super().data_received(head)
            rest = rest[end:]
            if rest:
                super().data_received(cast("bytes", rest))

    def on_headers_complete(self) -> None:
        self._passes_over = self._asks_in_vain()
        if not self._passes_over:
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        if not self._passes_over:
            super().on_message_complete()

    def _should_upgrade(self) -> bool:
        return super()._should_upgrade() and self.parser.get_method() == b"GET"

    def _asks_in_vain(self) -> bool:
        asks = self.parser.should_upgrade() and not self._should_upgrade()
        return asks and any(name == b"upgrade" for name, _ in self.headers)  # CONNECT has no such header

    def _unsupported_upgrade_warning(self) -> None:
        """Notes what is to be read again: uvicorn says so where the parser has stopped behind the head."""
        stopped = sys.exception()
        if self._passes_over and stopped:
            self._passes_over = False
            parser: Any = self.parser
            self.parser = HttpRequestParser(self)  # that one reads nothing more where the connection is to be closed
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn's own
            lines = [b"%b: %b\r\n" % (name, value) for name, value in self.headers if name != b"upgrade"]
            version = parser.get_http_version().encode()
            first = b"%b %b HTTP/%b\r\n" % (parser.get_method(), self.url, version)
            self._again = b"".join((first, *lines, b"\r\n")), stopped.args[0]
