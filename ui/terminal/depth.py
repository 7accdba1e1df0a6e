"""Colour depth: how many colours the terminal has, and the nearest one it has to a colour of the theme."""

from __future__ import annotations

import functools
import os
from typing import Literal

import numpy as np
import numpy.typing as npt
from rich.color import Color

from ui.views.theme import tokens

Depth = Literal["true", "256", "16", "none"]

_NAMED = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")


def _ansi_code(name: str) -> str:
    bright = name.startswith("bright_")
    return str((90 if bright else 30) + _NAMED.index(name.removeprefix("bright_")))


def _ansi_16() -> dict[str, str]:
    named = {token: _ansi_code(name) for token, name in tokens()["term-chart"]["ansi-16"].items()}
    quiet = dict.fromkeys(("text-disabled", "line-strong", "line-control", "line-subtle", "grid", "acked", "others"), "90")
    # Series keep away from red and yellow, which mean alarm.
    series = {f"series-{i}": code for i, code in enumerate(("96", "92", "95", "32", "36", "94", "37", "35"), 1)}
    return named | quiet | series | {"pending": named["warning"], "focus": named["accent"]}


ANSI_16: dict[str, str] = _ansi_16()
"""Foreground SGR code by token name for terminals of sixteen colours; what is missing is the terminal's own text colour."""


def detect(environ: dict[str, str] | None = None) -> Depth:
    """What the terminal can show by NO_COLOR, COLORTERM and TERM; LIGHTSHIP_COLORS (true, 256, 16, none) overrules them."""
    environ = dict(os.environ) if environ is None else environ
    wish = environ.get("LIGHTSHIP_COLORS", "")
    depths: tuple[Depth, ...] = ("true", "256", "16", "none")
    for depth in depths:
        if wish == depth:
            return depth
    term = environ.get("TERM", "")
    if environ.get("NO_COLOR") or term in ("dumb", "vt100", "vt220"):
        return "none"
    if environ.get("COLORTERM", "").lower() in ("truecolor", "24bit") or term.endswith("-direct"):
        return "true"
    return "256" if "256" in term or term in ("alacritty", "foot", "xterm-kitty") else "16"


def sgr(color: Color | None, depth: Depth, *, ground: bool) -> str:
    """SGR parameters for a colour as foreground, or as background when `ground`."""
    if color is None or depth == "none" or color.is_default:
        return ""
    red, green, blue = color.get_truecolor()
    lead = "48" if ground else "38"
    if depth == "true":
        return f"{lead};2;{red};{green};{blue}"
    if depth == "256":
        return f"{lead};5;{nearest_256(red, green, blue)}"
    return str(_nearest_16(red, green, blue) + (10 if ground else 0))


def _lab(rgb: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """CIE L*a*b* (D65) of sRGB colours, float64[n, 3] in 0..255."""
    c = rgb / 255.0
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    matrix = np.array(((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505)))
    xyz = linear @ matrix.T / np.array((0.9505, 1.0, 1.089))
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.stack((116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])), axis=1)


@functools.cache
def _palette_256() -> npt.NDArray[np.float64]:
    """The fixed part of the 256-colour palette: 216 of the cube, then 24 greys, as L*a*b*."""
    steps = (0, 95, 135, 175, 215, 255)
    cube = [(r, g, b) for r in steps for g in steps for b in steps]
    return _lab(np.array(cube + [(8 + 10 * i,) * 3 for i in range(24)], dtype=np.float64))


@functools.cache
def nearest_256(red: int, green: int, blue: int) -> int:
    """The palette number nearest by CIE76 difference; 0..15 are left out because every terminal paints them as it likes."""
    lab = _lab(np.array(((red, green, blue),), dtype=np.float64))
    return 16 + int(np.argmin(np.square(_palette_256() - lab).sum(axis=1)))


_XTERM_16 = (
    ((0, 0, 0), 30),
    ((205, 0, 0), 31),
    ((0, 205, 0), 32),
    ((205, 205, 0), 33),
    ((0, 0, 238), 34),
    ((205, 0, 205), 35),
    ((0, 205, 205), 36),
    ((229, 229, 229), 37),
    ((127, 127, 127), 90),
)


@functools.cache
def _nearest_16(red: int, green: int, blue: int) -> int:
    known = _lab(np.array([rgb for rgb, _ in _XTERM_16], dtype=np.float64))
    lab = _lab(np.array(((red, green, blue),), dtype=np.float64))
    return _XTERM_16[int(np.argmin(np.square(known - lab).sum(axis=1)))][1]
