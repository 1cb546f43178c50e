"""Sending step by step: what the compiled loop passes on.

That is a payload with other names than the last one, and every send that needs care: asynchronous receivers,
receivers that are called once, and nested functions of which it is not yet known that any call reaches them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torngas_signal._plans import MUTED, Parts, Step
from torngas_signal._receivers import describe
from torngas_signal.exceptions import AsyncReceiverError

if TYPE_CHECKING:
    from torngas_signal._table import Table

__all__ = ["dispatch", "dispatch_robust", "failed", "prepare"]

Responses = list[tuple[Any, Any]]


def dispatch(signal: Any, sender: Any, payload: dict[str, Any]) -> Responses:
    """Sends with the function for these names, compiling it if it is not known yet."""
    table: Table = signal._table
    snapshot = table.snapshot
    if snapshot is MUTED:
        return []
    return snapshot.run_for(table, tuple(payload), False, _PARTS)(signal, sender, payload)


def dispatch_robust(signal: Any, sender: Any, payload: dict[str, Any]) -> Responses:
    """Like `dispatch`, for `send_robust`."""
    table: Table = signal._table
    snapshot = table.snapshot
    if snapshot is MUTED:
        return []
    return snapshot.run_for(table, tuple(payload), True, _ROBUST_PARTS)(signal, sender, payload)


def failed(signal: Any, receiver: Any, error: Exception) -> Exception:
    """Logs the exception of a receiver, and answers it as the response."""
    import logging  # seldom needed, and slow to import

    logging.getLogger("torngas_signal").error("Error calling %s in %s", describe(receiver), signal, exc_info=error)
    return error


def prepare(signal: Any, sender: Any, payload: dict[str, Any]) -> tuple[tuple[Step, ...], Any, Any]:
    """Answers the steps of this send, its sender and its wrapper, taking both out of the payload.

    With a sender by position, one by name is payload, for receivers that call the sender otherwise.
    """
    table: Table = signal._table
    if sender is None and "sender" in payload:
        sender = payload.pop("sender")
    names = tuple(payload)
    wrappers = [payload.pop("_async_wrapper", None), payload.pop("_sync_wrapper", None)]
    wrapper = next((wrapper for wrapper in wrappers if wrapper is not None), None)
    snapshot = table.snapshot
    if snapshot is MUTED:
        return (), sender, wrapper
    return snapshot.selection(table, names).steps(table, sender), sender, wrapper


def _send_carefully(signal: Any, sender: Any, payload: dict[str, Any]) -> Responses:
    steps, sender, wrapper = prepare(signal, sender, payload)
    for step in steps:
        if wrapper is None and step.receiver.is_async and step.receiver.resolve() is not None:
            raise _refusal(signal, step.receiver.resolve())
    responses: Responses = []
    try:
        for step in steps:
            if (receiver := step.begin(signal._table)) is not None:
                called = _wrapped(wrapper, step, receiver)
                responses.append((receiver, step.call(called, signal, sender, payload)))
    finally:
        _learn(signal._table, steps, wrapper)
    return responses


def _send_robust_carefully(signal: Any, sender: Any, payload: dict[str, Any]) -> Responses:
    steps, sender, wrapper = prepare(signal, sender, payload)
    responses: Responses = []
    try:
        for step in steps:
            if (receiver := step.begin(signal._table)) is not None:
                responses.append((receiver, _respond(step, receiver, signal, sender, wrapper, payload)))
    finally:
        _learn(signal._table, steps, wrapper)
    return responses


def _respond(step: Step, receiver: Any, signal: Any, sender: Any, wrapper: Any, payload: dict[str, Any]) -> Any:
    try:
        if step.receiver.is_async and wrapper is None:
            raise _refusal(signal, receiver)
        return step.call(_wrapped(wrapper, step, receiver), signal, sender, payload)
    except Exception as error:  # noqa: BLE001 - whatever a receiver raises is its response
        return failed(signal, receiver, error)


def _wrapped(wrapper: Any, step: Step, receiver: Any) -> Any:
    return wrapper(receiver) if step.receiver.is_async and wrapper is not None else receiver


def _learn(table: Table, steps: tuple[Step, ...], wrapper: object) -> None:
    """Compiles anew once nothing needs care any more."""
    if wrapper is None and not any(step.needs_care for step in steps):
        table.renew()


def _refusal(signal: Any, receiver: Any) -> AsyncReceiverError:
    return AsyncReceiverError(
        f"{signal}: send got the asynchronous receiver {describe(receiver)}; "
        "expected synchronous ones only; send with `await signal.asend(...)`."
    )


_PARTS = Parts(dispatch, _send_carefully, failed)
_ROBUST_PARTS = Parts(dispatch_robust, _send_robust_carefully, failed)
