"""What is known of one target's lines: the series they name and the metadata they carry."""

from __future__ import annotations

import contextlib
from typing import NamedTuple

from collector.receivers.prometheus.families import TEXT_TYPES, TYPES, kind_of, unit_of
from collector.receivers.prometheus.limits import ExpositionError, ExpositionLimits, LimitError
from collector.receivers.prometheus.line import Labels, labels_of, metadata_of, series_of, shortened, unescaped
from monitor.model.series import Kind
from monitor.query.history import Metadata

SPARE = 10_000
"""Lines that may be remembered beyond a few times those of the last answer."""


class ParsedSeries(NamedTuple):
    """A series as the target names it. Labels are sorted, those with empty values left out; kind None: not a series."""

    name: str
    labels: Labels
    kind: Kind | None
    unit: str


class TypeChangedError(Exception):
    """A family is declared with another type than before: what was remembered of its series is wrong."""


class Dictionary:
    """Gives each spelling of a series (the bytes of its line up to the value) an id into `series`.

    `met_new` is set when a line was seen for the first time.
    """

    def __init__(self, openmetrics: bool, limits: ExpositionLimits) -> None:
        self.openmetrics = openmetrics
        self.limits = limits
        self.series: list[ParsedSeries] = []
        self.known: dict[bytes, int] = {}
        self.met_new = False
        self._by_key: dict[tuple[str, Labels], int] = {}
        self._pairs: dict[tuple[str, str], tuple[str, str]] = {}
        self._metadata: set[bytes] = set()
        self._types: dict[str, str] = {}
        self._units: dict[str, str] = {}
        self._helps: dict[str, str] = {}
        self._news: set[str] = set()
        self._declared_now: set[str] = set()

    def begin(self) -> None:
        """A new answer begins."""
        self.met_new = False
        self._declared_now.clear()

    def is_overgrown(self, live: int) -> bool:
        """Whether much more is remembered than `live` series need."""
        most = SPARE + 4 * live
        return len(self.series) > most or len(self.known) > 2 * most or len(self._metadata) > 2 * most

    def is_metadata(self, line: bytes) -> bool:
        """Whether `line` carries no sample; TYPE and UNIT are taken note of. Raises `ExpositionError`, `TypeChangedError`."""
        if line in self._metadata:
            return True
        stripped = line if self.openmetrics else line.strip(b" \t\r")
        if stripped and not stripped.startswith(b"#"):
            return False
        if stripped:
            self.met_new = True
            self._describe(stripped)
            self._metadata.add(line)
        return True

    def take_described(self) -> dict[str, Metadata]:
        """What is new of families since the last call."""
        news, self._news = self._news, set()
        types, helps, units = self._types, self._helps, self._units
        return {name: Metadata(_kind(types.get(name, "")), helps.get(name, ""), units.get(name, "")) for name in news}

    def sample(self, line: bytes) -> tuple[bytes, int]:
        """The bytes of a sample line up to its value, and the id of its series. Raises `ExpositionError`."""
        text = _text(line)
        found = series_of(text, self.openmetrics)
        prefix = text[: found.length].encode()
        series = self.known.get(prefix)
        if series is None:
            self.met_new = True
            series = self.known[prefix] = self._series_id(found.name, found.label_text)
        return prefix, series

    def _series_id(self, name: str, label_text: str) -> int:
        if len(name) > self.limits.name_length:
            raise LimitError(f"the name {shortened(name)} has more than {self.limits.name_length} characters")
        # The same few pairs stand in thousands of series: kept once they take a tenth of the memory.
        shared = self._pairs.setdefault
        labels = tuple(sorted([shared(label, label) for label in labels_of(label_text, self.limits) if label[1]]))
        found = self._by_key.get((name, labels))
        if found is None:
            found = self._by_key[name, labels] = len(self.series)
            self.series.append(ParsedSeries(name, labels, kind_of(name, self._types), unit_of(name, self._units)))
        return found

    def _describe(self, line: bytes) -> None:
        described = metadata_of(_text(line), self.openmetrics)
        if described is None:
            self._help(_text(line))
            return
        self._news.add(described.name)
        if described.keyword == "TYPE":
            if not described.text:
                raise ExpositionError(f"a TYPE line needs a name and a type: {shortened(_text(line))}")
            self._declare(described.name, described.text)
        elif described.keyword == "UNIT" and described.text and self.openmetrics:
            self._units[described.name] = described.text
        elif described.keyword == "HELP":
            self._helps[described.name] = unescaped(described.text or "")

    def _help(self, line: str) -> None:
        """HELP of the older format, which cannot be wrong: to Prometheus it is a comment."""
        with contextlib.suppress(ExpositionError):
            described = metadata_of(line, self.openmetrics, helps=True)
            if described is not None:
                self._helps[described.name] = unescaped(described.text or "")
                self._news.add(described.name)

    def _declare(self, family: str, declared: str) -> None:
        if declared not in (TYPES if self.openmetrics else TEXT_TYPES):
            raise ExpositionError(f"unknown type {shortened(declared)} of {shortened(family)}")
        before = self._types.setdefault(family, declared)
        if before != declared:
            if family in self._declared_now:
                raise ExpositionError(f"{shortened(family)} has two types")
            raise TypeChangedError
        self._declared_now.add(family)


def _kind(declared: str) -> str:
    return declared if declared in TYPES else "unknown"


def _text(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        raise ExpositionError(f"not valid UTF-8: {line[:80]!r}") from None
