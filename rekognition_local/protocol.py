"""AWS JSON 1.1 as Rekognition speaks it: requests checked against botocore's service model, errors by AWS's names.

The names and HTTP statuses of errors are those of AWS's page "Error handling" of the Rekognition developer guide.
"""

import binascii
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias, TypeVar

from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StringShape, StructureShape

from pipeline.errors import RekstreamError

CONTENT_TYPE = "application/x-amz-json-1.1"
TARGET_PREFIX = "RekognitionService"

Response: TypeAlias = dict[str, Any]
"""The members of an answer, as JSON takes them."""

Operation: TypeAlias = Callable[[Mapping[str, Any]], Response]
"""Answers a call: its checked parameters to the members of the response."""

T = TypeVar("T")

MOST_MEMBERS = 50_000
"""In one request; AWS's longest list has 4,096. A picture's base64 has no commas, which is what is counted."""

_JAVA_CLASSES = {r"\p{L}": r"\w", r"\p{Z}": r"\s", r"\p{N}": r"\d"}
_SERVER_ERRORS = frozenset({"InternalServerError", "ThrottlingException"})
_SHOWN = 60  # characters of a caller's value that an error repeats


class ServiceError(RekstreamError):
    """An answer that is an error: its name at AWS (`code`), and one sentence."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code

    @property
    def status(self) -> int:
        """The HTTP status AWS sends with this name."""
        return 500 if self.code in _SERVER_ERRORS else 400

    def body(self, request_id: str) -> bytes:
        """Return the JSON that AWS sends with this error."""
        members = {"__type": self.code, "Code": self.code, "Logref": request_id, "Message": str(self)}
        return json.dumps(members).encode()


def invalid_parameter(message: str) -> ServiceError:
    """Return the error for a member that is missing or not allowed."""
    return ServiceError("InvalidParameterException", message)


@dataclass(frozen=True, slots=True)
class Call:
    """A request that has passed all checks: the operation's name, and its parameters as boto3's caller gave them."""

    operation: str
    params: Mapping[str, Any]


@lru_cache(maxsize=1)
def service_model() -> ServiceModel:
    """Return botocore's model of Rekognition; loading takes 20 ms, once."""
    return ServiceModel(Loader().load_service_model("rekognition", "service-2"))


@lru_cache(maxsize=1)
def error_names() -> frozenset[str]:
    """Return the names of the errors that Rekognition's operations have."""
    model = service_model()
    return frozenset(shape.name for name in model.operation_names for shape in model.operation_model(name).error_shapes)


@lru_cache(maxsize=1)
def regions() -> tuple[str, ...]:
    """Return the regions that Rekognition is in, as botocore lists them."""
    endpoints = Loader().load_data("endpoints")["partitions"]
    names = {name for partition in endpoints for name in partition["services"].get("rekognition", {}).get("endpoints", {})}
    return tuple(sorted(name for name in names if "fips" not in name and "." not in name))


def operation_named(target: str | None) -> OperationModel:
    """Return the operation that an X-Amz-Target header names."""
    prefix, _, name = (target or "").partition(".")
    if prefix != TARGET_PREFIX or name not in service_model().operation_names:
        shown = repr(target) if target else "no X-Amz-Target header"
        raise ServiceError("UnknownOperationException", f"{shown} names no operation of Rekognition")
    return service_model().operation_model(name)


