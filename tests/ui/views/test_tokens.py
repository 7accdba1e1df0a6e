"""The numbers promised in the token file: WCAG contrast, and CIEDE2000 under simulated colour blindness.

Sources: WCAG 2.2; Machado et al. 2009 (protan, deutan, severity 1); Brettel et al. 1997 (tritan, two half planes in
linear RGB); Sharma et al. 2005 (CIEDE2000).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from ui.views.theme import GLYPHS, SHAPES, THEMES, load_themes, tokens

Floats = npt.NDArray[np.float64]

PROTAN = np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]])
DEUTAN = np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]])
TRITAN_A = np.array([[1.01277, 0.13548, -0.14826], [-0.01243, 0.86812, 0.14431], [0.07589, 0.80500, 0.11911]])
TRITAN_B = np.array([[0.93678, 0.18979, -0.12657], [0.06154, 0.81526, 0.12320], [-0.37562, 1.12767, 0.24796]])
TRITAN_SIDE = np.array([0.03901, -0.02788, -0.01113])
XYZ = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]])
VIEWS = ("normal", "protan", "deutan", "tritan")


def linear(colours: Sequence[str]) -> Floats:
    """Linear RGB, shape (n, 3), of '#RRGGBB' strings."""
    rgb = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in colours]) / 255
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(a: str, b: str) -> float:
    """WCAG contrast ratio of two colours."""
    x, y = sorted(linear([a, b]) @ np.array([0.2126, 0.7152, 0.0722]))
    return float((y + 0.05) / (x + 0.05))


def simulate(rgb: Floats, view: str) -> Floats:
    """What linear RGB looks like to a protan, deutan or tritan eye ('normal' returns it unchanged)."""
    if view == "protan":
        rgb = rgb @ PROTAN.T
    elif view == "deutan":
        rgb = rgb @ DEUTAN.T
    elif view == "tritan":
        rgb = np.where((rgb @ TRITAN_SIDE >= 0)[:, None], rgb @ TRITAN_A.T, rgb @ TRITAN_B.T)
    return np.clip(rgb, 0, 1)


def lab(rgb: Floats) -> Floats:
    """CIE L*a*b* (D65) of linear RGB."""
    t = rgb @ XYZ.T / np.array([0.95047, 1, 1.08883])
    f = np.where(t > 0.008856, np.cbrt(t), 7.787 * t + 16 / 116)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], -1)


def ciede2000(a: Floats, b: Floats) -> Floats:
    """Colour difference of two L*a*b* arrays, elementwise."""
    (l1, a1, b1), (l2, a2, b2) = np.moveaxis(a, -1, 0), np.moveaxis(b, -1, 0)
    mean = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    g = 1.5 - 0.5 * np.sqrt(mean**7 / (mean**7 + 25**7))
    c1, c2 = np.hypot(a1 * g, b1), np.hypot(a2 * g, b2)
    h1, h2 = np.degrees(np.arctan2(b1, a1 * g)) % 360, np.degrees(np.arctan2(b2, a2 * g)) % 360
    dh = 2 * np.sqrt(c1 * c2) * np.sin(np.radians((h2 - h1 + 180) % 360 - 180) / 2)
    lm, cm, total = (l1 + l2) / 2, (c1 + c2) / 2, h1 + h2
    hm = np.where(np.abs(h1 - h2) > 180, (total + np.where(total < 360, 360, -360)) / 2, total / 2)
    hm = np.where(c1 * c2 == 0, total, hm)

    def cos(angle: Floats) -> Floats:
        return np.asarray(np.cos(np.radians(angle)), np.float64)

    t = 1 - 0.17 * cos(hm - 30) + 0.24 * cos(2 * hm) + 0.32 * cos(3 * hm + 6) - 0.2 * cos(4 * hm - 63)
    sl = 1 + 0.015 * (lm - 50) ** 2 / np.sqrt(20 + (lm - 50) ** 2)
    sc, sh = 1 + 0.045 * cm, 1 + 0.015 * cm * t
    rt = -np.sin(np.radians(60 * np.exp(-(((hm - 275) / 25) ** 2)))) * 2 * np.sqrt(cm**7 / (cm**7 + 25**7))
    x, y, z = (l2 - l1) / sl, (c2 - c1) / sc, dh / sh
    return np.asarray(np.sqrt(x * x + y * y + z * z + rt * y * z), np.float64)


def closest(colours: Sequence[str], view: str) -> float:
    """Smallest difference between any two of the colours, seen by `view`."""
    seen = lab(simulate(linear(colours), view))
    i, j = np.triu_indices(len(seen), 1)
    return float(ciede2000(seen[i], seen[j]).min())


def table(name: str) -> dict[str, Any]:
    theme: dict[str, Any] = tokens()["theme"][name]
    return theme


def test_ciede2000_agrees_with_the_published_pairs() -> None:
    # Sharma et al. 2005, table 1: pairs 1, 7 and 25.
    a = np.array([[50.0, 2.6772, -79.7751], [50.0, 0.0, 0.0], [60.2574, -34.0099, 36.2677]])
    b = np.array([[50.0, 0.0, -82.7485], [50.0, -1.0, 2.0], [60.4626, -34.1751, 39.4387]])
    assert np.allclose(ciede2000(a, b), [2.0425, 2.3669, 1.2644], atol=1e-4)


@pytest.mark.parametrize("name", THEMES)
def test_text_and_states_are_readable_on_every_surface(name: str) -> None:
    theme = table(name)
    surfaces = [theme["surface"][k] for k in ("canvas", "card", "raised")]
    wanted = [(f"text.{k}", theme["text"][k], 4.5) for k in ("primary", "secondary")]
    wanted += [(f"severity.{k}", c, 4.5) for k, c in theme["severity"].items()]
    wanted += [(f"series {i}", c, 3.0) for i, c in enumerate(theme["series"]["colours"], 1)]
    wanted += [("line.control", theme["line"]["control"], 3.0)]
    wanted += [("accent", theme["accent"]["base"], 4.5), ("focus", theme["accent"]["focus"], 3.0)]
    found = [(label, min(contrast(colour, s) for s in surfaces), least) for label, colour, least in wanted]
    assert [f"{label}: {value:.2f} < {least}" for label, value, least in found if value < least] == []


@pytest.mark.parametrize("name", THEMES)
def test_text_is_readable_on_every_tint(name: str) -> None:
    theme = table(name)
    ratios = {k: contrast(theme["text"]["primary"], c) for k, c in theme["severity-tint"].items()}
    assert {k: round(r, 2) for k, r in ratios.items() if r < 4.5} == {}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("name", THEMES)
def test_series_and_states_can_be_told_apart_by_every_eye(name: str, view: str) -> None:
    theme = table(name)
    bar = 12 if theme["vision"] == "cvd" else 9
    assert closest(theme["series"]["colours"], view) >= bar
    assert closest(list(theme["severity"].values()), view) >= bar


def test_every_theme_answers_every_colour_a_painter_asks_for() -> None:
    names = {"canvas", "card", "raised", "text-primary", "text-secondary", "text-disabled", "on-accent", "accent", "accent-tint"}
    names |= {"line-subtle", "line-strong", "line-control", "grid", "crosshair", "focus", "others", "scrim"}
    names |= {*SHAPES, *(f"{s}-tint" for s in SHAPES), *(f"series-{i}" for i in range(1, 9))}
    for theme in load_themes().values():
        assert all(theme.colour(name).startswith("#") for name in names)
        assert len(theme.ramp) == 9


def test_every_state_has_its_own_glyph_and_word_even_in_ascii() -> None:
    assert len({g.word for g in GLYPHS.values()}) == len(SHAPES)
    assert len({g.ascii for g in GLYPHS.values()}) == len(SHAPES)
    assert all(len(g.term) == 1 and g.ascii.isascii() for g in GLYPHS.values())
    blocks = [g.term_block for g in GLYPHS.values() if g.term_block]
    assert len(set(blocks)) == len(blocks) == 6


def test_an_unknown_colour_is_an_error_not_a_default() -> None:
    with pytest.raises(KeyError):
        load_themes()["dark"].colour("mauve")
