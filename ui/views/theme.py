"""The four themes and the glyphs of the eight states, read once from the token file."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, Literal, cast

from ui.views.view import Shape

ThemeName = Literal["dark", "light", "dark-cvd", "light-cvd"]
THEMES: tuple[ThemeName, ...] = ("dark", "light", "dark-cvd", "light-cvd")
SHAPES: tuple[Shape, ...] = ("critical", "warning", "info", "ok", "unknown", "silenced", "acked", "pending")


@dataclass(frozen=True, slots=True)
class Glyph:
    """How a state looks in one cell, and its word. `block`: height in the firing strip (0..1); acked and pending have none."""

    word: str
    meaning: str
    term: str
    ascii: str
    block: float = 0.0
    term_block: str = ""
    ascii_block: str = ""


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours by name. `ramp`: sequential colours, fewest first; `diverging`: from below to above usual."""

    name: ThemeName
    mode: Literal["dark", "light"]
    colours: Mapping[str, str] = field(repr=False)
    ramp: tuple[str, ...] = ()
    diverging: tuple[str, ...] = ()

    def colour(self, name: str) -> str:
        """ "#RRGGBB" (scrim: "#RRGGBBAA") of a colour's name. Raises `KeyError` for a name the tokens do not have."""
        return self.colours[name]


@functools.cache
def tokens() -> dict[str, Any]:
    """The token file as it stands, parsed once; not to be changed by its readers."""
    return tomllib.loads(resources.files("assets").joinpath("tokens.toml").read_text(encoding="utf-8"))


def _colours(table: dict[str, Any]) -> dict[str, str]:
    colours: dict[str, str] = dict(table["surface"])
    colours |= {f"text-{name}": value for name, value in table["text"].items() if name != "on-accent"}
    colours["on-accent"] = table["text"]["on-accent"]
    colours |= {f"line-{name}": table["line"][name] for name in ("subtle", "strong", "control")}
    colours |= {name: table["line"][name] for name in ("grid", "crosshair")}
    colours |= {"accent": table["accent"]["base"], "accent-tint": table["accent"]["tint"], "focus": table["accent"]["focus"]}
    colours |= table["severity"]
    colours |= {f"{name}-tint": value for name, value in table["severity-tint"].items()}
    colours |= {f"series-{i}": value for i, value in enumerate(table["series"]["colours"], 1)}
    colours |= {"others": table["series"]["others"], "ramp-zero": table["ramp"]["zero"]}
    # Both keep the severity's colour where one is known; alone, they take what stands nearest in meaning.
    colours |= {"pending": table["severity"]["warning"], "acked": table["text"]["secondary"]}
    return colours | {"pending-tint": table["severity-tint"]["warning"], "acked-tint": table["severity-tint"]["silenced"]}


@functools.cache
def load_themes() -> dict[str, Theme]:
    """The four themes by name, in the order in which `theme.next` walks them."""
    themes: dict[str, Theme] = {}
    for name in THEMES:
        table = tokens()["theme"][name]
        ramp = table["ramp"]
        mode = cast(Literal["dark", "light"], table["mode"])
        themes[name] = Theme(name, mode, _colours(table), tuple(ramp["sequential"]), tuple(ramp["diverging"]))
    return themes


def _glyph(table: dict[str, Any]) -> Glyph:
    return Glyph(
        word=table["label"],
        meaning=table["meaning"],
        term=table["term"],
        ascii=table["ascii"],
        block=float(table.get("block", 0.0)),
        term_block=table.get("term-block", ""),
        ascii_block=table.get("ascii-block", ""),
    )


GLYPHS: dict[Shape, Glyph] = {shape: _glyph(tokens()["severity"][shape]) for shape in SHAPES}
"""Glyph, block glyph and word of each state."""
