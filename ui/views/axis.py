"""Where the ticks of a chart stand and what they say."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable

from ui.views.format import Words, in_step, number
from ui.views.units import Family, Step, Unit, axis_step, step_for
from ui.views.view import Tick

DECIMAL = (1.0, 2.0, 2.5, 5.0)
BINARY = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0)
SIXTIES = (1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0)
TIME_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800)
LOG_DECADES = 2.0
"""An axis is logarithmic when the data span more than this many decades."""


def wants_log(low: float, high: float, unit: Unit) -> bool:
    """Whether data from `low` to `high` need a logarithmic axis. Percentages never do: their ends are known."""
    return unit.family is not Family.PERCENT and low > 0.0 and math.isfinite(high) and math.log10(high / low) > LOG_DECADES


def linear(low: float, high: float, unit: Unit, most: int = 6) -> tuple[tuple[float, float], tuple[Tick, ...]]:
    """Range and 3 to `most` ticks round (low, high), all in one prefix. Values are in the unit's base."""
    if not (math.isfinite(low) and math.isfinite(high)):
        low, high = 0.0, 1.0
    if high - low <= 1e-6 * max(abs(low), abs(high)):  # a flat line: no step would be told from the next by its label
        high = low + (abs(low) * 0.1 or 1.0)
    prefix = axis_step(unit, max(abs(low), abs(high)))
    a, b = low / prefix.size, high / prefix.size
    step = nice_step(b - a, most - 1, _mantissas(unit, prefix))
    first, last = math.floor(a / step + 1e-9), math.ceil(b / step - 1e-9)
    decimals = max(0, min(9, -math.floor(math.log10(step) + 1e-9)))
    if abs(step * 10**decimals - round(step * 10**decimals)) > 1e-6:
        decimals += 1
    ticks = tuple(
        Tick(i * step * prefix.size, _label(i * step, decimals, unit, prefix)) for i in range(first, min(last, first + 64) + 1)
    )
    return (first * step * prefix.size, last * step * prefix.size), ticks


def _mantissas(unit: Unit, prefix: Step) -> tuple[float, ...]:
    if unit.family is Family.BYTES and prefix.size > 1.0:
        return BINARY
    if prefix.label in ("min", "h"):
        return SIXTIES
    return DECIMAL


def nice_step(span: float, intervals: int, mantissas: tuple[float, ...] = DECIMAL) -> float:
    """The smallest pleasing step that covers `span` in at most so many intervals (one more than fits is allowed for the ends)."""
    rough = span / max(1, intervals)
    if mantissas is not DECIMAL:
        found = next((m for m in mantissas if m >= rough), 0.0)
        if found and rough > 0.6 * mantissas[0]:
            return found
    power = 10.0 ** math.floor(math.log10(rough))
    return next((m * power for m in DECIMAL if m * power >= rough * (1 - 1e-9)), 10.0 * power)


def _label(scaled: float, decimals: int, unit: Unit, prefix: Step) -> str:
    text = f"{scaled:,.{decimals}f}" if scaled or decimals else "0"
    text = "0" if float(text.replace(",", "")) == 0.0 else text.replace("-", "−")
    if unit.word:
        return text
    if unit.family is Family.NUMBER:
        return f"{text} {prefix.label}".rstrip() if text != "0" else text
    return f"{text} {prefix.label}{unit.per}"


def logarithmic(low: float, high: float, unit: Unit, most: int = 6) -> tuple[tuple[float, float], tuple[Tick, ...]]:
    """Range in log10 and ticks at powers of ten (1, 2, 5 where few); each label chooses its own prefix: 10 ms, 100 ms, 1 s.

    Bytes have theirs at 1, 10 and 100 of each prefix.
    """
    if unit.family is Family.BYTES and low >= 1.0:
        return _log_bytes(low, high, unit, most)
    bottom, top = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
    decades = max(1, top - bottom)
    every = max(1, math.ceil(decades / max(1, most - 1)))
    at = [10.0**e for e in range(bottom, top + 1, every)]
    if decades <= 2:
        at = [m * 10.0**e for e in range(bottom, top) for m in (1.0, 2.0, 5.0)] + [10.0**top]
    ticks = tuple(Tick(math.log10(v), _log_label(v, unit)) for v in at)
    return (float(bottom), float(top)), ticks


def _log_bytes(low: float, high: float, unit: Unit, most: int) -> tuple[tuple[float, float], tuple[Tick, ...]]:
    ladder = [m * 1024.0**k for k in range(7) for m in (1.0, 10.0, 100.0)]
    first = max(i for i, v in enumerate(ladder) if v <= low or i == 0)
    last = max(first + 1, next((i for i, v in enumerate(ladder) if v >= high), len(ladder) - 1))
    every = max(1, math.ceil((last - first) / max(1, most - 1)))
    ticks = tuple(Tick(math.log10(v), _log_label(v, unit)) for v in ladder[first : last + 1 : every])
    return (math.log10(ladder[first]), math.log10(ladder[last])), ticks


def _log_label(base: float, unit: Unit) -> str:
    shown = in_step(base, unit, step_for(unit, base))
    text = shown.number if not shown.number.endswith("0") or "." not in shown.number else shown.number.rstrip("0").rstrip(".")
    return f"{text} {shown.unit}".rstrip() if unit.family is not Family.NUMBER else f"{text} {shown.unit.split('/')[0]}".rstrip()


@functools.lru_cache(maxsize=256)
def time_ticks(start: float, end: float, words: Words, most: int = 7) -> tuple[Tick, ...]:
    """Ticks at round minutes of the reader's zone; with seconds only where less than a few minutes are shown."""
    span = end - start
    if not math.isfinite(span) or span <= 0:
        return ()
    step = next((s for s in TIME_STEPS if span / s <= most), TIME_STEPS[-1])
    offset = words.at(start).utcoffset()
    shift = offset.total_seconds() if offset is not None else 0.0
    first = math.ceil((start + shift) / step) * step - shift
    label = words.clock if step < 60 else words.minute if step < 86400 else words.date
    return tuple(Tick(first + i * step, label(first + i * step)) for i in range(int((end - first) // step) + 1))


def bounds(pairs: Iterable[tuple[float, float]]) -> tuple[float, float]:
    """The widest of (low, high) pairs, NaN left out; (inf, -inf) where there is none."""
    low, high = math.inf, -math.inf
    for a, b in pairs:
        if a < low:
            low = a
        if b > high:
            high = b
    return low, high


__all__ = ["bounds", "linear", "logarithmic", "nice_step", "number", "time_ticks", "wants_log"]
