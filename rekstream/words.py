"""Faces in words, for the terminal."""

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


def _in_short(face: Mapping[str, Any]) -> str:
    age, emotion = face.get("AgeRange"), strongest_emotion(face)
    words = [
        face["Gender"]["Value"].lower() if "Gender" in face else "",
        f"{age['Low']}-{age['High']}" if age else "",
        emotion["Type"].lower() if emotion else "",
    ]
    return " ".join(word for word in words if word)
