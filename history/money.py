"""What was spent, out of counted calls and prices: by operation, camera and day, compared with the budget, and continued.

AWS counts the calls of a month (UTC) together, region by region, and asks less from certain numbers on: the calls of each
bucket are priced where the month stood then, and shared among cameras and operations at that bucket's average.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from history.calls import spending
from pipeline.prices import Prices, Tariff
from pipeline.spending import Spending

HOUR, DAY, WEEK = 3600, 86_400, 604_800
FEW_DAYS = 3 * DAY  # of which hours are told
LOOKED_AT = (HOUR, DAY, WEEK)  # so far back goes what is continued
_AWS = "aws "
_SHORTEST = 60.0  # seconds; of less no rate is made
_MUCH_LONGER = 1.5  # than what was told before: else it says the same again


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: the time (seconds since 1970, whole hours of it), and the cameras, all where none is named."""

    since: float
    until: float
    now: float
    cameras: tuple[str, ...] = ()

    @property
    def bucket(self) -> int:
        """Seconds that are told together."""
        return HOUR if self.until - self.since <= FEW_DAYS else DAY


@dataclass(frozen=True, slots=True)
class Cost:
    """Calls of one bucket, camera, operation and provider: what they cost, and would cost on AWS where they cost nothing."""

    at: int
    camera: str
    operation: str
    provider: str
    calls: int
    failed: int
    charged: int
    dollars: float = 0.0
    would_cost: float = 0.0

    @property
    def is_paid(self) -> bool:
        """Whether AWS answered."""
        return self.provider.startswith(_AWS)


@dataclass(slots=True)
class Meter:
    """Counts the calls of each month by tariff, and says what more of them cost."""

    prices: Prices
    region: str
    _before: defaultdict[tuple[float, bool, str, Tariff], float] = field(default_factory=lambda: defaultdict(float))

    def tariff(self, provider: str, operation: str) -> tuple[str, Tariff]:
        """Return the region of a call, where it was not AWS's the one that it would be, and what it costs there."""
        region = provider.removeprefix(_AWS) if provider.startswith(_AWS) else self.region
        return region, self.prices.tariff(region, operation)

    def cost(self, at: float, calls: Mapping[tuple[str, str], float]) -> dict[tuple[str, str], float]:
        """Return what each of these costs at a moment: calls by provider and operation, on top of what was metered before."""
        together: defaultdict[tuple[float, bool, str, Tariff], float] = defaultdict(float)
        counters = {name: self._counter(at, *name) for name in calls}
        for name, many in calls.items():
            together[counters[name]] += many
        dollars = {}
        for counter, many in together.items():
            dollars[counter] = counter[-1].cost(self._before[counter], many) / many if many else 0.0
            self._before[counter] += many
        return {name: many * dollars[counters[name]] for name, many in calls.items()}

    def _counter(self, at: float, provider: str, operation: str) -> tuple[float, bool, str, Tariff]:
        return month_of(at)[0], provider.startswith(_AWS), *self.tariff(provider, operation)


