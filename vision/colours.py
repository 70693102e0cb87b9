"""What a picture as a whole looks like: the colours it is made of, and how bright, sharp and rich in contrast it is."""

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.entities import Box, Rgb

_LOOKED_AT = 64  # longest side in pixels of the copy whose colours are counted
_LEAST_SHARE = 1.0  # percent of the pixels: less dominates nothing
_JUDGED = 640  # longest side in pixels of the copy whose brightness, sharpness and contrast are measured
_SHARPEST = 10_000.0  # variance of the Laplacian of a picture that counts as 100: a circuit board has 8,200
_MOST_CONTRAST = 127.5  # standard deviation of a picture half black, half white

# CSS Color Module Level 4, each shade once, under the eleven words that English has for colours (Berlin and Kay, 1969).
_SHADES = {
    "pink": "mediumvioletred c71585 deeppink ff1493 palevioletred db7093 hotpink ff69b4 lightpink ffb6c1 pink ffc0cb",
    "red": "darkred 8b0000 red ff0000 firebrick b22222 crimson dc143c indianred cd5c5c lightcoral f08080",
    "orange": "orangered ff4500 tomato ff6347 darkorange ff8c00 coral ff7f50 orange ffa500 salmon fa8072 darksalmon e9967a "
    "lightsalmon ffa07a",
    "yellow": "gold ffd700 yellow ffff00 khaki f0e68c darkkhaki bdb76b palegoldenrod eee8aa lightgoldenrodyellow fafad2 "
    "lemonchiffon fffacd lightyellow ffffe0 papayawhip ffefd5 moccasin ffe4b5 peachpuff ffdab9 cornsilk fff8dc",
    "brown": "maroon 800000 brown a52a2a saddlebrown 8b4513 sienna a0522d chocolate d2691e darkgoldenrod b8860b peru cd853f "
    "rosybrown bc8f8f goldenrod daa520 sandybrown f4a460 tan d2b48c burlywood deb887 wheat f5deb3 navajowhite ffdead "
    "bisque ffe4c4 blanchedalmond ffebcd",
    "purple": "indigo 4b0082 purple 800080 darkmagenta 8b008b darkviolet 9400d3 blueviolet 8a2be2 "
    "darkorchid 9932cc fuchsia ff00ff slateblue 6a5acd mediumslateblue 7b68ee mediumorchid ba55d3 mediumpurple 9370db "
    "rebeccapurple 663399 orchid da70d6 violet ee82ee plum dda0dd thistle d8bfd8 lavender e6e6fa",
    "blue": "midnightblue 191970 navy 000080 darkblue 00008b mediumblue 0000cd blue 0000ff darkslateblue 483d8b "
    "royalblue 4169e1 steelblue 4682b4 dodgerblue 1e90ff deepskyblue 00bfff cornflowerblue 6495ed skyblue 87ceeb "
    "lightskyblue 87cefa lightsteelblue b0c4de lightblue add8e6 powderblue b0e0e6 cadetblue 5f9ea0 darkturquoise 00ced1 "
    "mediumturquoise 48d1cc turquoise 40e0d0 aqua 00ffff paleturquoise afeeee lightcyan e0ffff",
    "green": "darkgreen 006400 green 008000 darkolivegreen 556b2f forestgreen 228b22 seagreen 2e8b57 olive 808000 "
    "olivedrab 6b8e23 mediumseagreen 3cb371 limegreen 32cd32 lime 00ff00 springgreen 00ff7f mediumspringgreen 00fa9a "
    "darkseagreen 8fbc8f mediumaquamarine 66cdaa yellowgreen 9acd32 lawngreen 7cfc00 chartreuse 7fff00 lightgreen 90ee90 "
    "greenyellow adff2f palegreen 98fb98 aquamarine 7fffd4 teal 008080 darkcyan 008b8b lightseagreen 20b2aa",
    "white": "mistyrose ffe4e1 antiquewhite faebd7 linen faf0e6 beige f5f5dc whitesmoke f5f5f5 lavenderblush fff0f5 "
    "oldlace fdf5e6 aliceblue f0f8ff seashell fff5ee ghostwhite f8f8ff honeydew f0fff0 floralwhite fffaf0 azure f0ffff "
    "mintcream f5fffa snow fffafa ivory fffff0 white ffffff",
    "grey": "darkslategrey 2f4f4f dimgrey 696969 slategrey 708090 gray 808080 lightslategrey 778899 darkgrey a9a9a9 "
    "silver c0c0c0 lightgrey d3d3d3 gainsboro dcdcdc",
    "black": "black 000000",
}


