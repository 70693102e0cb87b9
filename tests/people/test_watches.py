"""A watch is understood as people write it, or refused in one sentence that says what to do and no secret."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from people import notify_urls
from people.watches import Kind, Watch, Wish, who_in_words, wish_of
from pipeline.entities import Camera, Purpose
from pipeline.errors import RekstreamError, SettingsError, UnknownPerson

PEOPLE = {"p_1": "Grace Hopper", "p_2": "Ada"}
DOOR = Camera("door", "demo", 5.0)
CAMERAS = {
    "door": DOOR,
    "office": replace(DOOR, id="office", purpose=Purpose.ACCESS),
    "hall": replace(DOOR, id="hall", purpose=Purpose.AUDIENCE),
}
HOOK = "https://user:secret1@example.com/hook/secret2?token=secret3"


def person_id(text: str) -> str:
    for number, name in PEOPLE.items():
        if text in (number, name):
            return number
    raise UnknownPerson(f"there is nobody called {text!r}")


def wish(who: object = "unknown", **members: Any) -> Wish:
    return wish_of({"who": who, "notify": [HOOK], **members}, person_id, CAMERAS)


@pytest.mark.parametrize(
    ("written", "kind", "subject", "shown"),
    [
        ("Grace Hopper", Kind.PERSON, "p_1", "Grace Hopper"),
        ("p_2", Kind.PERSON, "p_2", "Ada"),
        (" Unknown ", Kind.UNKNOWN, "", "unknown"),
        ("Budget", Kind.BUDGET, "", "budget"),
        ("emotion=happy", Kind.EMOTION, "HAPPY", "emotion=HAPPY"),
        ("label = Fire truck", Kind.LABEL, "Fire truck", "label=Fire truck"),
    ],
)
def test_whom_a_watch_is_about(written: str, kind: Kind, subject: str, shown: str) -> None:
    found = wish(written)
    assert (found.kind, found.subject) == (kind, subject)
    assert who_in_words(kind, subject, PEOPLE) == shown


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ({"who": "Grace"}, "there is nobody called 'Grace'"),
        ({"who": None}, "a watch needs to know whom it is about"),
        ({"who": "emotion=bored"}, "there is no emotion 'bored': choose among HAPPY, SAD"),
        ({"who": "label="}, "label '' names nothing"),
        ({"cameras": ["porch"]}, "there is no camera 'porch'"),
        ({"cameras": 5}, "cameras of a watch are a list of ids"),
        ({"cameras": ["hall"]}, "camera 'hall' cannot be watched for people: cameras of purpose audience identify nobody"),
        ({"who": "Ada", "cameras": ["hall"]}, "cameras of purpose audience identify nobody"),
        ({"who": "emotion=SAD", "cameras": ["office"]}, "on cameras of purpose access no emotions are inferred"),
        ({"cooldown": -1}, "cooldown '-1' must be seconds from 0 to 86400"),
        ({"cooldown": True}, "cooldown 'True'"),
        ({"cooldown": float("nan")}, "cooldown 'nan'"),
        ({"schedule": "whenever"}, "schedule 'whenever' is not understood"),
        ({"notify": []}, "a watch needs at least one notify URL"),
        ({"notify": [HOOK + str(number) for number in range(11)]}, "11 notify URLs are too many"),
        ({"colour": "red"}, "a watch has no 'colour'"),
    ],
)
def test_what_cannot_be_watched_is_refused_in_one_sentence(members: dict[str, Any], sentence: str) -> None:
    with pytest.raises(RekstreamError) as refused:
        wish(**members)
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (HOOK, "https://example.com/***"),
        ("http://127.0.0.1:9", "http://127.0.0.1:9"),
        ("jsons://user:secret1@example.com:444/secret2?+X-Token=secret3", "jsons://example.com:444/***"),
        ("mailto://user:secret1@example.com", "mailto://***"),
        ("slack://Secret1aa/Secret2bb/Secret3cc", "slack://***"),
        ("sns://AKIASECRET1/secret2/us-east-1/+15551234567", "sns://***"),
        ("mqtt://user:secret1@broker/topic", "mqtt://***"),
        ("https://discord.com/api/webhooks/4711/secret2secret3", "https://discord.com/***"),
    ],
)
def test_receivers_that_are_understood_show_no_secret(url: str, shown: str) -> None:
    assert notify_urls.check(f" {url} ") == url
    assert notify_urls.shown(url) == shown
    assert "secret" not in repr(notify_urls.webhook_of(url)).lower() if notify_urls.is_webhook(url) else True


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("slak://Secret/secret/secret", "notify 'slak://***' is of no known kind: did you mean slack://?"),
        ("carrier-pigeon://secret", "notify 'carrier-pigeon://***' is of no known kind: write one that Apprise knows"),
        ("file:///etc/secret", "is of no known kind"),
        ("syslog://", "is of no known kind"),
        ("secret without a scheme", "notify '***' is of no known kind"),
        ("tgram://secret", "notify 'tgram://***' is not complete: Telegram"),
        ("https://", "notify 'https://' names no host"),
        ("http://[::1/secret", "is no URL"),
        ("http://host:0/secret", "names no host"),
        ("https://example.com/" + "secret" * 400, "it is too long"),
        ("https://example.com/a\x00secret", "what cannot be printed"),
        ("http://host/?+X=sécret", "asks for a header that is not ASCII"),
        ("", "notify names no receiver"),
        (None, "notify names no receiver"),
    ],
)
def test_receivers_that_are_not_understood_are_refused_without_their_secrets(url: object, sentence: str) -> None:
    with pytest.raises(SettingsError) as refused:
        notify_urls.check(url)
    assert sentence in str(refused.value)
    assert "cret" not in str(refused.value)


def test_a_service_whose_package_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from apprise.plugins.mqtt import NotifyMQTT  # noqa: PLC0415  # its own class, to be changed here only

    monkeypatch.setattr(NotifyMQTT, "enabled", False)
    with pytest.raises(SettingsError, match=r"needs paho-mqtt >= 2\.1\.0: install that"):
        notify_urls.check("mqtt://broker/topic")


def test_services_that_gave_their_users_a_url_are_apprises() -> None:
    """A Slack or Discord webhook wants a body of its own."""
    assert not notify_urls.is_webhook("https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ")
    assert notify_urls.is_webhook("https://example.com/services/T1JJ3T3L2")


def test_headers_and_user_of_a_webhook_are_taken_out_of_its_url() -> None:
    hook = notify_urls.webhook_of("jsons://u:p%40@h:444/x?+X-Token=a+b&tag=1")
    assert (hook.url, hook.user, hook.headers) == ("https://h:444/x?tag=1", ("u", "p@"), (("X-Token", "a+b"),))


def test_a_watch_looks_at_its_cameras_at_its_times_where_the_purpose_allows_it() -> None:
    monday = datetime(2026, 11, 23, 12, 0).astimezone().timestamp()
    watch = Watch("w_1", Kind.EMOTION, "HAPPY", (), (1,), 60.0, "mon 08:00-18:00", monday - 3600)
    assert watch.looks_at(DOOR, monday)
    assert not watch.looks_at(DOOR, monday - 7200)  # before it was made
    assert not watch.looks_at(DOOR, monday + 8 * 3600)
    assert not watch.looks_at(CAMERAS["office"], monday)
    assert not replace(watch, cameras=("yard",)).looks_at(DOOR, monday)
    assert not replace(watch, kind=Kind.PERSON).looks_at(CAMERAS["hall"], monday)
