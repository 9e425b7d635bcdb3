"""Documents that are asked for by their SHA-256: those shipped with the service, and those that callers had it keep."""

from service.documents.kept import DocumentStore, KeptHere, Quota
from service.documents.registered import BrokenDocuments, Registered, id_of, read_registered
from service.documents.registry import Registry
from service.documents.routes import Route
from service.documents.shared import KeptForAll

__all__ = [
    "BrokenDocuments",
    "DocumentStore",
    "KeptForAll",
    "KeptHere",
    "Quota",
    "Registered",
    "Registry",
    "Route",
    "id_of",
    "read_registered",
]
