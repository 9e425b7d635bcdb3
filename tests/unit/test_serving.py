from __future__ import annotations

import pytest

from service.serving import AddressTaken, bind


def test_of_two_that_take_a_port_at_once_the_later_is_told() -> None:
    first = bind("127.0.0.1", 0, "PARALLAX_PORT")
    second = bind("127.0.0.1", first.port, "PARALLAX_MANAGEMENT_PORT")
    with first.socket, second.socket:
        first.listen()
        with pytest.raises(AddressTaken, match=rf"Port {first.port} .* Set PARALLAX_MANAGEMENT_PORT to another"):
            second.listen()
