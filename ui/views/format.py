"""Numbers, units, durations and times in the words of the design; and outside text made harmless."""

from __future__ import annotations

import functools
import math
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from ui.views.units import LADDERS, PLAIN, SECONDS, Family, Step, Unit, step_for
from ui.views.view import Shape, Value

THIN = "\u202f"
NO_DATA = Value("no data", "", "unknown")
MAX_TEXT = 512
_MINUS = "−"
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


# ---------------------------------------------------------------- numbers


def number(x: float, digits: int = 3) -> str:
    """Three significant digits, at most two decimals; whole numbers exact up to 9,999. No unit, no prefix.

    Below 0.01 the leading digits are kept rather than shown as 0.00.
    """
    if math.isnan(x):
        return "no data"
    if math.isinf(x):
        return "∞" if x > 0 else f"{_MINUS}∞"
    size = abs(x)
    sign = _MINUS if x < 0 else ""
    if size == round(size):
        return f"{sign}{size:,.0f}" if size < 1e15 else f"{sign}{size:.2e}"
    if size < 0.01:
        return f"{sign}{size:.{digits - 1}e}" if size < 1e-6 else f"{sign}{float(f'{size:.2g}'):.8f}".rstrip("0")
    decimals = _decimals(size, digits)
    if decimals and round(size, decimals) >= 10.0 ** (digits - decimals):
        decimals -= 1  # 9.996 is 10.0, not 10.00
    return f"{sign}{size:,.{decimals}f}"


def _decimals(size: float, digits: int) -> int:
    before = math.floor(math.log10(size)) + 1 if size >= 1 else 1
    return max(0, min(digits - before, digits - 1))


def value(x: float | None, unit: Unit = PLAIN, shape: Shape | None = None) -> Value:
    """A raw value of a unit as number and unit apart. None and NaN are "no data" in the colour of no data."""
    if x is None or math.isnan(x):
        return NO_DATA
    base = x * unit.factor
    if unit.family is Family.DURATION and abs(base) >= 60.0 and not unit.per:
        return _long_value(base, shape)
    return in_step(base, unit, step_for(unit, base), shape)


def in_step(base: float, unit: Unit, step: Step, shape: Shape | None = None, digits: int = 3) -> Value:
    """A base value written under a given prefix."""
    if unit.family is Family.PERCENT and 0.0 < abs(base) < 0.01:
        return Value("< 0.01" if base > 0 else f"> {_MINUS}0.01", f"%{unit.per}", shape)
    scaled = base / step.size
    if step.label in ("ms", "µs", "ns") and abs(scaled) < 10.0 and digits == 3:
        digits = 2
    label = _join_unit(step.label, unit)
    prefixed = unit.family is Family.NUMBER and step.size > 1.0
    text = _fixed(scaled) if prefixed else number(_tidy(scaled), digits)
    return Value(text, label, shape)


def _join_unit(label: str, unit: Unit) -> str:
    if unit.word:
        return unit.word + unit.per
    return f"{label}{unit.per}"


def _fixed(x: float) -> str:
    """3.10, 12.4, 612: exactly three significant digits, because the value was rounded to get here."""
    size = abs(x)
    decimals = 2 if size < 9.995 else 1 if size < 99.95 else 0
    return f"{_MINUS if x < 0 else ''}{size:,.{decimals}f}"


def _tidy(x: float) -> float:
    """Removes the noise of scaling (8.400000000000001), so that whole numbers are seen as whole."""
    return float(f"{x:.12g}") if math.isfinite(x) else x


def _long_value(seconds: float, shape: Shape | None) -> Value:
    words = duration(abs(seconds)).split(" ")
    sign = _MINUS if seconds < 0 else ""
    if len(words) == 2:
        return Value(sign + words[0], words[1], shape)
    return Value(sign + " ".join(words[:-1]), words[-1], shape)


def against(x: float | None, limit: float, unit: Unit = PLAIN, shape: Shape | None = None) -> Value:
    """Like `value`, with as many digits as it takes for rounding not to cross `limit`: 0.996 % against 1 % stays 0.996 %."""
    shown = value(x, unit, shape)
    if x is None or not math.isfinite(x) or x == limit or shown.number.startswith(("<", ">")):
        return shown
    base, bound = x * unit.factor, limit * unit.factor
    if unit.family is Family.DURATION and abs(base) >= 60.0:
        return shown
    size = step_for(unit, base).size
    side = base > bound
    for decimals in (None, 3, 4, 5, 6, 7, 8):
        text = shown.number if decimals is None else f"{_tidy(base / size):,.{decimals}f}".replace("-", _MINUS)
        rounded = float(text.replace(",", "").replace(_MINUS, "-")) * size
        if not math.isclose(rounded, bound, rel_tol=1e-12) and (rounded > bound) == side:
            return Value(text, shown.unit, shape)
    return shown


