"""The docs are true: every setting, metric, command and file that they name is there, and the other way round."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from prometheus_client import CollectorRegistry

from dashboard.collector import registry_of
from history.audience import AudienceCollector
from pipeline.broker import Broker
from pipeline.cameras import CameraRegistry
from pipeline.entities import Camera
from pipeline.metrics import AlertMetrics, ArchiveMetrics, DashboardMetrics, HistoryMetrics, PeopleMetrics, WorkerMetrics
from pipeline.settings import Settings
from producer.collector import CameraCollector
from rekstream import cli

ROOT = Path(__file__).parents[1]
DOCS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def text(name: str) -> str:
    return (ROOT / name).read_text()


def test_every_setting_stands_in_the_docs_with_its_description() -> None:
    rows = {f"| `REKSTREAM_{name.upper()}` | {field.description} |" for name, field in Settings.model_fields.items()}
    documented = {line.rsplit("|", 2)[0] + "|" for line in text("docs/settings.md").splitlines() if line.startswith("| `REK")}
    assert documented == rows


def names_in(registry: CollectorRegistry) -> set[str]:
    return {family.name + ("_total" if family.type == "counter" else "") for family in registry.collect()}


def test_every_metric_stands_in_the_docs(broker: Broker) -> None:
    CameraRegistry(broker.scripts).put([Camera("door", "demo", 5.0)])
    producer, worker, people, history, dashboard = (CollectorRegistry() for _ in range(5))
    producer.register(CameraCollector(CameraRegistry(broker.scripts), "here", lambda: 0.0))
    WorkerMetrics(worker)
    ArchiveMetrics(worker)
    PeopleMetrics(people)
    AlertMetrics(people, lambda: (0.0, 0.0))
    HistoryMetrics(history)
    history.register(AudienceCollector(list))
    DashboardMetrics(dashboard)
    served = (
        names_in(producer)
        | names_in(worker)
        | names_in(people)
        | names_in(history)
        | names_in(dashboard)
        | names_in(registry_of(broker, lambda: 0.0))
    )
    assert set(re.findall(r"`(rekstream_[a-z_]+)", text("docs/metrics.md"))) == served


def names_of(command: Any, before: str = "") -> Iterator[str]:
    for name, one in command.commands.items():
        yield from names_of(one, f"{before}{name} ") if hasattr(one, "commands") else [f"{before}{name}"]


def test_every_command_stands_in_the_readme_or_the_docs() -> None:
    everything = "\n".join(path.read_text() for path in DOCS)
    missing = [name for name in names_of(typer.main.get_command(cli.app)) if f"rekstream {name}" not in everything]
    assert missing == []


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_every_link_in_the_docs_leads_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", path.read_text())
    assert [link for link in links if "://" not in link and not (path.parent / link).exists()] == []


@pytest.mark.parametrize("name", ["ARCHITECTURE.md"])
def test_every_file_that_the_architecture_names_is_there(name: str) -> None:
    named = re.findall(r"`((?:[a-z_]+/)+[\w.*]*)`", text(name))
    assert [path for path in named if not list(ROOT.glob(path.rstrip("/")))] == []


def test_the_docs_name_no_path_of_a_machine() -> None:
    assert [path.name for path in DOCS if re.search(r"(^|[\s(`])/(home|root|work|Users)/", path.read_text())] == []
