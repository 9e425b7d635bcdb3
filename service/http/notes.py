"""What is noted of a request on its way, for those who tell of it at its end."""

from __future__ import annotations

from service.access.caller import Caller
from service.errors import ApiError, Internal
from service.events import ExportCut, Observer, RequestFailed
from service.journeys import Journey
from service.planner import Call, Operation


def note_caller(journey: Journey, caller: Caller) -> None:
    """Notes who asks, as far as may be told."""
    journey.tier = caller.tier.name
    if caller.key is not None:
        journey.key_prefix = caller.key.prefix


def note_call(journey: Journey, operation: Operation, call: Call) -> None:
    """Notes what is asked for."""
    journey.kind = operation.kind
    journey.operation = operation.told_name
    journey.document_id = operation.document_id
    journey.cost = call.cost


def note_failure(observe: Observer, journey: Journey, error: ApiError, raised: BaseException) -> None:
    """Notes the error that a request ends with, and tells of it where it is not the caller's.

    What was `raised` goes along where nobody foresaw it.
    """
    journey.code = error.code
    if error.status >= 500:
        observe(RequestFailed(journey.request_id, error.code, _unforeseen(error, raised)))


def note_cut(observe: Observer, journey: Journey, error: ApiError, raised: BaseException) -> None:
    """Notes the error by which an export is cut, whoever is to blame, and tells of it as `note_failure` does."""
    journey.code = error.code
    observe(ExportCut(journey.request_id, error.code, _unforeseen(error, raised)))


def _unforeseen(error: ApiError, raised: BaseException) -> BaseException | None:
    return raised if isinstance(error, Internal) else None
