"""An alert in words, and as the JSON that webhooks get; docs/alerts.md tells its members."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from people.alert_book import Alert
from people.watches import Kind
from pipeline.spending import ALL


@dataclass(frozen=True, slots=True)
class Message:
    """One alert as it is sent: `who` is what its watch waits for; `picture` is a JPEG, empty where none is kept."""

    id: str
    alert: Alert
    who: str
    picture: bytes = field(default=b"", repr=False)
    is_test: bool = False

    @property
    def title(self) -> str:
        """One line: what, and where."""
        if self.alert.kind is Kind.BUDGET:
            return _budget(self.alert.what).partition(":")[0]
        return f"{_subject(self.alert, self.who)} at {self.alert.camera}"

    @property
    def text(self) -> str:
        """One sentence: what was seen, how sure, by which camera, when by this machine's clock; or what was spent."""
        alert = self.alert
        if alert.kind is Kind.BUDGET:
            return f"This is a test. {_budget(alert.what)}." if self.is_test else f"{_budget(alert.what)}."
        when = datetime.fromtimestamp(alert.captured_at).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
        sentence = f"{_subject(alert, self.who)}{_how_sure(alert)} was seen by camera {alert.camera} at {when}."
        return f"This is a test. {sentence}" if self.is_test else sentence

    def as_json(self) -> dict[str, Any]:
        """Return the body of a webhook."""
        alert = self.alert
        return {
            "alert": self.id,
            "kind": str(alert.kind),
            "text": self.text,
            "at": alert.at,
            "captured_at": alert.captured_at,
            "watch": alert.watch,
            "who": self.who,
            "camera": alert.camera or None,
            "person": dict(alert.what) if alert.kind is Kind.PERSON else None,
            "unknown": dict(alert.what) if alert.kind is Kind.UNKNOWN else None,
            "emotion": dict(alert.what) if alert.kind is Kind.EMOTION else None,
            "label": dict(alert.what) if alert.kind is Kind.LABEL else None,
            "budget": dict(alert.what) if alert.kind is Kind.BUDGET else None,
            "result": alert.result or None,
            "visit": alert.visit or None,
            "track": alert.track or None,
            "test": self.is_test,
            "picture": base64.b64encode(self.picture).decode() if self.picture else None,
        }


def _subject(alert: Alert, who: str) -> str:
    """Return whom or what an alert is about, as a sentence begins."""
    words = {
        Kind.PERSON: str(alert.what.get("Name") or who),
        Kind.UNKNOWN: "Somebody unknown",
        Kind.EMOTION: f"A face that looks {str(alert.what.get('Type', '')).lower()}",
        Kind.LABEL: str(alert.what.get("Name", "")),
    }
    return words[alert.kind]


def _budget(what: Mapping[str, Any]) -> str:
    """Return in words how much of the budget is spent."""
    spent, limit = float(what["SpentDollars"]), float(what["LimitDollars"])
    until = datetime.fromtimestamp(float(what["Until"]), UTC).strftime("%Y-%m-%d %H:%M UTC")
    if what["Step"] == ALL:
        return f"The budget of {limit:g} dollars is spent: no paid call is made before {until}, or before it is raised"
    return f"{spent / limit:.0%} of the budget of {limit:g} dollars is spent: it is that until {until}"


def _how_sure(alert: Alert) -> str:
    sure = alert.what.get("Similarity") or alert.what.get("Confidence")
    return f" ({sure:.1f} %)" if isinstance(sure, int | float) else ""