def parse(operation: OperationModel, body: bytes) -> Call:
    """Return the call in a request's body; a ServiceError names the first member that is wrong."""
    if body.count(b",") > MOST_MEMBERS:
        raise ServiceError("SerializationException", f"the request has more than {MOST_MEMBERS} members and items")
    try:
        params = json.loads(body or b"{}", parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:  # the latter from lists within lists within lists
        raise ServiceError("SerializationException", f"the request is not JSON: {error}") from error
    if operation.input_shape is None:
        return Call(operation.name, {})
    return Call(operation.name, _check(operation.input_shape, params, ""))


@lru_cache(maxsize=256)
def compiled(pattern: str) -> re.Pattern[str]:
    """Return a pattern of the service model, whose classes of letters are Java's, as Python writes it."""
    for java, ours in _JAVA_CLASSES.items():
        pattern = pattern.replace(java, ours)
    return re.compile(pattern)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number that JSON has")


def _check(shape: Shape, value: object, path: str) -> Any:
    """Return `value` as its shape wants it (blobs decoded), or raise the error AWS gives for it."""
    check = _CHECKS.get(shape.type_name)
    return check(shape, value, path) if check else value


def _structure(shape: StructureShape, value: object, path: str) -> dict[str, Any]:
    members = _typed(value, dict, path, "an object")
    for name in shape.required_members:
        if members.get(name) is None:
            raise invalid_parameter(f"{_join(path, name)} is missing")
    return {
        name: _check(shape.members[name], member, _join(path, name))
        for name, member in members.items()
        if name in shape.members and member is not None
    }


def _list(shape: ListShape, value: object, path: str) -> list[Any]:
    items = _typed(value, list, path, "a list")
    _check_bounds(shape, len(items), path, "items")
    return [_check(shape.member, item, f"{path}[{index}]") for index, item in enumerate(items)]


def _map(shape: MapShape, value: object, path: str) -> dict[str, Any]:
    entries = _typed(value, dict, path, "an object")
    _check_bounds(shape, len(entries), path, "entries")
    return {_check(shape.key, key, path): _check(shape.value, entry, f"{path}[{key}]") for key, entry in entries.items()}


def _string(shape: StringShape, value: object, path: str) -> str:
    text = _typed(value, str, path, "a string")
    _check_bounds(shape, len(text), path, "characters")
    if shape.enum and text not in shape.enum:
        raise invalid_parameter(f"{path} is {_short(text)}; it must be one of {', '.join(shape.enum)}")
    pattern = shape.metadata.get("pattern")
    if pattern and not compiled(pattern).fullmatch(text):
        raise invalid_parameter(f"{path} is {_short(text)}, which does not match {pattern}")
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ServiceError("SerializationException", f"{path} is {_short(text)}, which is no text: half a letter is in it")
    return text


def _blob(shape: Shape, value: object, path: str) -> bytes:
    """Decode base64. How large an image may be is for images.py to say, under the name AWS has for that."""
    text = _typed(value, str, path, "a base64 string")
    try:
        blob = binascii.a2b_base64(text, strict_mode=True)
    except (binascii.Error, ValueError) as error:
        raise ServiceError("SerializationException", f"{path} is not base64: {error}") from error
    if len(blob) < shape.metadata.get("min", 0):
        raise invalid_parameter(f"{path} is empty (0 bytes)")
    return blob


def _integer(shape: Shape, value: object, path: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong_type(value, path, "a whole number")
    _check_bounds(shape, value, path, "")
    return value


def _float(shape: Shape, value: object, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong_type(value, path, "a number")
    _check_bounds(shape, value, path, "")
    return float(value)


def _boolean(_shape: Shape, value: object, path: str) -> bool:
    return _typed(value, bool, path, "true or false")


_CHECKS: Mapping[str, Callable[[Any, object, str], Any]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _string,
    "blob": _blob,
    "integer": _integer,
    "long": _integer,
    "float": _float,
    "double": _float,
    "boolean": _boolean,
}


def _typed(value: object, wanted: type[T], path: str, name: str) -> T:
    if not isinstance(value, wanted):
        raise _wrong_type(value, path, name)
    return value


def _wrong_type(value: object, path: str, name: str) -> ServiceError:
    return ServiceError("SerializationException", f"{path or 'the request'} is {_short(value)}; it must be {name}")


def _check_bounds(shape: Shape, size: float, path: str, unit: str) -> None:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    has = f"{path} has {size} {unit}" if unit else f"{path} is {size}"
    if least is not None and size < least:
        raise invalid_parameter(f"{has}; the least is {least}")
    if most is not None and size > most:
        raise invalid_parameter(f"{has}; the most is {most}")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
