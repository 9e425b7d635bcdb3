from __future__ import annotations

from typing import Any, cast

from service.http.readings import readings
from service.http.streams import Streams


def test_all_that_stays_open_is_one_figure() -> None:
    sockets, exports = Streams(9), Streams(9, "exports")
    nobody = cast("Any", None)
    found = readings(
        nobody,
        nobody,
        access=nobody,
        replicas=None,
        cache=None,
        feed=nobody,
        redis=None,
        streams=(sockets, exports),
    )
    with sockets.opened("a"), exports.opened("a"), exports.opened("b"):
        assert found["streams"]() == 3
    assert found["streams"]() == 0
