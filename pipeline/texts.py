"""Texts that a database takes: PostgreSQL takes no NUL, and none takes half of a surrogate pair, which JSON may hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.errors import SettingsError

LONGEST = 200
_SHOWN = 40


def writable(text: str) -> str:
    """Return a text without what no database takes, cut off after LONGEST letters."""
    return text[:LONGEST].replace("\0", "").encode("utf-8", "ignore").decode()


def check_texts(told: Any, name: str = "") -> None:
    """Raise SettingsError, which names the member, for a text anywhere in what JSON holds that no database takes."""
    waiting = [(name, told)]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, str):
            _check(name, value)
        elif isinstance(value, Mapping):
            waiting += [("a member's name", key) for key in value]
            waiting += [(str(key), inner) for key, inner in value.items()]
        elif isinstance(value, list | tuple):
            waiting += [(name, inner) for inner in value]


def _check(name: str, text: str) -> None:
    if "\0" in text or not (text.isascii() or _is_whole(text)):
        raise SettingsError(f"{ascii(name)[1:-1]} {text[:_SHOWN]!a} is no text: there is a NUL or half of a letter in it")


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