def plural(count: int, one: str, many: str = "") -> str:
    """`1 alert`, `3 alerts`, `1,284 alerts`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


# ---------------------------------------------------------------- durations


def duration(seconds: float) -> str:
    """`840 µs`, `2.41 s`, `18 s`, `15 min 12 s`, `12 h 55 min`, `3 d 4 h`: two units at most, no zero unit."""
    if not math.isfinite(seconds):
        return "no data" if math.isnan(seconds) else "for ever"
    if seconds < 59.5:
        if seconds >= 10.0 or seconds == round(seconds):
            return f"{round(seconds)} s"
        return str(in_step(seconds, SECONDS, step_for(SECONDS, seconds)))
    whole = round(seconds)
    for large, small, big_name, small_name in ((86400, 3600, "d", "h"), (3600, 60, "h", "min"), (60, 1, "min", "s")):
        if whole >= large:
            big, rest = divmod(whole, large)
            little = rest // small
            return f"{big:,} {big_name} {little} {small_name}" if little else f"{big:,} {big_name}"
    return f"{whole} s"


def short_range(seconds: float) -> str:
    """`30 m`, `1 h`, `24 h`, `7 d`, `90 s`: the label of a range or window, one unit."""
    if seconds > 86_400 and seconds % 86_400 == 0:
        return f"{seconds / 86_400:.0f} d"
    if seconds >= 3600 and seconds % 3600 == 0:
        return f"{seconds / 3600:.0f} h"
    if seconds >= 60 and seconds % 60 == 0:
        return f"{seconds / 60:.0f} m"
    return duration(seconds)


def minutes_ago(seconds: float) -> str:
    """The age of something, steady for a minute at a time: `< 1 min`, `17 min`, `2 h`, `3 d`."""
    if seconds < 60:
        return "< 1 min"
    if seconds < 7200:
        return f"{int(seconds // 60)} min"
    return f"{int(seconds // 3600)} h" if seconds < 172_800 else f"{int(seconds // 86400)} d"


# ---------------------------------------------------------------- comparisons


def comparison(now: float, then: float, when: str, unit: Unit = PLAIN) -> str:
    """`3 % below 1 h ago`, `221 times 1 h ago`, `as 1 h ago`, `was 0 15 min ago`: change in words, a factor from 2 on."""
    if not (math.isfinite(now) and math.isfinite(then)):
        return ""
    if then == 0.0 or now == 0.0 or (now < 0) != (then < 0):
        return f"as {when}" if now == then else f"was {value(then, unit)} {when}"
    factor = now / then
    if factor >= 2.0:
        return f"{number(float(f'{factor:.3g}'))} times {when}"
    percent = abs(factor - 1.0) * 100.0
    if percent < 1.0:
        return f"as {when}"
    return f"{percent:.0f} % {'above' if factor > 1 else 'below'} {when}"


# ---------------------------------------------------------------- times


@dataclass(frozen=True, slots=True)
class Words:
    """How this reader wants to be told: `zone` for times, `space` between number and unit (thin in Qt, plain in terminals)."""

    zone: tzinfo = UTC
    space: str = " "

    def at(self, t: float) -> datetime:
        """The moment in the reader's zone; a time no calendar has becomes the epoch."""
        try:
            return datetime.fromtimestamp(t, self.zone)
        except (ValueError, OverflowError, OSError):
            return datetime.fromtimestamp(0, self.zone)

    def say(self, x: float | None, unit: Unit = PLAIN) -> str:
        """A value within a sentence."""
        return self.text(value(x, unit))

    def text(self, shown: Value) -> str:
        """A formatted value within a sentence."""
        return f"{shown.number}{self.space}{shown.unit}" if shown.unit else shown.number

    def lasting(self, seconds: float) -> str:
        """A duration within a sentence."""
        return duration(seconds)

    def clock(self, t: float) -> str:
        """`14:21:36`."""
        return f"{self.at(t):%H:%M:%S}"

    def minute(self, t: float) -> str:
        """`14:21`."""
        return f"{self.at(t):%H:%M}"

    def date(self, t: float) -> str:
        """`Wed 14 Oct`."""
        moment = self.at(t)
        return f"{_DAYS[moment.weekday()]} {moment.day} {_MONTHS[moment.month - 1]}"

    def zone_name(self, t: float) -> str:
        """`UTC`, `CET`."""
        return sanitise(self.at(t).tzname() or "UTC")

    def moment(self, t: float, now: float, seconds: bool = False) -> str:
        """Today `14:03`, within a week `Tue 14:03`, older `Tue 6 Oct 14:03`; with seconds only for events."""
        then, today = self.at(t), self.at(now)
        clock = self.clock(t) if seconds else self.minute(t)
        if then.date() == today.date():
            return clock
        if abs((today.date() - then.date()).days) < 7:
            return f"{_DAYS[then.weekday()]} {clock}"
        return f"{self.date(t)} {clock}"

    def age(self, t: float, now: float) -> str:
        """`17 min` up to two hours, then the time of day."""
        seconds = max(0.0, now - t)
        return minutes_ago(seconds) if seconds < 7200 else self.moment(t, now)

    def since(self, t: float, now: float) -> str:
        """`since 14:03`."""
        return f"since {self.moment(t, now)}"


# ---------------------------------------------------------------- outside text


@functools.lru_cache(maxsize=32_768)
def sanitise(text: str, limit: int = MAX_TEXT) -> str:
    """Outside text on one line without control, format and bidi characters; at most two marks a letter; cut in the middle."""
    if not text.isprintable() or not text.isascii():
        text = _harmless(text[: limit * 4])
    return shorten(text, limit)


def _harmless(text: str) -> str:
    kept: list[str] = []
    marks = 0
    for char in text:
        category = unicodedata.category(char)
        if category in ("Mn", "Me"):
            marks += 1
            if marks <= 2:
                kept.append(char)
            continue
        marks = 0
        if char in "\t\n\r" or category in ("Zs", "Zl", "Zp"):
            kept.append(" ")
        elif category[0] != "C":
            kept.append(char)
    return "".join(kept)


def shorten(text: str, width: int) -> str:
    """Text cut in the middle to `width` characters, so that both ends can be recognised."""
    if len(text) <= width:
        return text
    if width <= 1:
        return "…"[:width]
    head = (width - 1 + 1) // 2
    tail = width - 1 - head
    return f"{text[:head]}…{text[len(text) - tail :]}"


__all__ = [
    "LADDERS",
    "NO_DATA",
    "THIN",
    "Words",
    "against",
    "comparison",
    "duration",
    "in_step",
    "minutes_ago",
    "number",
    "value",
]
__all__ += ["plural", "sanitise", "short_range", "shorten"]
