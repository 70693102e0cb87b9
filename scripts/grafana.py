"""Writes deploy/grafana/dashboards/rekstream.json from dashboard/charts.py: `python scripts/grafana.py`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "deploy" / "grafana" / "dashboards" / "rekstream.json"
sys.path.insert(0, str(ROOT))

from dashboard.charts import CHARTS, Chart, Role, Series  # noqa: E402  # found by the line above

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
UNITS = {"s": "s", "dollars": "currencyUSD", "bytes/s": "Bps"}
WIDTH, HEIGHT, COLUMNS = 12, 8, 2
DRAWN = {Role.FLOOR: {"fill": "dash", "dash": [2, 6]}, Role.LIMIT: {"fill": "dash", "dash": [10, 10]}}


def build() -> dict[str, Any]:
    """Return Grafana's JSON of a dashboard with all charts."""
    return {
        "uid": "rekstream",
        "title": "rekstream",
        "description": "How old results are, why, and what they cost. Made by scripts/grafana.py from dashboard/charts.py.",
        "tags": ["rekstream"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "5s",
        "time": {"from": "now-15m", "to": "now"},
        "templating": {"list": [_datasource_variable(), _camera_variable()]},
        "annotations": {"list": [_alerts()]},
        "panels": [_panel(place, chart) for place, chart in enumerate(CHARTS)],
    }


def text() -> str:
    return json.dumps(build(), indent=2) + "\n"


def _panel(place: int, chart: Chart) -> dict[str, Any]:
    row, column = divmod(place, COLUMNS)
    return {
        "id": place + 1,
        "type": "timeseries",
        "title": chart.title,
        "description": chart.help,
        "datasource": DATASOURCE,
        "gridPos": {"x": column * WIDTH, "y": row * HEIGHT, "w": WIDTH, "h": HEIGHT},
        "fieldConfig": {
            "defaults": {
                "unit": UNITS.get(chart.unit, f"suffix: {chart.unit}"),
                "min": 0,
                "custom": {"lineWidth": 1, "fillOpacity": 5, "showPoints": "never", "spanNulls": False},
            },
            "overrides": [_override(series) for series in chart.series if series.role in DRAWN],
        },
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}},
        "targets": [_target(index, chart, series) for index, series in enumerate(chart.series)],
    }


def _target(index: int, chart: Chart, series: Series) -> dict[str, Any]:
    matchers = {"camera": '=~"$camera"'} if chart.by_camera else {}
    return {
        "refId": chr(ord("A") + index),
        "datasource": DATASOURCE,
        "expr": series.query.promql(matchers, "$__rate_interval"),
        "legendFormat": series.name.replace("{", "{{").replace("}", "}}"),
        "range": True,
    }


def _override(series: Series) -> dict[str, Any]:
    style = [
        {"id": "custom.lineStyle", "value": DRAWN[series.role]},
        {"id": "custom.fillOpacity", "value": 0},
        {"id": "color", "value": {"mode": "fixed", "fixedColor": "text"}},
    ]
    return {"matcher": {"id": "byName", "options": series.name}, "properties": style}


def _datasource_variable() -> dict[str, Any]:
    return {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


def _camera_variable() -> dict[str, Any]:
    query = "label_values(rekstream_frames_in_flight, camera)"
    return {
        "name": "camera",
        "label": "Camera",
        "type": "query",
        "datasource": DATASOURCE,
        "query": {"query": query, "refId": "camera"},
        "definition": query,
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }


def _alerts() -> dict[str, Any]:
    return {
        "name": "Alerts",
        "enable": True,
        "iconColor": "red",
        "datasource": DATASOURCE,
        "expr": 'ALERTS{alertname=~"Rekstream.*", alertstate="firing"}',
        "titleFormat": "{{alertname}}",
        "textFormat": "{{camera}}",
        "step": "15s",
    }


if __name__ == "__main__":
    TARGET.write_text(text())
    print(f"{TARGET.relative_to(ROOT)} has {len(CHARTS)} charts")
