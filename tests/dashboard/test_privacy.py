"""In privacy the dashboard shows no preview, whoever publishes one, and says that it is so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dashboard.settings import DashboardSettings
from pipeline.broker import Broker
from pipeline.provider import Provider
from pipeline.settings import load
from pipeline.shared import Shared, SharedSettings
from tests.conftest import Valkey
from tests.dashboard.support import Api, Producer, Worker, camera, dashboard, picture, put_cameras, until
from tests.dashboard.watching import Showing, viewing


def test_no_preview_is_shown_to_those_who_watch(
    broker: Broker, session_valkey: Valkey, settings: DashboardSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An old producer that knows no privacy publishes on; analysed frames, whose faces are covered, are shown instead."""
    monkeypatch.setattr("dashboard.viewers.NO_PREVIEW_SECONDS", 0.1)
    put_cameras(broker, camera("a"))
    with dashboard(session_valkey.url, replace(settings, privacy=True)) as api, viewing(api, a="preview") as viewer:
        showing = Showing(broker, "a")
        showing.wait_until_watched()
        assert showing.publish() == 1
        Producer(broker, "a").offer(picture())
        assert Worker(broker).serve_next()
        assert viewer.next().kind == "frame"
        assert api.get("/api/stats")["privacy"] is True


def test_what_up_told_everybody_holds_for_the_dashboard_too(api: Api, broker: Broker) -> None:
    until(lambda: api.get("/api/stats")["privacy"] is False)
    settings = load(privacy=True)
    SharedSettings(broker.scripts).write(Shared.of(settings, Provider.of(settings)))
    until(lambda: api.get("/api/stats")["privacy"] is True)
    put_cameras(broker, camera("a"))
    with viewing(api, a="preview"):
        showing = Showing(broker, "a")
        until(lambda: showing.publish() == 1)
        assert not showing.is_watched()  # so no producer publishes


def test_pictures_from_before_privacy_are_kept_no_longer(api: Api, broker: Broker) -> None:
    """Those of the worst frames would else stay for an hour with every face in them."""
    put_cameras(broker, camera("a"))
    until(lambda: api.get("/api/stats")["privacy"] is False)
    Producer(broker, "a").offer(picture())
    assert Worker(broker).serve_next()
    (row,) = until(lambda: api.get("/api/worst")["worst"])
    assert api.http.get(f"/api/worst/{row['id']}/frame.jpg").status_code == 200
    settings = load(privacy=True)
    SharedSettings(broker.scripts).write(Shared.of(settings, Provider.of(settings)))
    until(lambda: api.http.get(f"/api/worst/{row['id']}/frame.jpg").status_code == 404)
    assert [row["has_picture"] for row in api.get("/api/worst")["worst"]] == [False]
    assert api.get(f"/api/worst/{row['id']}")["has_picture"] is False


def test_pictures_of_a_camera_that_becomes_one_for_audiences_are_kept_no_longer(api: Api, broker: Broker) -> None:
    put_cameras(broker, camera("a"), camera("b"))
    for name in ("a", "b"):
        Producer(broker, name).offer(picture())
        assert Worker(broker).serve_next()
    rows = {
        row["camera"]: row["id"]
        for row in until(lambda: len(api.get("/api/worst")["by_camera"]) == 2 and api.get("/api/worst")["by_camera"])
    }
    assert api.http.patch("/api/cameras/a", json={"purpose": "audience"}).status_code == 200
    until(lambda: api.http.get(f"/api/worst/{rows['a']}/frame.jpg").status_code == 404)
    assert api.http.get(f"/api/worst/{rows['b']}/frame.jpg").status_code == 200
