"""A TOML table read with suspicion: wrong values are reported with their place and, where it is plain, their mend."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from monitor.alerting.durations import DurationError, format_duration, parse_duration
from monitor.alerting.model import RuleProblem
from monitor.text.toml_map import Path, TomlMap

MAX_PROBLEMS = 100
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


class Report:
    """Problems found so far, each put where it belongs in the text."""

    def __init__(self, places: TomlMap, file: str) -> None:
        self.problems: list[RuleProblem] = []
        self.file = file
        self._map = places

    def line(self, path: Path) -> int:
        """Line of this path's key or header, from 1."""
        place = self._map.find(path)
        return self._map.position(place.key_start)[0] if place else 1

    def add(self, path: Path, reason: str, fix: str = "", at_key: bool = False, key: str = "") -> None:
        """`fix` replaces the value at `path`, or its key when `at_key`."""
        if len(self.problems) >= MAX_PROBLEMS:
            return
        place = self._map.find(path)
        key = key or next((part for part in reversed(path) if isinstance(part, str)), "")
        if place is None:
            self.problems.append(RuleProblem(self.file, 1, reason, key=key))
            return
        start, stop = (place.key_start, place.key_end) if at_key else (place.value_start, place.value_end)
        line, column = self._map.position(start)
        last, end = self._map.position(stop)
        exact = path in self._map.places and last == line
        self.problems.append(RuleProblem(self.file, line, reason, column, key, fix, end if exact else 0))

    def unknown_keys(self, path: Path, table: Mapping[str, Any], allowed: Iterable[str]) -> None:
        """A problem for each key that is not among the allowed ones, with the nearest of them."""
        names = tuple(allowed)
        for key in table:
            if key not in names:
                meant = nearest(key, names)
                advice = f'; did you mean "{meant}"?' if meant else f"; known are {', '.join(names)}"
                self.add((*path, key), f'unknown key "{shown(key)}"{advice}', meant, at_key=True)


