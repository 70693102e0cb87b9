"""Long lists in pages: a NextToken says after what the next page begins, and of which list."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from rekognition_local.protocol import ServiceError

T = TypeVar("T")


def page(
    params: Mapping[str, Any], scope: str, most: int, read: Callable[[str, int], Sequence[T]], key: Callable[[T], object]
) -> tuple[Sequence[T], dict[str, str]]:
    """Return one page of a list, and its NextToken member where there is more.

    `read(after, count)` returns entries after the one whose `key` is `after` ("" at the start); `scope` names the list, so
    that a token of another one is refused with InvalidPaginationTokenException. MaxResults of 0 means AWS's most.
    """
    after = _after(params.get("NextToken"), scope)
    size = min(params.get("MaxResults") or most, most)
    entries = read(after, size + 1)
    if len(entries) <= size:
        return entries, {}
    return entries[:size], {"NextToken": _token(scope, str(key(entries[size - 1])))}


def number(after: str) -> int:
    """Return the number that a page begins after, 0 for the first page."""
    return int(after) if after else 0


def _token(scope: str, after: str) -> str:
    return base64.urlsafe_b64encode(f"{_mark(scope, after)}/{after}".encode()).decode()


def _after(token: str | None, scope: str) -> str:
    if token is None:
        return ""
    try:
        mark, _, after = base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode().partition("/")
    except (binascii.Error, ValueError) as error:
        raise _refusal(token) from error
    if mark != _mark(scope, after):
        raise _refusal(token)
    return after


def _mark(scope: str, after: str) -> str:
    """Return a short mark of a list and a place in it: a token may have 255 characters, and an id as many."""
    return hashlib.sha256(f"{scope}/{after}".encode()).hexdigest()[:12]


def _refusal(token: str) -> ServiceError:
    return ServiceError(
        "InvalidPaginationTokenException", f"NextToken {token[:60]!r} is of no list here; begin again without a NextToken"
    )
