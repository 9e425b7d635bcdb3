"""Which document a request means: by its text, by its id, or by both. Knows nothing of how it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from service.documents.kept import DocumentStore
from service.documents.registered import Registered, id_of
from service.errors import BadRequest, PersistedQueryMismatch, PersistedQueryNotFound, PersistedQueryRequired
from service.planner import Document, Planner
from service.turns import Turns

LONG = 2_000
"""Characters from which on a document may take milliseconds to read: a thread does, so that others get in meanwhile."""
REQUIRED = "Without a key only registered documents are answered: send the `documentId` of one of them."


class Registry:
    """Finds documents: those that were shipped with the service, those that are kept, and any by its text."""

    def __init__(self, planner: Planner, registered: Sequence[Registered], kept: DocumentStore) -> None:
        self._planner = planner
        self.listed = tuple((each.name, each.id) for each in registered)
        """The registered documents' names and ids."""
        self._registered = {each.id: each.document for each in registered}
        self._kept = kept
        self._turns = Turns()

    async def find(
        self, text: str | None, document_id: str | None, *, keep: bool = False, registered_only: bool = False
    ) -> Document:
        """The valid document of a text, of an id, or of both where they agree; one to `keep` is known by its id later.

        Where `registered_only`, those that were shipped and no other. Raises ParseFailed or ValidationFailed, and the
        errors of persisted queries.
        """
        if text is not None and (document_id is not None or registered_only):
            document_id = _agreed(text, document_id, keep=keep)
        registered = self._registered.get(document_id) if document_id else None
        if registered is not None:
            return registered
        if text is None:
            text = None if registered_only else await self._kept_text(document_id)
            if text is None:
                raise PersistedQueryNotFound
        elif registered_only:
            raise PersistedQueryRequired(REQUIRED)
        document = self._planner.known(text) or await self._read(text)
        if keep and document_id:
            await self._kept.put(document_id, text)
        return document

    def at_hand(self, text: str | None, document_id: str | None, *, registered_only: bool) -> Document | None:
        """The document of a text or of an id, where it is known here; None also where it may not be asked for."""
        if text is None:
            return self._registered.get(document_id) if document_id else None
        return None if document_id or registered_only else self._planner.known(text)

    async def _read(self, text: str) -> Document:
        """A document that is new here: the bad ones of one caller must not hold up those that are known."""
        async with self._turns:
            if len(text) <= LONG:
                return self._planner.document(text)
            return self._planner.remember(text, await asyncio.to_thread(self._planner.read, text))

    async def _kept_text(self, document_id: str | None) -> str | None:
        return await self._kept.get(document_id) if document_id else None


def _agreed(text: str, document_id: str | None, *, keep: bool) -> str:
    """The text's id, which must be the one that came with it, if one did."""
    actual = id_of(text)
    if document_id in (None, actual):
        return actual
    if keep:
        raise PersistedQueryMismatch("The `sha256Hash` is not the SHA-256 of the `query` that came with it.")
    raise BadRequest("`documentId` and `query` name two documents: send one of them, or the id of that very text.")
