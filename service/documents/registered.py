"""The documents shipped with the service: read and checked at its start. Knows nothing of requests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from service.documents.routes import Heading, Route, clashes, findings, heading_of
from service.errors import ApiError, ParseFailed, ValidationFailed
from service.planner import Document, Operation, Planner

FOLDER = Path(str(files("schema") / "operations"))


class BrokenDocuments(Exception):
    """Documents that cannot be registered: a line for each finding, with file, line and reason."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A registered document; `name` is that of its file and of its operation.

    `about` is what the comment at its beginning says, `route` where it is answered beside GraphQL.
    """

    name: str
    id: str
    text: str
    document: Document
    about: str = ""
    route: Route | None = None


def id_of(text: str) -> str:
    """The SHA-256 of a document's text, in hexadecimal digits."""
    return sha256(text.encode()).hexdigest()


def read_registered(planner: Planner, folder: Path | None = None) -> tuple[Registered, ...]:
    """The documents of a folder, else those shipped, by name, one operation in each; raises BrokenDocuments."""
    found: list[Registered] = []
    wrong: list[str] = []
    for file in sorted((folder or FOLDER).glob("*.graphql")):
        try:
            # As bytes: an id is the SHA-256 of the file as it is.
            text = file.read_bytes().decode()
            document = planner.document(text)
        except (UnicodeDecodeError, ParseFailed, ValidationFailed) as error:
            wrong.extend(f"{file}{finding}" for finding in _findings(error))
            continue
        if set(document.operations) != {file.stem}:
            names = ", ".join(name or "one without a name" for name in document.operations)
            wrong.append(f"{file}: it must hold one operation, named {file.stem}; it holds {names}")
            continue
        heading = heading_of(text)
        wrong.extend(f"{file}:{line}" for line in _wrong_routes(heading, document.operation(file.stem)))
        route = Route(heading.routes[0][1]) if heading.routes else None
        found.append(Registered(file.stem, id_of(text), text, document, heading.about, route))
    wrong.extend(clashes((f"{(folder or FOLDER) / each.name}.graphql", each.route) for each in found if each.route))
    if wrong:
        raise BrokenDocuments("\n".join(wrong))
    return tuple(found)


def _wrong_routes(heading: Heading, operation: Operation) -> Iterator[str]:
    for number, path in heading.routes:
        yield from (f"{number}: {finding}" for finding in findings(path, operation))
    for number, path in heading.routes[1:]:
        yield f"{number}: the document has a route already; {path} needs a document of its own"


def _findings(error: UnicodeDecodeError | ApiError) -> Iterator[str]:
    if isinstance(error, UnicodeDecodeError):
        yield f": it is not UTF-8: {error.reason} at byte {error.start}"
        return
    for finding in error.errors if isinstance(error, ValidationFailed) else (error,):
        place = "".join(f":{line}:{column}" for line, column in finding.locations[:1])
        yield f"{place}: {finding.message}"
