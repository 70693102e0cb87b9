"""Answers must have the shapes of botocore's service model: each member known, of its type, and within its bounds."""

import json
import re

from botocore.model import ListShape, OperationModel, Shape, StructureShape

_TYPES = {"float": float, "integer": int, "long": int, "boolean": bool, "string": str, "timestamp": float}


def check_answer(operation: OperationModel, body: bytes) -> None:
    """Fail unless the body of an answer fits the operation's output."""
    check_shape(operation.output_shape, json.loads(body), operation.name)


def check_shape(shape: Shape, value: object, path: str = "response") -> None:
    """Fail unless a value fits its shape. Lists may be empty where the model says 1: AWS sends them so."""
    if isinstance(shape, StructureShape):
        assert isinstance(value, dict), path
        assert set(value) <= set(shape.members), path
        assert set(shape.required_members) <= set(value), path
        for name, member in value.items():
            check_shape(shape.members[name], member, f"{path}.{name}")
    elif isinstance(shape, ListShape):
        assert isinstance(value, list), path
        assert len(value) <= shape.metadata.get("max", len(value)), path
        for index, item in enumerate(value):
            check_shape(shape.member, item, f"{path}[{index}]")
    else:
        _check_scalar(shape, value, path)


def _check_scalar(shape: Shape, value: object, path: str) -> None:
    assert type(value) is _TYPES[shape.type_name], f"{path}: {value!r}"
    if getattr(shape, "enum", None):
        assert value in shape.enum, path
    size = len(value) if isinstance(value, str) else value
    assert shape.metadata.get("min", size) <= size <= shape.metadata.get("max", size), f"{path}: {value!r}"
    if "pattern" in shape.metadata:
        assert re.fullmatch(shape.metadata["pattern"], str(value)), f"{path}: {value!r}"