class CheckedTable:
    """A table's values by key, wrong ones reported and replaced by the default."""

    def __init__(
        self, table: Mapping[str, Any], path: Path, report: Report, parent: Mapping[str, Any] = MappingProxyType({})
    ) -> None:
        """`parent`: the table that this one stands in."""
        self.table = table
        self.path = path
        self.report = report
        self._parent = parent

    def parent_text(self, key: str) -> str:
        """A text of the table that this one stands in, "" where there is none."""
        value = self._parent.get(key)
        return value if isinstance(value, str) else ""

    def refuse(self, key: str, reason: str, fix: str = "") -> None:
        self.report.add((*self.path, key), reason, fix)

    def missing(self, key: str, example: str) -> None:
        self.report.add(self.path, f"{key} is missing; write {example}", at_key=True, key=key)

    def text(self, key: str, limit: int, required: bool = False) -> str:
        value = self.table.get(key)
        if value is None:
            if required:
                self.missing(key, f'{key} = "…"')
            return ""
        if not isinstance(value, str):
            self.refuse(key, f"{key} is {kind_of(value)}; write text in quotes", quoted_number(value))
            return ""
        if required and not value:
            self.refuse(key, f"{key} is empty")
        elif len(value) > limit:
            self.refuse(key, f"{key} has {len(value)} characters (at most {limit})")
        elif CONTROL.search(value):
            self.refuse(key, f"{key} contains a control character; take it out")
        return value

    def pattern(self, key: str, pattern: re.Pattern[str], allowed: str, required: bool = False) -> str:
        value = self.text(key, 10_000, required)
        if value and not pattern.fullmatch(value):
            self.refuse(key, f'{key} "{shown(value)}" may only have {allowed}', quoted(pattern_fix(value, pattern)))
        return value

    def flag(self, key: str, default: bool) -> bool:
        value = self.table.get(key, default)
        if isinstance(value, bool):
            return value
        meant = str(value).strip().lower()
        fix = {
            "true": "true",
            "yes": "true",
            "on": "true",
            "1": "true",
            "false": "false",
            "no": "false",
            "off": "false",
            "0": "false",
        }
        self.refuse(key, f"{key} is {kind_of(value)}; write true or false", fix.get(meant, ""))
        return default

    def number(self, key: str) -> float | None:
        value = self.table.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.refuse(key, f"{key} is {kind_of(value)}; write a number without quotes", plain_number(value))
            return None
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            self.refuse(key, f"{key} must be a finite number")
            return None
        return number

    def duration(self, key: str, default: float, low: float, high: float) -> float:
        value = self.table.get(key)
        if value is None:
            return default
        seconds = default
        if isinstance(value, str):
            try:
                seconds = parse_duration(value)
            except DurationError as error:
                self.refuse(key, f"{key}: {shown(str(error), 120)}", quoted(error.fix))
                return default
        elif isinstance(value, int | float) and not isinstance(value, bool):
            seconds = value / 1000 if abs(value) < 1e15 else math.inf
        else:
            self.refuse(key, f'{key} is {kind_of(value)}; write a duration like "5m", or milliseconds')
            return default
        if not low <= seconds <= high:
            span = f"{format_duration(low)} to {format_duration(high)}"
            hint = "; a number without a unit is milliseconds" if not isinstance(value, str) and 0 < seconds < low else ""
            self.refuse(key, f"{key} must be {span}{hint}", quoted(f"{value}s") if hint and isinstance(value, int) else "")
            return default
        return seconds

    def choice(self, key: str, choices: tuple[str, ...], aliases: Mapping[str, str], default: str | None) -> str:
        value = self.table.get(key, default)
        if isinstance(value, str) and value in choices:
            return value
        if value is None:
            others = f" (or {', '.join(choices[1:])})" if len(choices) > 1 else ""
            self.missing(key, f'{key} = "{choices[0]}"{others}')
        elif not isinstance(value, str):
            self.refuse(key, f"{key} is {kind_of(value)}; known are {', '.join(choices)}")
        else:
            meant = aliases.get(value) or nearest(value.lower(), choices)
            advice = f'did you mean "{meant}"?' if meant else f"known are {', '.join(choices)}"
            self.refuse(key, f'unknown {key} "{shown(value)}"; {advice}', quoted(meant))
        return choices[0]


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word most like this one, "" when none is."""
    found = difflib.get_close_matches(word[:64], tuple(known), n=1, cutoff=0.6)
    return found[0] if found else ""


def shown(text: str, limit: int = 40) -> str:
    """Foreign text cut short and without control characters, for a message."""
    clean = CONTROL.sub("?", text).replace("\n", " ").replace("\t", " ")
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def kind_of(value: object) -> str:
    """What a TOML value is, for "x is …"."""
    for kinds, words in (
        ((bool,), "true or false"),
        ((int, float), "a number"),
        ((str,), "text"),
        ((list,), "a list"),
        ((dict,), "a table"),
    ):
        if isinstance(value, kinds):
            return words
    return "a date or time"


def quoted(text: str) -> str:
    """The text as a TOML string, "" for ""."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' if text and not CONTROL.search(text) else ""


def quoted_number(value: object) -> str:
    """A number as TOML text, "" for anything else."""
    return quoted(str(value)) if isinstance(value, int | float) and abs(value) < 1e15 else ""


def plain_number(value: object) -> str:
    """The number that a text holds, "" when it holds none."""
    if not isinstance(value, str) or not re.fullmatch(r"[+-]?\d{1,15}(\.\d{1,15})?", value.strip()):
        return ""
    text = value.strip()
    return text if re.fullmatch(r"[+-]?(0|[1-9]\d*)(\.\d+)?", text) else ""


def pattern_fix(value: str, pattern: re.Pattern[str]) -> str:
    """The value with what the pattern refuses turned into underscores, "" when that does not help."""
    candidate = re.sub(r"[^A-Za-z0-9_.:-]+", "_", value.strip())[:128].strip("_.:-")
    return candidate if pattern.fullmatch(candidate) else ""
