"""JPEG and PNG bytes to RGB arrays, with the reasons when that cannot be."""

import re
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from vision.entities import Rgb

MAX_PIXELS = 100_000_000
"""Larger pictures are refused before decoding: 5 MB of PNG can unpack to gigabytes."""

MOST_SCANS = 100
"""A progressive JPEG has about ten. Each costs a pass over all pixels and may have 30 bytes: 5 MB could take half an hour."""

ENOUGH_PIXELS = 1280
"""A longest side with which all models here work as well as with more; decoding never goes below it."""

_JPEG_MAGIC = b"\xff\xd8\xff"
_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_JPEG_END = b"\xff\xd9"
_MARKER_START = 0xFF
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)  # after a scan's pixels
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_SOF_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # "start of frame": carries the size
_BARE_MARKERS = frozenset({0x01, *range(0xD0, 0xD8)})  # they have no length: whoever reads one is led past the true size
_ENDS = frozenset({0xD8, 0xD9})
_SOS_MARKER = 0xDA  # "start of scan": pixels follow
_REDUCED_FLAGS = {
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}


class PictureError(ValueError):
    """The bytes are no picture this program reads; the message says why in one sentence."""


class PictureTooLargeError(PictureError):
    """The picture has more than MAX_PIXELS pixels."""


@dataclass(frozen=True, slots=True)
class PictureInfo:
    """What a picture's header says: format, and size in pixels as stored (before any EXIF turn).

    A progressive JPEG takes up to six bytes of memory a pixel to decode, at whatever size.
    """

    format: Literal["jpeg", "png"]
    width: int
    height: int
    progressive: bool = False


def inspect(data: bytes) -> PictureInfo:
    """Read the header only; PictureError unless the bytes begin and end as a JPEG or PNG does."""
    if data.startswith(_JPEG_MAGIC):
        return _inspect_jpeg(data)
    if data.startswith(_PNG_MAGIC):
        return _inspect_png(data)
    if not data:
        raise PictureError("the picture is empty (0 bytes); send a JPEG or PNG")
    raise PictureError(f"{_kind(data)} is neither JPEG nor PNG; {_ADVICE.get(_kind(data), 'convert the picture first')}")


_KINDS: tuple[tuple[int, bytes, str], ...] = (
    *((4, b"ftyp" + brand, "HEIC") for brand in (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")),
    (4, b"ftypavif", "AVIF"),
    (8, b"WEBP", "WebP"),
    (0, b"GIF8", "GIF"),
    (0, b"BM", "BMP"),
    (0, b"II*\0", "TIFF"),
    (0, b"MM\0*", "TIFF"),
    (0, b"%PDF", "PDF"),
)
_ADVICE = {
    "HEIC": "save it as JPEG (an iPhone takes JPEGs with Settings, Camera, Formats, Most Compatible)",
    "PDF": "save its page as a picture first",
}


def _kind(data: bytes) -> str:
    """Name what the bytes are by how they begin."""
    found = next((name for at, magic, name in _KINDS if data[at : at + len(magic)] == magic), None)
    return found or f"what begins with {repr(data[:4])[1:]}"


def decode(data: bytes) -> Rgb:
    """Return the RGB picture in `data`, JPEG turned as its EXIF says; PictureError if that cannot be.

    A JPEG at least twice as large as ENOUGH_PIXELS is decoded at a half, a quarter or an eighth, which is several
    times faster than decoding all of it; positions as fractions stay the same.
    """
    info = inspect(data)
    if info.width * info.height > MAX_PIXELS:
        most = f"{MAX_PIXELS // 1_000_000} megapixels"
        raise PictureTooLargeError(f"the picture is {info.width} x {info.height} pixels; send one of at most {most}")
    rgb = _decode_as(data, info, _reduction(info))
    if rgb is None:
        raise PictureError(f"the {info.format.upper()} is damaged and cannot be decoded; send it again")
    return rgb


def _reduction(info: PictureInfo) -> int:
    if info.format == "png":
        return 1
    longest = max(info.width, info.height)
    return max(factor for factor in (1, 2, 4, 8) if factor == 1 or longest >= factor * ENOUGH_PIXELS)


def _decode_as(data: bytes, info: PictureInfo, reduction: int) -> Rgb | None:
    packed = np.frombuffer(data, np.uint8)
    try:
        if reduction > 1:
            bgr = cv2.imdecode(packed, _REDUCED_FLAGS[reduction])
            return None if bgr is None else _as_uint8(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB))
        # Rekognition turns JPEGs by their EXIF and knows none in PNGs (docs: "Correcting image orientation").
        keep = cv2.IMREAD_IGNORE_ORIENTATION if info.format == "png" else 0
        rgb = cv2.imdecode(packed, cv2.IMREAD_COLOR_RGB | keep)
    except cv2.error:
        return None
    return None if rgb is None else _as_uint8(rgb)


def _as_uint8(array: object) -> Rgb:
    return np.asarray(array, np.uint8)


def _inspect_jpeg(data: bytes) -> PictureInfo:
    """Walk the segments up to the first scan: SOF gives the size, and an end marker must follow the scan's start."""
    position, size, progressive = 2, None, False
    while position + 4 <= len(data) and data[position] == _MARKER_START:
        marker = data[position + 1]
        if marker == _MARKER_START:  # fill byte
            position += 1
            continue
        if marker in _BARE_MARKERS:
            position += 2
            continue
        if marker in _SOF_MARKERS and position + 9 <= len(data):
            height, width = (int.from_bytes(data[at : at + 2]) for at in (position + 5, position + 7))
            size, progressive = (width, height), marker in _PROGRESSIVE
        length = int.from_bytes(data[position + 2 : position + 4])
        if marker == _SOS_MARKER or marker in _ENDS or length < 2:  # noqa: PLR2004 - the length counts itself
            break
        position += 2 + length
    if size is None or 0 in size:
        raise PictureError(f"the JPEG of {len(data)} bytes is damaged: it states no size; send it again")
    # Inside a scan every 0xFF is followed by a zero, so this is no accident of the pixels.
    if data.rfind(_JPEG_END) < position:
        raise PictureError(f"the JPEG is cut off after {len(data)} bytes; send all of it")
    if _scans(data, position) > MOST_SCANS:
        raise PictureError(f"the JPEG has more than {MOST_SCANS} scans and would take very long to decode; save it anew")
    return PictureInfo("jpeg", *size, progressive)


def _scans(data: bytes, position: int) -> int:
    """Count the scans from the first one's marker on, up to one more than MOST_SCANS."""
    count = 0
    while position + 4 <= len(data) and data[position + 1] not in _ENDS and count <= MOST_SCANS:
        marker = data[position + 1]
        count += marker == _SOS_MARKER
        length = 0 if marker in _BARE_MARKERS else int.from_bytes(data[position + 2 : position + 4])
        found = _NEXT_MARKER.search(data, position + 2 + length)
        if found is None:
            break
        position = found.start()
    return count


def _inspect_png(data: bytes) -> PictureInfo:
    width, height = int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    if data[12:16] != b"IHDR" or 0 in (width, height):
        raise PictureError(f"the PNG of {len(data)} bytes is damaged: it states no size; send it again")
    if data.rfind(b"IEND") < 0:
        raise PictureError(f"the PNG is cut off after {len(data)} bytes; send all of it")
    return PictureInfo("png", width, height)