def answer(
    connection: Connection, prices: Prices, region: str, question: Question, budget: Spending | None = None
) -> dict[str, Any]:
    """Return what was spent as the API tells it; `region` is where calls that cost nothing are thought to go."""
    found = list(costs(connection, prices, region, question))
    tariffs = {Meter(prices, region).tariff(cost.provider, cost.operation) for cost in found}
    return {
        "since": question.since // HOUR * HOUR,
        "until": min(-(-question.until // HOUR) * HOUR, max(question.now, question.until)),
        "bucket_seconds": question.bucket,
        **_sum(found),
        "by_operation": _by(found, lambda cost: {"operation": cost.operation, "provider": cost.provider}),
        "by_camera": _by(found, lambda cost: {"camera": cost.camera}),
        "series": sorted(_by(found, lambda cost: {"at": cost.at}), key=lambda entry: entry["at"]),
        "month": month(connection, prices, region, question.now),
        "budget": _against(connection, prices, budget, question.now) if budget else None,
        "prices": [_tariff_as_json(*named) for named in sorted(tariffs, key=lambda named: (named[0], named[1].operations))],
    }


def costs(connection: Connection, prices: Prices, region: str, question: Question) -> Iterator[Cost]:
    """Yield what was called in the time that is asked for, oldest first; the month before it counts for the steps."""
    meter = Meter(prices, region)
    first = question.since // HOUR * HOUR
    before = _calls(connection, month_of(first)[0], first, DAY)
    for at, counted in _grouped(before):
        meter.cost(at, _charged(counted))
    wanted = set(question.cameras)
    for at, counted in _grouped(_calls(connection, first, question.until, question.bucket)):
        dollars, charged = meter.cost(at, _charged(counted)), _charged(counted)
        for cost in counted:
            if not wanted or cost.camera in wanted:
                name = (cost.provider, cost.operation)
                yield _priced(cost, dollars[name] / charged[name] if charged[name] else 0.0)


def month(connection: Connection, prices: Prices, region: str, now: float) -> dict[str, Any]:
    """Return what this month (UTC) has cost, and will have at its end if it goes on as in the last hour, day and week."""
    start, end = month_of(now)
    found = list(costs(connection, prices, region, Question(start, now, now)))
    return {"start": start, "end": end, **_sum(found), "forecasts": list(_forecasts(connection, prices, region, found, now))}


def month_of(at: float) -> tuple[float, float]:
    """Return the start and the end of the month (UTC) that a moment lies in."""
    first = datetime.fromtimestamp(at, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return first.timestamp(), (first + timedelta(days=32)).replace(day=1).timestamp()


def _forecasts(
    connection: Connection, prices: Prices, region: str, so_far: Sequence[Cost], now: float
) -> Iterator[dict[str, Any]]:
    begun = connection.execute(select(func.min(spending.c.since)).where(spending.c.hour > now - WEEK - HOUR)).scalar()
    age, told = 0.0 if begun is None else now - begun, 0.0
    _, end = month_of(now)
    spent, would = sum(cost.dollars for cost in so_far), sum(cost.would_cost for cost in so_far)
    for seconds in LOOKED_AT:
        length = min(float(seconds), age)
        if length < max(_SHORTEST, told * _MUCH_LONGER):
            continue
        told = length
        rates = _rates(connection, now - length, now)
        meter = Meter(prices, region)
        meter.cost(now, _charged(so_far))
        more = meter.cost(now, {name: rate * (end - now) for name, rate in rates.items()})
        yield {
            "seconds": round(length),
            "calls_per_day": round(sum(rates.values()) * DAY, 1),
            "dollars": _dollars(spent + sum(dollars for name, dollars in more.items() if name[0].startswith(_AWS))),
            "would_cost": _dollars(would + sum(dollars for name, dollars in more.items() if not name[0].startswith(_AWS))),
        }


def _rates(connection: Connection, since: float, until: float) -> dict[tuple[str, str], float]:
    """Return charged calls a second by provider and operation; an hour that lies half in that time counts by its share."""
    calls: defaultdict[tuple[str, str], float] = defaultdict(float)
    table = spending.c
    asked = select(table.hour, table.provider, table.operation, func.sum(table.charged), func.min(table.since))
    asked = asked.where(table.hour > since - HOUR, table.hour <= until).group_by(table.hour, table.provider, table.operation)
    for hour, provider, operation, charged, begun in connection.execute(asked):
        first, last = max(float(hour), min(begun, until)), min(float(hour + HOUR), until)
        share = (last - max(first, since)) / (last - first) if last > first else 1.0
        calls[provider, operation] += charged * max(0.0, min(1.0, share))
    return {name: many / (until - since) for name, many in calls.items()}


def _against(connection: Connection, prices: Prices, budget: Spending, now: float) -> dict[str, Any]:
    """Return the budget's figures beside what was counted here at the budget's prices: each call at the dearest step."""
    meter = Meter(prices, "")
    counted = _calls(connection, budget.start, min(budget.end, now), HOUR)
    paid = [cost for cost in counted if cost.is_paid]
    recorded = sum(cost.charged * meter.tariff(cost.provider, cost.operation)[1].most for cost in paid)
    elapsed = now - budget.start
    rate = budget.spent_dollars / elapsed if elapsed > _SHORTEST else 0.0
    spent_at = now + (budget.limit_dollars - budget.spent_dollars) / rate if rate else None
    return {
        "start": budget.start,
        "end": budget.end,
        "limit_dollars": budget.limit_dollars,
        "spent_dollars": budget.spent_dollars,
        "by_camera_dollars": _dollars(recorded),
        "not_by_camera_dollars": _dollars(budget.spent_dollars - recorded),
        "spent_at": spent_at if spent_at is not None and spent_at < budget.end else None,
    }


def _calls(connection: Connection, since: float, until: float, bucket: int) -> list[Cost]:
    table = spending.c
    at = (table.hour - table.hour % bucket).label("at")
    sums = (func.sum(column) for column in (table.calls, table.failed, table.charged))
    asked = select(at, table.camera, table.operation, table.provider, *sums).where(table.hour >= since, table.hour < until)
    grouped = asked.group_by(at, table.camera, table.operation, table.provider).order_by(at)
    return [Cost(int(row[0]), *row[1:4], *map(int, row[4:])) for row in connection.execute(grouped)]


def _grouped(found: Sequence[Cost]) -> Iterator[tuple[int, list[Cost]]]:
    """Yield what belongs to each bucket, oldest first."""
    by_bucket: defaultdict[int, list[Cost]] = defaultdict(list)
    for cost in found:
        by_bucket[cost.at].append(cost)
    yield from sorted(by_bucket.items())


def _charged(found: Iterable[Cost]) -> dict[tuple[str, str], float]:
    calls: defaultdict[tuple[str, str], float] = defaultdict(float)
    for cost in found:
        calls[cost.provider, cost.operation] += cost.charged
    return dict(calls)


def _priced(cost: Cost, dollars: float) -> Cost:
    """Return the cost at so many dollars a charged call."""
    paid, would = (dollars, 0.0) if cost.is_paid else (0.0, dollars)
    members = (cost.at, cost.camera, cost.operation, cost.provider, cost.calls, cost.failed, cost.charged)
    return Cost(*members, dollars=paid * cost.charged, would_cost=would * cost.charged)


def _by(found: Iterable[Cost], name: Callable[[Cost], dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the sums by name, the dearest first."""
    groups: defaultdict[tuple[tuple[str, Any], ...], list[Cost]] = defaultdict(list)
    for cost in found:
        groups[tuple(name(cost).items())].append(cost)
    entries = [{**dict(names), **_sum(group)} for names, group in groups.items()]
    return sorted(entries, key=lambda entry: (-entry["dollars"], -entry["would_cost"], -entry["calls"]))


def _sum(found: Sequence[Cost]) -> dict[str, Any]:
    return {
        "calls": sum(cost.calls for cost in found),
        "failed": sum(cost.failed for cost in found),
        "charged": sum(cost.charged for cost in found),
        "dollars": _dollars(sum(cost.dollars for cost in found)),
        "would_cost": _dollars(sum(cost.would_cost for cost in found)),
    }


def _dollars(value: float) -> float:
    return round(value, 6) + 0.0


def _tariff_as_json(region: str, tariff: Tariff) -> dict[str, Any]:
    steps = [
        {
            "calls_from": step.calls_from,
            "dollars": step.dollars,
            "assumed": step.is_assumed,
            "source": step.source,
            "date": step.date,
        }
        for step in tariff.steps
    ]
    return {"region": region, "operations": list(tariff.operations), "assumed": tariff.is_assumed, "steps": steps}
