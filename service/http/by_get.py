"""Which documents a request by GET may run."""

from __future__ import annotations

from graphql import OperationDefinitionNode, OperationType, parse

from service.errors import MethodNotAllowed
from service.http.requests import GraphQLRequest


def check_only_reads(request: GraphQLRequest, *, streamed: bool) -> None:
    """Raises MethodNotAllowed where an operation changes something, or goes on without being `streamed`."""
    if request.document and not _only_reads(request.document, streamed=streamed):
        raise MethodNotAllowed("Mutations and subscriptions cannot be run by GET.")


def _only_reads(text: str, *, streamed: bool) -> bool:
    """Whether no operation of a document changes anything, nor goes on unless it is `streamed`; true of no GraphQL."""
    try:
        operations = (each for each in parse(text).definitions if isinstance(each, OperationDefinitionNode))
    except Exception:  # noqa: BLE001 - whoever runs it says why it is none
        return True
    allowed = (OperationType.QUERY, OperationType.SUBSCRIPTION) if streamed else (OperationType.QUERY,)
    return all(operation.operation in allowed for operation in operations)
