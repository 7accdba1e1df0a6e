"""How the desktop looks at this moment: colours, pens and fonts of the present theme, ready for QPainter."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtGui import QBrush, QColor, QFont, QFontDatabase, QFontMetricsF, QPalette, QPen

from ui.views.theme import Theme, load_themes, tokens

Role = Literal["axis", "small", "body", "control", "title", "value", "display"]
REGULAR, MEDIUM, STRONG = 400, 500, 600


def colour(theme: Theme, name: str) -> QColor:
    """A colour of the theme; `scrim` carries its alpha last, as CSS does, where Qt wants it first."""
    value = theme.colour(name)
    if len(value) == 9:
        value = f"#{value[7:]}{value[1:7]}"
    return QColor(value)


def dash_pen(line: QColor, width: float, dash: list[float]) -> QPen:
    """A pen whose dashes are given in pixels, as the tokens give them (Qt counts them in pen widths)."""
    pen = QPen(line, width)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    if dash:
        pen.setDashPattern([part / width for part in dash])
    return pen


@dataclass(frozen=True, slots=True, eq=False)
class Pens:
    """What charts draw with, made once a theme. `lines[i]` is series i+1, dashed from the fifth on."""

    grid: QPen
    crosshair: QPen
    marker: QPen
    axis_text: QColor
    card: QColor
    lines: tuple[QPen, ...]
    emphasis: tuple[QPen, ...]

    @classmethod
    def of(cls, theme: Theme) -> Pens:
        chart = tokens()["chart"]
        dashes = chart["series-dashes"]

        def line(number: int, width: float) -> QPen:
            pen = dash_pen(colour(theme, f"series-{number}"), width, dashes[number - 1])
            # Square ends close the corner between two segments; round ones cost seven times as much (measured).
            if not dashes[number - 1]:
                pen.setCapStyle(Qt.PenCapStyle.SquareCap)
            return pen

        marker = dash_pen(colour(theme, "text-secondary"), 1.0, [1.0, 2.0])
        grid = QPen(colour(theme, "grid"), 1.0)
        return cls(
            grid=grid,
            crosshair=QPen(colour(theme, "crosshair"), 1.0),
            marker=marker,
            axis_text=colour(theme, "text-secondary"),
            card=colour(theme, "card"),
            lines=tuple(line(number, chart["line"]) for number in range(1, 9)),
            emphasis=tuple(line(number, chart["line-emphasis"]) for number in range(1, 9)),
        )


def _family(names: list[str], fixed: bool) -> str:
    """The first installed family of a list; the system's own when none is."""
    installed = set(QFontDatabase.families())
    for name in names:
        if name in installed:
            return name
    system = QFontDatabase.SystemFont.FixedFont if fixed else QFontDatabase.SystemFont.GeneralFont
    return QFontDatabase.systemFont(system).family()


@functools.cache
def made_font(family: str, pixels: int, weight: int, mono: bool) -> QFont:
    """A font with tabular figures, one object for all who ask: widths of words are remembered by it."""
    font = QFont(family)
    font.setPixelSize(pixels)
    font.setWeight(QFont.Weight(weight))
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    if mono:
        font.setStyleHint(QFont.StyleHint.Monospace)
    else:
        font.setFeature(QFont.Tag("tnum"), 1)
    return font


class Look:
    """The present theme as colours, pens and fonts; one a window. `phone` makes body text larger, as the tokens ask."""

    def __init__(self, name: str = "dark") -> None:
        self.phone = False
        self._metrics: dict[tuple[int, int, bool], QFontMetricsF] = {}
        self._colours: dict[str, QColor] = {}
        self.family = _family(tokens()["font"]["ui"], fixed=False)
        self.mono_family = _family(tokens()["font"]["mono"], fixed=True)
        self.use(name)

    def use(self, name: str) -> None:
        """Take another of the four themes."""
        themes = load_themes()
        self.theme = themes.get(name, themes["dark"])
        self._colours.clear()
        self.pens = Pens.of(self.theme)

    def colour(self, name: str, alpha: float = 1.0) -> QColor:
        """A colour by its token name."""
        found = self._colours.get(name)
        if found is None:
            found = self._colours[name] = colour(self.theme, name)
        if alpha < 1.0:
            found = QColor(found)
            found.setAlphaF(alpha)
        return found

    def pen(self, name: str, width: float = 1.0) -> QPen:
        return QPen(self.colour(name), width)

    def brush(self, name: str, alpha: float = 1.0) -> QBrush:
        return QBrush(self.colour(name, alpha))

    def ramp(self, share: float) -> QColor:
        """The colour of a heat map cell for a share from 0 to 1; an empty cell is the card itself."""
        ramp = self.theme.ramp
        return QColor(ramp[max(0, min(len(ramp) - 1, int(share * len(ramp))))])

    def size(self, role: Role) -> int:
        """Pixels of a type role."""
        if self.phone and role in ("body", "control", "small"):
            return 13 if role == "small" else int(tokens()["type"]["phone-body"][0])
        return int(tokens()["type"][role][0])

    def font(self, role: Role | int, weight: int = REGULAR, mono: bool = False) -> QFont:
        """A font with tabular figures; `role` may be pixels."""
        return self._font(role if isinstance(role, int) else self.size(role), weight, mono)

    def metrics(self, role: Role | int, weight: int = REGULAR, mono: bool = False) -> QFontMetricsF:
        pixels = role if isinstance(role, int) else self.size(role)
        key = (pixels, weight, mono)
        if key not in self._metrics:
            self._metrics[key] = QFontMetricsF(self._font(*key))
        return self._metrics[key]

    def _font(self, pixels: int, weight: int, mono: bool) -> QFont:
        return made_font(self.mono_family if mono else self.family, pixels, weight, mono)

    def palette(self) -> QPalette:
        """The theme for whatever the style sheet does not reach."""
        palette = QPalette()
        roles = QPalette.ColorRole
        for role, name in (
            (roles.Window, "canvas"),
            (roles.Base, "card"),
            (roles.AlternateBase, "raised"),
            (roles.Button, "raised"),
            (roles.ToolTipBase, "raised"),
            (roles.WindowText, "text-primary"),
            (roles.Text, "text-primary"),
            (roles.ButtonText, "text-primary"),
            (roles.ToolTipText, "text-primary"),
            (roles.PlaceholderText, "text-secondary"),
            (roles.Highlight, "accent"),
            (roles.HighlightedText, "on-accent"),
            (roles.Link, "accent"),
        ):
            palette.setColor(role, self.colour(name))
        for role in (roles.WindowText, roles.Text, roles.ButtonText):
            palette.setColor(QPalette.ColorGroup.Disabled, role, self.colour("text-disabled"))
        return palette
