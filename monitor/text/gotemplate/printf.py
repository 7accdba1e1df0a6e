"""`printf` as Go's fmt has it, for the verbs and flags that make sense for text, numbers and flags."""

from __future__ import annotations

import re
from typing import Any

from monitor.query.quoting import go_quote
from monitor.text.gotemplate.values import number, show, type_name

MAX_WIDTH = 10_000
_VERB = re.compile(r"%([+\-# 0]*)(\*|[0-9]+)?(?:\.(\*|[0-9]*))?(.)?", re.DOTALL)
_BASES = {"d": "d", "x": "x", "X": "X", "o": "o", "b": "b"}


def printf(form: str, *arguments: Any) -> str:
    """The format filled in; what does not fit is shown as Go shows it (`%!d(string=x)`)."""
    return _Printing(form, arguments).text()


class _Printing:
    def __init__(self, form: str, arguments: tuple[Any, ...]) -> None:
        self._form = form
        self._arguments = arguments
        self._used = 0

    def text(self) -> str:
        shown = _VERB.sub(self._verb, self._form)
        rest = self._arguments[self._used :]
        if rest:
            shown += "%!(EXTRA " + ", ".join(f"{type_name(value)}={show(value)}" for value in rest) + ")"
        return shown

    def _verb(self, found: re.Match[str]) -> str:
        flags, wide, exact, verb = found.groups()
        before = ""
        width, problem = self._count(wide, "WIDTH")
        before += problem
        precision, problem = self._count(exact or ("0" if exact == "" else None), "PREC")
        before += problem
        if width is not None and width < 0:
            flags, width = flags + "-", -width
        if verb is None:
            return before + "%!(NOVERB)"
        if verb == "%":
            return before + "%"
        if self._used >= len(self._arguments):
            return before + f"%!{verb}(MISSING)"
        value = self._arguments[self._used]
        self._used += 1
        return before + _padded(_shown(verb, flags, precision, value), flags, width or 0, value)

    def _count(self, text: str | None, what: str) -> tuple[int | None, str]:
        if text is None:
            return None, ""
        if text != "*":
            return (int(text), "") if len(text) < 7 and int(text) <= MAX_WIDTH else (None, f"%!(BAD{what})")
        value = self._arguments[self._used] if self._used < len(self._arguments) else None
        self._used += 1
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= MAX_WIDTH:
            return value, ""
        return None, f"%!(BAD{what})"


def _shown(verb: str, flags: str, precision: int | None, value: Any) -> str:
    if value is None:
        return "<nil>" if verb in "vT" else f"%!{verb}(<nil>)"
    if verb == "v":
        return _signed(show(value) if not isinstance(value, str) else _cut(value, precision), flags, value)
    if verb == "T":
        return type_name(value)
    if isinstance(value, bool):
        return show(value) if verb == "t" else _bad(verb, value)
    if isinstance(value, str):
        return _text(verb, flags, _cut(value, precision))
    if isinstance(value, float):
        return _float(verb, flags, precision, value)
    if isinstance(value, int):
        return _integer(verb, flags, precision, value)
    if verb in "sq":
        return show(value)
    return _bad(verb, value)


def _text(verb: str, flags: str, value: str) -> str:
    if verb == "s":
        return value
    if verb == "q":
        return f"`{value}`" if "#" in flags and "`" not in value else go_quote(value)
    if verb in "xX":
        shown = value.encode("utf-8", "replace").hex()
        return shown.upper() if verb == "X" else shown
    return _bad(verb, value)


def _float(verb: str, flags: str, precision: int | None, value: float) -> str:
    if verb in "xX" and precision is None:
        return _signed(_hexadecimal(value, verb), flags, value)
    if verb not in "eEfFgG":
        return _bad(verb, value)
    if value != value or value in (float("inf"), float("-inf")):
        return number(value) if value == value or "+" not in flags else "+NaN"
    if verb in "gG" and precision is None:
        shown = number(value)
        return _signed(shown.upper() if verb == "G" else shown, flags, value)
    sharp = "#" if "#" in flags else ""
    return _signed(f"%{sharp}.{6 if precision is None else precision}{verb}" % value, flags, value)


def _hexadecimal(value: float, verb: str) -> str:
    """A mantissa in hexadecimal and a power of two: 0x1.8p+01."""
    if value != value or abs(value) == float("inf"):
        return number(value)
    mantissa, _, power = value.hex().partition("p")
    shown = f"{mantissa.rstrip('0').rstrip('.') if '.' in mantissa else mantissa}p{power[0]}{power[1:].rjust(2, '0')}"
    return shown.upper() if verb == "X" else shown


def _integer(verb: str, flags: str, precision: int | None, value: int) -> str:
    if verb in _BASES:
        prefix = {"x": "0x", "X": "0X", "o": "0", "b": "0b"}.get(verb, "") if "#" in flags else ""
        digits = format(abs(value), _BASES[verb]).rjust(precision or 0, "0")
        return _signed(("-" if value < 0 else "") + prefix + digits, flags, value)
    if verb in "cqU" and 0 <= value < 0x110000 and not 0xD800 <= value < 0xE000:
        return chr(value) if verb == "c" else go_quote(chr(value), "'") if verb == "q" else f"U+{value:04X}"
    return _bad(verb, value)


def _signed(shown: str, flags: str, value: Any) -> str:
    if isinstance(value, str | bool) or not isinstance(value, int | float) or shown[:1] in "+-" or value != value:
        return shown
    return "+" + shown if "+" in flags else " " + shown if " " in flags else shown


def _cut(text: str, precision: int | None) -> str:
    return text if precision is None else text[:precision]


def _bad(verb: str, value: Any) -> str:
    return f"%!{verb}({type_name(value)}={show(value)})"


def _padded(shown: str, flags: str, width: int, value: Any) -> str:
    if len(shown) >= width:
        return shown
    if "-" in flags:
        return shown.ljust(width)
    finite = not isinstance(value, float) or (value == value and abs(value) != float("inf"))
    if "0" not in flags or not finite:
        return shown.rjust(width)
    sign = shown[0] if shown[:1] in ("+", "-", " ") else ""
    return sign + shown[len(sign) :].rjust(width - len(sign), "0")
