"""The manual at /docs: the pages of docs/, and a reference that is made of the schema."""

from service.manual.serving import manual_routes

__all__ = ["manual_routes"]
