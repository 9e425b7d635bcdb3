"""REST: registered documents that carry a route, answered at their paths. All follows from documents and schema."""

from service.rest.openapi import Beside
from service.rest.routes import rest_routes

__all__ = ["Beside", "rest_routes"]
