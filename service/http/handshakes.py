"""WebSockets whose handshake cannot be read: uvicorn, which would wait for ever, has them answered and closed."""

from __future__ import annotations

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol


class AnswersHandshakes(WebSocketsSansIOProtocol):
    """uvicorn's protocol, but that what is said of too long a URL, or too many or too long headers, is sent."""

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()
