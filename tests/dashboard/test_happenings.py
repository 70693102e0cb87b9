"""What the people process tells reaches the open pages, each as an event of its kind; anything else is passed over."""

from __future__ import annotations

from pipeline import keys
from pipeline.broker import Broker
from pipeline.happenings import MOST_BYTES, Happenings
from tests.conftest import Valkey
from tests.dashboard.support import Api, Listener, until


def test_what_happens_comes_as_an_event_of_its_kind(api: Api, broker: Broker) -> None:
    """Also after a connection was lost; what is no happening harms nothing."""
    happenings = Happenings(broker.scripts)
    until(lambda: dict(broker.scripts.pubsub_numsub(keys.HAPPENINGS))[keys.HAPPENINGS.encode()])
    with Listener(api) as listener:
        until(lambda: listener.of("stats"))
        for nonsense in ("no json", "[]", '{"kind": "stats", "what": {}}', '{"kind": "alert"}', "x" * (MOST_BYTES + 1)):
            broker.scripts.publish(keys.HAPPENINGS, nonsense)
        happenings.tell("alert", {"id": "a_1"})
        until(lambda: listener.of("alert") == [{"id": "a_1"}])
        broker.scripts.client_kill_filter(_type="pubsub")
        until(lambda: [happenings.tell("visit", {"id": "v_1"}), listener.of("visit")][1])
        assert listener.of("alert") == [{"id": "a_1"}]


def test_a_redis_that_is_away_is_no_fault_of_whoever_tells(own_valkey: Valkey) -> None:
    """The alert is in the file; pages ask for it when they are back."""
    broker = Broker(own_valkey.url)
    own_valkey.kill()
    Happenings(broker.scripts).tell("alert", {"id": "a_1"})
    broker.close()
