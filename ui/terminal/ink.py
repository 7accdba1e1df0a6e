"""Inks: what a cell is painted with (foreground, background, attributes) as one number, and the numbers' styles in a theme."""

from __future__ import annotations

import os
from typing import Literal

from rich.color import Color
from rich.style import Style

from ui.terminal.depth import ANSI_16, Depth, sgr
from ui.views.theme import Theme

FOREGROUNDS: tuple[str, ...] = (
    "text-primary",
    "text-secondary",
    "text-disabled",
    "on-accent",
    "canvas",
    "accent",
    "focus",
    "line-strong",
    "line-control",
    "line-subtle",
    "grid",
    "crosshair",
    "critical",
    "warning",
    "info",
    "ok",
    "unknown",
    "silenced",
    "acked",
    "pending",
    "others",
    *(f"series-{i}" for i in range(1, 9)),
)
BACKGROUNDS: tuple[str, ...] = (
    "canvas",
    "raised",
    "card",
    "accent",
    "accent-tint",
    "text-primary",
    "critical-tint",
    "warning-tint",
    "info-tint",
    "ok-tint",
    "unknown-tint",
    "silenced-tint",
)
_FORE = {name: i for i, name in enumerate(FOREGROUNDS)}
_BACK = {name: i for i, name in enumerate(BACKGROUNDS)}
_BACK["acked-tint"] = _BACK["silenced-tint"]
_BACK["pending-tint"] = _BACK["warning-tint"]

BOLD = 1
UNDERLINE = 2
_ATTRIBUTE_BITS = 2
_BACK_BITS = 4
BACK_MASK = ((1 << _BACK_BITS) - 1) << _ATTRIBUTE_BITS
LOUD = ("accent", "text-primary")
"""Backgrounds that are inverted where there is no colour, so that what they say is not lost."""

AttributeName = Literal["", "bold", "underline", "bold underline"]


def ink(fore: str = "text-primary", back: str = "canvas", bold: bool = False, underline: bool = False) -> int:
    """The number of an ink. Unknown foregrounds (a colour name this version does not know) fall back to plain text."""
    attributes = (BOLD if bold else 0) | (UNDERLINE if underline else 0)
    return (_FORE.get(fore, 0) << (_BACK_BITS + _ATTRIBUTE_BITS)) | (_BACK.get(back, 0) << _ATTRIBUTE_BITS) | attributes


def back_bits(back: str) -> int:
    """The bits of a background alone, to lay it under what is painted already."""
    return _BACK.get(back, 0) << _ATTRIBUTE_BITS


def parts(number: int) -> tuple[str, str, int]:
    """Foreground, background and attribute bits of an ink."""
    fore = FOREGROUNDS[number >> (_BACK_BITS + _ATTRIBUTE_BITS)]
    return fore, BACKGROUNDS[(number & BACK_MASK) >> _ATTRIBUTE_BITS], number & ((1 << _ATTRIBUTE_BITS) - 1)


class InkBook:
    """Styles of all inks in one theme at one colour depth; each is made when it is first used."""

    def __init__(self, theme: Theme, depth: Depth) -> None:
        self.theme = theme
        self.depth = depth
        self._styles: dict[int, Style] = {}
        self._codes: dict[Style, tuple[str, str, str]] = {}

    def style(self, number: int) -> Style:
        """The Rich style of an ink, in full colour; `codes` brings it down to what the terminal can show."""
        known = self._styles.get(number)
        if known is not None:
            return known
        fore, back, attributes = parts(number)
        style = Style(
            color=Color.parse(self.theme.colour(fore)),
            bgcolor=Color.parse(self.theme.colour(back)),
            bold=bool(attributes & BOLD),
            underline=bool(attributes & UNDERLINE),
            reverse=self.depth == "none" and back in LOUD,
        )
        self._styles[number] = style
        self._codes[style] = self._own_codes(fore, back, style)
        return style

    def _own_codes(self, fore: str, back: str, style: Style) -> tuple[str, str, str]:
        if self.depth == "16":
            # Sixteen colours cannot hold the theme's shades: the terminal's own ground, and the names the tokens give.
            ground = "7" if back in LOUD else ""
            return ANSI_16.get(fore, ""), "", ";".join(filter(None, (_attribute_codes(style), ground)))
        return self._plain_codes(style)

    def codes(self, style: Style) -> tuple[str, str, str]:
        """SGR parameters (foreground, background, attributes) of a style, "" where there are none."""
        known = self._codes.get(style)
        if known is None:
            if len(self._codes) > 4096:
                self._codes.clear()
            known = self._codes[style] = self._plain_codes(style)
        return known

    def _plain_codes(self, style: Style) -> tuple[str, str, str]:
        fore = sgr(style.color, self.depth, ground=False)
        back = "" if self.depth == "16" else sgr(style.bgcolor, self.depth, ground=True)
        return fore, back, _attribute_codes(style)


def _attribute_codes(style: Style) -> str:
    flags = ((style.bold, "1"), (style.dim, "2"), (style.underline, "4"), (style.reverse, "7"))
    return ";".join(code for wanted, code in flags if wanted)


def ascii_wanted(environ: dict[str, str] | None = None) -> bool:
    """Whether only ASCII may be painted: LIGHTSHIP_ASCII=1, or a locale that is not UTF-8."""
    environ = dict(os.environ) if environ is None else environ
    if environ.get("LIGHTSHIP_ASCII", "") not in ("", "0"):
        return True
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        if environ.get(name):
            return "utf8" not in environ[name].lower().replace("-", "")
    return False