@dataclass(frozen=True, slots=True)
class Colour:
    """One of CSS's named colours: red, green, blue of 0 to 255, its name, the plain word for it, and its share in percent."""

    rgb: tuple[int, int, int]
    name: str
    plain: str
    share: float

    @property
    def hex(self) -> str:
        """The colour as CSS writes it: #2f4f4f."""
        return "#{:02x}{:02x}{:02x}".format(*self.rgb)


@dataclass(frozen=True, slots=True)
class Look:
    """How a picture looks, 0 to 100 each; the scales are ours: what Amazon's mean is not published.

    Brightness is the mean luma, contrast its standard deviation (100: half black, half white), sharpness the logarithm
    of the Laplacian's variance.
    """

    brightness: float
    sharpness: float
    contrast: float


def colours(rgb: Rgb, most: int = 10) -> list[Colour]:
    """Return the colours a picture is made of, the commonest first, at most `most`; the same for the same picture.

    Each pixel of a small copy counts for the CSS colour nearest to it in CIELAB (CIE 1976, D65), where distances are
    those an eye sees. A colour is given as CSS has it, as Amazon's answers do, not as the mean of its pixels.
    """
    palette = _palette()
    counted = np.bincount(palette.nearest(_reduced(rgb, _LOOKED_AT)), minlength=len(palette.shades))
    shares = (100 * counted / counted.sum()).tolist()
    found = [
        Colour(shade.rgb, shade.name, shade.plain, share)
        for shade, share in zip(palette.shades, shares, strict=True)
        if share >= _LEAST_SHARE
    ]
    return sorted(found, key=lambda colour: -colour.share)[:most]


def look(rgb: Rgb) -> Look:
    """Return how bright, sharp and rich in contrast a picture is."""
    grey = cv2.cvtColor(_reduced(rgb, _JUDGED), cv2.COLOR_RGB2GRAY)
    mean, deviation = (float(value[0, 0]) for value in cv2.meanStdDev(grey))
    variance = float(cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_16S))[1][0, 0]) ** 2
    sharpness = 100 * math.log1p(variance) / math.log1p(_SHARPEST)
    return Look(mean / 2.55, min(100.0, sharpness), min(100.0, 100 * deviation / _MOST_CONTRAST))


def cut(rgb: Rgb, box: Box) -> Rgb:
    """Return the part of a picture in a box that lies within it: one pixel at least."""
    height, width = rgb.shape[:2]
    top, left = min(height - 1, int(box.top * height)), min(width - 1, int(box.left * width))
    bottom, right = round((box.top + box.height) * height), round((box.left + box.width) * width)
    return rgb[top : max(top + 1, bottom), left : max(left + 1, right)]


def _reduced(rgb: Rgb, side: int) -> Rgb:
    height, width = rgb.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return rgb
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


@dataclass(frozen=True, slots=True)
class _Shade:
    """A colour that CSS has a name for."""

    rgb: tuple[int, int, int]
    name: str
    plain: str


@dataclass(frozen=True, slots=True)
class _Palette:
    """CSS's colours, and where each lies in CIELAB (n x 3)."""

    shades: list[_Shade]
    places: NDArray[np.float32]

    def nearest(self, rgb: Rgb) -> NDArray[np.intp]:
        """Return the index of the shade nearest to each pixel."""
        pixels = _in_lab(rgb.reshape(-1, 3))
        # |p - s|^2 without |p|^2, which is the same for every shade.
        return np.asarray(np.argmin((self.places**2).sum(axis=1) - 2 * pixels @ self.places.T, axis=1), np.intp)


@lru_cache(maxsize=1)
def _palette() -> _Palette:
    shades = []
    for plain, line in _SHADES.items():
        words = line.split()
        shades += [_shade(name, code, plain) for name, code in zip(words[::2], words[1::2], strict=True)]
    return _Palette(shades, _in_lab(np.array([shade.rgb for shade in shades], np.uint8)))


def _shade(name: str, code: str, plain: str) -> _Shade:
    red, green, blue = bytes.fromhex(code)
    return _Shade((red, green, blue), name, plain)


def _in_lab(pixels: Rgb) -> NDArray[np.float32]:
    """Take n x 3 bytes of sRGB to CIELAB."""
    return np.asarray(cv2.cvtColor(pixels[None].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0], np.float32)
