"""Faces, watches and alerts in words, for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def face_in_words(face: Mapping[str, Any]) -> str:
    """Return what a FaceDetail says, shortly: ``female, 28-50 years, happy 100 %, smiles``."""
    words = []
    if gender := face.get("Gender"):
        words.append(gender["Value"].lower())
    if age := face.get("AgeRange"):
        words.append(f"{age['Low']}-{age['High']} years")
    if emotion := strongest_emotion(face):
        words.append(f"{emotion['Type'].lower()} {emotion['Confidence']:.0f} %")
    if smile := face.get("Smile"):
        words.append("smiles" if smile["Value"] else "does not smile")
    return ", ".join(words) or f"confidence {face['Confidence']:.0f} %"


def faces_in_short(faces: Sequence[Mapping[str, Any]]) -> str:
    """Return what several faces say in a few words: ``2, 1 smiles: female 28-50 happy; male 62-80 calm``."""
    smiling = sum(bool(face.get("Smile", {}).get("Value")) for face in faces)
    count = f"{len(faces)}, {smiling} {'smile' if smiling > 1 else 'smiles'}" if smiling else str(len(faces))
    described = [words for face in faces if (words := _in_short(face))]
    return f"{count}: {'; '.join(described)}" if described else count


def strongest_emotion(face: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the emotion that is the surest, None where none was asked for."""
    emotions: Sequence[Mapping[str, Any]] = face.get("Emotions") or ()
    return max(emotions, key=lambda emotion: float(emotion["Confidence"]), default=None)


def describe_watch(watch: Mapping[str, Any]) -> str:
    """Return a line about a watch of the API, and one for each of its receivers."""
    where = ", ".join(watch["cameras"]) or "all cameras"
    when = f", {watch['schedule']}" if watch["schedule"] else ""
    head = f"{watch['id']}  {watch['who']}  {where}, cooldown {watch['cooldown']:g} s{when}"
    return "\n".join([head, *(f"  {_receiver_in_words(receiver)}" for receiver in watch["notify"])])


def describe_try(tried: Mapping[str, Any]) -> str:
    """Return one line about what a receiver answered to a test."""
    return f"{tried['url']}  {'took it' if tried['ok'] else 'did not take it'}: {tried['answer']} ({tried['seconds']:.2f} s)"


def describe_alert(alert: Mapping[str, Any]) -> str:
    """Return one line about an alert of the API."""
    verdict = f"  {alert['verdict']}" if alert["verdict"] else ""
    waiting = [one for one in alert["deliveries"] if one["state"] != "delivered"]
    told = "".join(f"  [receiver {one['receiver']}: {one['state'].replace('_', ' ')} {one['trouble']}]" for one in waiting)
    return f"{alert['id']}  {alert['text']}{verdict}{told}"


def _receiver_in_words(receiver: Mapping[str, Any]) -> str:
    waiting = f"  {receiver['waiting']} wait: {receiver['trouble'] or 'being delivered'}" if receiver["waiting"] else ""
    return f"to {receiver['url']} (receiver {receiver['receiver']}){waiting}"


def _in_short(face: Mapping[str, Any]) -> str:
    age, emotion = face.get("AgeRange"), strongest_emotion(face)
    words = [
        face["Gender"]["Value"].lower() if "Gender" in face else "",
        f"{age['Low']}-{age['High']}" if age else "",
        emotion["Type"].lower() if emotion else "",
    ]
    return " ".join(word for word in words if word)
