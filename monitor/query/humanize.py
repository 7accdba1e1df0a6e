"""Numbers as Prometheus' templates write them for people. Source: util/strutil and template/template.go of Prometheus."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Sequence

from monitor.text.gotemplate.printf import printf
from monitor.text.gotemplate.values import number

_GREAT = ("k", "M", "G", "T", "P", "E", "Z", "Y")
_GREAT_1024 = ("ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi")
_SMALL = ("m", "u", "n", "p", "f", "a", "z", "y")
_MOST = 2.0**63
_FLOAT = re.compile(
    r"[+-]?(?:(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9]+)?|0[xX][0-9a-fA-F.]+[pP][+-]?[0-9]+"
    r"|inf(?:inity)?|nan)",
    re.IGNORECASE,
)


def as_float(value: object) -> float:
    """What a text or number is as a float. Raises `ValueError` in Go's words."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"can't convert {'bool' if isinstance(value, bool) else '<nil>' if value is None else 'it'} to float")
    if isinstance(value, str):
        if _FLOAT.fullmatch(value) is None or "_" in value:
            raise ValueError(f'strconv.ParseFloat: parsing "{value[:100]}": invalid syntax')
        return float.fromhex(value) if value.lower().lstrip("+-").startswith("0x") else float(value)
    return float(value)


def _four(value: float) -> str:
    return printf("%.4g", value)


def _odd(value: float) -> bool:
    return math.isnan(value) or math.isinf(value)


def _scaled(value: float, base: float, prefixes: Sequence[str]) -> str:
    """Divided by the base until it is below it."""
    prefix = ""
    for each in prefixes:
        if abs(value) < base:
            break
        prefix, value = each, value / base
    return f"{_four(value)}{prefix}"


def _small(value: float) -> str:
    """Times 1,000 until it is 1 or more."""
    prefix = ""
    for each in _SMALL:
        if abs(value) >= 1:
            break
        prefix, value = each, value * 1000
    return f"{_four(value)}{prefix}"


def humanize(value: object) -> str:
    """`1234567` is 1.235M."""
    number_ = as_float(value)
    if number_ == 0 or _odd(number_):
        return _four(number_)
    return _scaled(number_, 1000, _GREAT) if abs(number_) >= 1 else _small(number_)


def humanize_1024(value: object) -> str:
    """`1048576` is 1Mi."""
    number_ = as_float(value)
    return _four(number_) if abs(number_) <= 1 or _odd(number_) else _scaled(number_, 1024, _GREAT_1024)


def humanize_duration(value: object) -> str:
    """Seconds: `3661` is 1h 1m 1s, `0.5` is 500ms."""
    seconds = as_float(value)
    if _odd(seconds):
        return _four(seconds)
    if seconds == 0:
        return f"{_four(seconds)}s"
    if abs(seconds) < 1:
        return f"{_small(seconds)}s"
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    whole = int(min(seconds, _MOST - 1024))
    days, hours, minutes = whole // 86_400, whole // 3600 % 24, whole // 60 % 60
    if days:
        return f"{sign}{days}d {hours}h {minutes}m {whole % 60}s"
    if hours:
        return f"{sign}{hours}h {minutes}m {whole % 60}s"
    return f"{sign}{minutes}m {whole % 60}s" if minutes else f"{sign}{_four(seconds)}s"


def humanize_percentage(value: object) -> str:
    """`0.1` is 10%."""
    return f"{_four(as_float(value) * 100)}%"


def humanize_timestamp(value: object) -> str:
    """Seconds since 1970: `0` is 1970-01-01 00:00:00 +0000 UTC."""
    seconds = as_float(value)
    if _odd(seconds):
        return _four(seconds)
    nanoseconds = seconds * 1e9
    if abs(nanoseconds) >= _MOST:
        raise ValueError(f"{number(seconds)} cannot be represented as a nanoseconds timestamp since it overflows int64")
    # As Go divides: towards 0.
    millis = math.trunc(math.trunc(nanoseconds) / 1_000_000)
    moment = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(milliseconds=millis)
    part = f".{moment.microsecond // 1000:03d}".rstrip("0") if moment.microsecond else ""
    return f"{moment:%Y-%m-%d %H:%M:%S}{part} +0000 UTC"
