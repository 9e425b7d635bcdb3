"""The demo world: invented outlets and their reporting, as lines of the load stream. It knows no database."""

from service.demo.generator import world
from service.demo.worked_example import WORKED_EXAMPLE_KEY, WORKED_EXAMPLE_TITLE

__all__ = ["WORKED_EXAMPLE_KEY", "WORKED_EXAMPLE_TITLE", "world"]
