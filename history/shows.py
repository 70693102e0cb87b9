"""Shows: when one began and stopped, its receipt, its laughs that are disputed, and all of it gone at the hour chosen."""

from __future__ import annotations

import json
import logging
import math
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from history.audience import STATE_SECONDS, count_laugh
from history.audience_tables import laughs, shows
from history.audience_views import laugh_as_json
from history.house import House, Recorder
from history.receipts import Show, lines, receipt_of, show_of, trace_of
from history.schema import minutes, within
from history.stays import MINUTE
from pipeline.answering import Answer
from pipeline.cameras import CameraRegistry
from pipeline.chores import Chore
from pipeline.errors import SettingsError, UnknownLaugh, UnknownShow
from pipeline.requests import Request

log = logging.getLogger(__name__)

MOST_SHOWS = 1000
MOST_LISTED = 200
LONGEST_NAME = 100
HIGHEST_PRICE = 1e6

_MEMBERS = {"name", "cameras", "price", "currency", "gone_at"}
_ID = re.compile(r"[a-z0-9_]{1,40}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_ROUND_SECONDS = 20.0


class Shows(Recorder):
    """Keeps shows, answers what they came to, and deletes them."""

    ages: ClassVar[tuple[ColumnElement[Any], ...]] = (shows.c.stopped_at,)

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self._rooms: Sequence[Recorder] = ()

    def meet(self, rooms: Mapping[type[Recorder], Recorder]) -> None:
        """Get to know who keeps what of a show."""
        self._rooms = list(rooms.values())

    def answers(self) -> Mapping[str, Answer]:
        """Answer what shows there are, and change them."""
        return {
            "history.shows": self._list,
            "history.show": self._receipt,
            "history.show.start": self._start,
            "history.show.stop": self._stop,
            "history.show.delete": self._delete,
            "history.laugh": self._laugh,
            "history.laugh.dispute": self._dispute,
        }

    def chores(self) -> Sequence[Chore]:
        """Delete shows whose hour has come."""
        return (Chore("shows", _ROUND_SECONDS, self.erase_gone),)

    def erase_gone(self) -> None:
        """Delete all data of shows whose hour has come; again for a while, as results may still come late."""
        now = self.house.clock.now()
        with self.house.database.reading() as connection:
            rows = connection.execute(select(shows).where(shows.c.gone_at <= now)).mappings().all()
        for show in map(show_of, rows):
            self._erase(show, now)
        if rows:
            self.house.database.empty_log()

    def _erase(self, show: Show, now: float) -> None:
        until = min(show.until(now), show.gone_at or now)
        database, gone = self.house.database, 0
        with database.reading() as connection:
            cameras = show.cameras or _cameras_between(connection, show.started_at, until)
        for room in self._rooms:
            for camera in cameras:
                with database.writing() as connection:
                    gone += sum(room.erase(connection, camera, show.started_at, until).values())
        with database.writing() as connection:
            if now - until > STATE_SECONDS:
                connection.execute(delete(shows).where(shows.c.id == show.id))
            else:
                connection.execute(update(shows).where(shows.c.id == show.id).values(stopped_at=until, name=""))
        log.info("the data of show %s are deleted: %d rows", show.id, gone)

    def _list(self, _: Request) -> dict[str, Any]:
        with self.house.database.reading() as connection:
            asked = select(shows).where(self._is_there()).order_by(shows.c.started_at.desc()).limit(MOST_LISTED)
            return {"shows": [show_of(row).as_json() for row in connection.execute(asked).mappings()]}

    def _receipt(self, request: Request) -> dict[str, Any]:
        with self.house.database.reading() as connection:
            return receipt_of(connection, self._show(connection, request), self.house.clock.now())

    def _start(self, request: Request) -> dict[str, Any]:
        show = self._wished(request.members)
        row = {**asdict(show), "cameras": json.dumps(show.cameras)}
        with self.house.database.writing() as connection:
            if connection.execute(select(func.count()).select_from(shows)).scalar_one() >= MOST_SHOWS:
                raise SettingsError(f"there are {MOST_SHOWS} shows already: delete one first")
            connection.execute(insert(shows).values(row))
        return show.as_json()

    def _stop(self, request: Request) -> dict[str, Any]:
        now = self.house.clock.now()
        with self.house.database.writing() as connection:
            show = self._show(connection, request)
            running = (shows.c.id == show.id, shows.c.stopped_at.is_(None))
            connection.execute(update(shows).where(*running).values(stopped_at=now))
            return receipt_of(connection, self._show(connection, request), now)

    def _delete(self, request: Request) -> dict[str, Any]:
        now = self.house.clock.now()
        with self.house.database.writing() as connection:
            show = self._show(connection, request)
            connection.execute(update(shows).where(shows.c.id == show.id).values(gone_at=now))
        self.erase_gone()
        return {}

    def _laugh(self, request: Request) -> dict[str, Any]:
        with self.house.database.reading() as connection:
            laugh = self._laugh_of(connection, request)
            return {"laugh": laugh, **lines(), "trace": trace_of(connection, laugh)}

    def _dispute(self, request: Request) -> dict[str, Any]:
        disputed = request.members.get("disputed")
        if not isinstance(disputed, bool):
            raise SettingsError("a laugh changes by disputed alone: send true, or false to take it back")
        with self.house.database.writing() as connection:
            laugh = self._laugh_of(connection, request)
            here = laughs.c.number == laugh["id"]
            other = update(laughs).where(here, laughs.c.disputed != int(disputed)).values(disputed=int(disputed))
            if connection.execute(other).rowcount:
                row = connection.execute(select(laughs).where(here)).mappings().one()
                count_laugh(connection, dict(row), -1 if disputed else 1)
            return self._laugh_of(connection, request)

    def _show(self, connection: Connection, request: Request) -> Show:
        name = str(request.members.get("id", ""))
        asked = select(shows).where(shows.c.id == name, self._is_there())
        row = connection.execute(asked).mappings().one_or_none() if _ID.fullmatch(name) else None
        if row is None:
            raise UnknownShow(f"there is no show {name[:40]!r}: `rekstream show list` names them")
        return show_of(row)

    def _laugh_of(self, connection: Connection, request: Request) -> dict[str, Any]:
        show = self._show(connection, request)
        number = request.members.get("laugh")
        where = [laughs.c.number == number, laughs.c.start >= show.started_at, laughs.c.start < show.until(math.inf)]
        if show.cameras:
            where.append(laughs.c.camera.in_(show.cameras))
        is_one = isinstance(number, int) and 0 <= number < 2**63
        row = connection.execute(select(laughs).where(*where)).mappings().one_or_none() if is_one else None
        if row is None:
            raise UnknownLaugh(f"there is no laugh {str(number)[:40]} in show {show.id}: its receipt names them")
        return laugh_as_json(row)

    def _is_there(self) -> ColumnElement[bool]:
        """Return the condition that a show's hour has not come."""
        return shows.c.gone_at.is_(None) | (shows.c.gone_at > self.house.clock.now())

    def _wished(self, members: Mapping[str, Any]) -> Show:
        """Return the show that is to begin; raises SettingsError, UnknownCamera."""
        if unknown := members.keys() - _MEMBERS:
            raise SettingsError(f"there is no member {sorted(unknown)[0]!r}: write {', '.join(sorted(_MEMBERS))}")
        now = self.house.clock.now()
        return Show(
            id=f"s_{secrets.token_hex(4)}",
            name=_name(members.get("name")),
            cameras=self._cameras(members.get("cameras")),
            price=_price(members.get("price")),
            currency=_currency(members.get("currency")),
            started_at=now,
            stopped_at=None,
            gone_at=_hour(members.get("gone_at"), now),
        )

    def _cameras(self, named: Any) -> tuple[str, ...]:
        if named is None:
            return ()
        if not isinstance(named, list) or not all(isinstance(name, str) for name in named):
            raise SettingsError("cameras must be a list of ids, or empty for all of them")
        registry = CameraRegistry(self.house.broker.scripts)
        return tuple(dict.fromkeys(registry.get(name).id for name in named))


def _cameras_between(connection: Connection, since: float, until: float) -> Sequence[str]:
    """Return the cameras of which there is something between two times."""
    asked = select(minutes.c.camera).where(*within(minutes.c.minute, since // MINUTE * MINUTE, until)).distinct()
    return list(connection.execute(asked).scalars())


def _name(name: Any) -> str:
    if not isinstance(name, str) or not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise SettingsError(f"a show needs a name of at most {LONGEST_NAME} letters")
    return name.strip()


def _price(price: Any) -> float | None:
    if price is None:
        return None
    is_one = isinstance(price, int | float) and not isinstance(price, bool)
    if not is_one or not 0 <= price <= HIGHEST_PRICE:
        raise SettingsError(
            f"the price {str(price)[:40]!r} must be a number from 0 to {HIGHEST_PRICE:,.0f}: what one laugh costs"
        )
    return float(price)


def _currency(currency: Any) -> str:
    if currency is None:
        return "USD"
    if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
        raise SettingsError(f"the currency {str(currency)[:40]!r} must be three capital letters, such as EUR")
    return currency


def _hour(gone_at: Any, now: float) -> float | None:
    if gone_at is None:
        return None
    is_one = isinstance(gone_at, int | float) and not isinstance(gone_at, bool)
    if not is_one or not now < gone_at < now + 100 * 365 * 86_400:
        raise SettingsError(f"gone_at {str(gone_at)[:40]!r} must be a time to come, in seconds since 1970")
    return float(gone_at)
