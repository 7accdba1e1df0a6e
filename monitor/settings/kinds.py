"""How a setting's value is read: from what stands in a TOML file or, as text, in the environment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import msgspec

from monitor.alerting.durations import parse_duration
from monitor.settings.address import Address, read_address
from monitor.windows.formula import parse_formula


class Kind(msgspec.Struct, frozen=True):
    """`read` gives the value used or raises `ValueError`; `name` is how the reference page calls it."""

    name: str
    read: Callable[[Any], Any]


def _text(written: Any) -> str:
    if not isinstance(written, str):
        raise ValueError(f"expected text in quotes, found {written!r}")
    return written


def read_addresses(written: Any) -> tuple[Address, ...]:
    """Addresses with commas between them; a list works too; "" or "off" is none."""
    if written == "off":
        return ()
    parts = written if isinstance(written, list) else _text(written).split(",")
    return tuple(read_address(part) for part in parts if str(part).strip())


def read_duration(written: Any) -> float:
    """Seconds, of `5m`, `90s`, `1h30m`; a bare number is milliseconds."""
    number = isinstance(written, (int, float)) and not isinstance(written, bool)
    seconds = written / 1000 if number else parse_duration(_text(written).strip())
    if seconds <= 0:
        raise ValueError(f"expected a time above zero, found {written!r}")
    return seconds


def read_duration_or_none(written: Any) -> float:
    """Seconds as `read_duration`, or 0 for `0s`."""
    return 0.0 if written in (0, "0", "0s") else read_duration(written)


def read_durations(written: Any) -> tuple[float, ...]:
    parts = written if isinstance(written, list) else _text(written).split(",")
    if not parts:
        raise ValueError('expected at least one time, as in ["1m", "5m"]')
    return tuple(read_duration(part.strip() if isinstance(part, str) else part) for part in parts)


def read_windows(written: Any) -> tuple[float, ...]:
    """Times between a second and an hour: what the engine keeps."""
    windows = read_durations(written)
    for seconds in windows:
        if not 1 <= seconds <= 3600:
            raise ValueError(f"windows lie between 1s and 1h, found {written!r}")
    return tuple(sorted(set(windows)))


def read_interval(written: Any) -> float:
    """Whole seconds: what the engine closes at a tick."""
    seconds = read_duration(written)
    if seconds < 1 or seconds != int(seconds):
        raise ValueError(f"expected whole seconds, as in 1s, found {written!r}")
    return seconds


def read_formula(written: Any) -> str:
    """A formula over metric names, checked."""
    if written:
        parse_formula(_text(written))
    return _text(written)


def read_http_url(written: Any) -> str:
    """An http:// or https:// address with a host."""
    parts = urlsplit(_text(written))
    shown = written.rpartition("@")[2]  # what stands before may hold a password
    if written and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise ValueError(f"expected an address like http://host:port/metrics, found {shown!r}")
    return _text(written)


def read_count(written: Any) -> int:
    number = int(written) if isinstance(written, str) and written.strip().isdecimal() else written
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise ValueError(f"expected a whole number above zero, found {written!r}")
    return number


_SIZES = {"": 1, "b": 1, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "kb": 1000, "mb": 1000**2, "gb": 1000**3}


def read_size(written: Any) -> int:
    """Bytes, of `4 MiB`, `64 kB` or a number."""
    if isinstance(written, int) and not isinstance(written, bool):
        return written
    compact = _text(written).replace(" ", "").lower()
    digits = compact.rstrip("bkmgi")
    unit = compact[len(digits) :]
    if not digits.isdecimal() or unit not in _SIZES:
        raise ValueError(f'expected a size like "4 MiB", found {written!r}')
    return int(digits) * _SIZES[unit]


def read_flag(written: Any) -> bool:
    if isinstance(written, bool):
        return written
    known = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    found = known.get(str(written).strip().lower())
    if found is None:
        raise ValueError(f"expected true or false, found {written!r}")
    return found


def read_tags(written: Any) -> Any:
    """A table of texts, or a list of texts; from the environment `a,b` or `k=v,k=v`."""
    if isinstance(written, str):
        parts = [part.strip() for part in written.split(",") if part.strip()]
        written = dict(part.split("=", 1) for part in parts) if parts and all("=" in part for part in parts) else parts
    values = list(written.values()) if isinstance(written, dict) else written
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError(f"expected texts in quotes, found {written!r}")
    return dict(written) if isinstance(written, dict) else tuple(values)


def read_count_or_none(written: Any) -> int:
    """A whole number, 0 for none."""
    return 0 if written in (0, "0") and not isinstance(written, bool) else read_count(written)


def read_share(written: Any) -> float:
    """A number from 0 to 1."""
    try:
        number = float(written) if isinstance(written, int | float | str) and not isinstance(written, bool) else -1.0
    except ValueError:
        number = -1.0
    if not 0.0 <= number <= 1.0:
        raise ValueError(f"expected a number from 0 to 1, as in 0.25, found {written!r}")
    return number


def read_rate_or_none(written: Any) -> float:
    """A number of zero or more, 0 for none."""
    try:
        number = float(written) if isinstance(written, int | float | str) and not isinstance(written, bool) else -1.0
    except ValueError:
        number = -1.0
    if not 0.0 <= number < float("inf"):
        raise ValueError(f"expected a number of zero or more, found {written!r}")
    return number


def read_texts(written: Any) -> tuple[str, ...]:
    """A list of texts."""
    if not isinstance(written, list) or not all(isinstance(value, str) and value for value in written):
        raise ValueError(f'expected a list of texts like ["a:9100", "b:9100"], found {written!r}')
    return tuple(written)


def read_http_urls(written: Any) -> tuple[str, ...]:
    """A list of http:// or https:// addresses."""
    if not isinstance(written, list):  # not shown: it may hold a password
        raise ValueError('expected a list of addresses like ["http://host/targets"]')
    return tuple(map(read_http_url, written))


def read_relabel(written: Any) -> tuple[dict[str, Any], ...]:
    """A list of tables; what a rule means, the collector says."""
    if not isinstance(written, list) or not all(isinstance(rule, dict) for rule in written):
        raise ValueError(f'expected rules like [{{ source_labels = ["x"], action = "keep", regex = "y" }}], found {written!r}')
    return tuple(written)


def word(*allowed: str) -> Kind:
    """One of a few words."""

    def read(written: Any) -> str:
        if written not in allowed:
            raise ValueError(f"expected one of {', '.join(allowed)}, found {written!r}")
        return str(written)

    return Kind(" | ".join(allowed), read)


text = Kind("text", _text)
path = Kind("path", _text)
address = Kind("host:port", read_address)
addresses = Kind("host:port, …", read_addresses)
duration = Kind("time", read_duration)
duration_or_none = Kind("time, 0s for none", read_duration_or_none)
windows = Kind("list of times", read_windows)
interval = Kind("time", read_interval)
formula = Kind("formula", read_formula)
http_url = Kind("address", read_http_url)
count = Kind("number", read_count)
count_or_none = Kind("number, 0 for none", read_count_or_none)
share = Kind("number from 0 to 1", read_share)
rate_or_none = Kind("number a second, 0 for any", read_rate_or_none)
texts = Kind("list of texts", read_texts)
http_urls = Kind("list of addresses", read_http_urls)
relabel = Kind("list of rules", read_relabel)
size = Kind("size", read_size)
flag = Kind("true | false", read_flag)
tags = Kind("texts", read_tags)
