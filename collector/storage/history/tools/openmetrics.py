"""Import of OpenMetrics text with timestamps, as `promtool tsdb dump-openmetrics` and this program's export write it."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import IO, cast

import numpy as np

from collector.receivers.prometheus.dictionary import Dictionary, TypeChangedError
from collector.receivers.prometheus.limits import ExpositionError, ExpositionLimits
from collector.receivers.prometheus.numbers import numbers_of
from collector.storage.history.tools.folder import ToolError
from collector.storage.history.tools.intake import Importer, milliseconds
from monitor.model.series import Kind

_LINES = 50_000
_MOST_SERIES = 200_000
_MOST_LINE = 1 << 20
_MOST_METADATA = 3000
_LIMITS = ExpositionLimits(samples=1 << 62, body_bytes=1 << 62)
Progress = Callable[[int, int], None]
"""Told lines read and samples taken so far."""


def import_openmetrics(importer: Importer, path: Path, progress: Progress) -> None:
    """Reads a file (gzip by its name) to its end. Raises `ToolError` at the first line that is none; what came before stays."""
    try:
        with path.open("rb") as plain:
            if path.suffix == ".gz":
                with gzip.open(plain) as unpacked:
                    _Reader(importer, progress).read(cast(IO[bytes], unpacked), path.name)
            else:
                _Reader(importer, progress).read(plain, path.name)
    except (OSError, EOFError) as error:
        raise ToolError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    importer.finish()


class _Reader:
    def __init__(self, importer: Importer, progress: Progress) -> None:
        self._importer, self._progress = importer, progress
        self._metadata: list[bytes] = []
        self._begin()

    def _begin(self) -> None:
        """Forgets all series, and tells the dictionary again what it knew of the latest families."""
        self._dictionary = Dictionary(True, _LIMITS)
        self._refs = np.empty(0, np.int64)
        latest, self._metadata = self._metadata[-_MOST_METADATA:], []
        for line in latest:
            self._describe(line)

    def _describe(self, line: bytes) -> bool:
        try:
            described = self._dictionary.is_metadata(line)
        except TypeChangedError:  # another type from here on
            self._metadata = [known for known in self._metadata if known.split(b" ")[2:3] != line.split(b" ")[2:3]]
            self._begin()
            described = self._dictionary.is_metadata(line)
        if described:
            self._metadata.append(line)
            if len(self._metadata) > 2 * _MOST_METADATA:
                del self._metadata[:_MOST_METADATA]
        return described

    def read(self, file: IO[bytes], name: str) -> None:
        number, ended = 0, False
        prefixes: list[bytes] = []
        tokens: list[bytes] = []
        ids: list[int] = []
        while line := file.readline(_MOST_LINE):
            number += 1
            if ended:
                raise ToolError(f"{name}, line {number}: something follows the line '# EOF'.")
            if not line.endswith(b"\n") and len(line) == _MOST_LINE:
                raise ToolError(f"{name}, line {number}: the line is longer than {_MOST_LINE} bytes.")
            line = line.rstrip(b"\n")
            ended = line == b"# EOF"
            try:
                if not ended and line:
                    self._line(line, prefixes, tokens, ids)
            except ExpositionError as error:
                self._flush(prefixes, tokens, ids, name, number)
                raise ToolError(f"{name}, line {number}: {error}") from None
            if len(tokens) >= _LINES:
                self._flush(prefixes, tokens, ids, name, number)
        self._flush(prefixes, tokens, ids, name, number)
        if not ended:
            raise ToolError(f"{name} ends without the line '# EOF': it may have been cut short. All {number} lines were taken.")

    def _line(self, line: bytes, prefixes: list[bytes], tokens: list[bytes], ids: list[int]) -> None:
        parts = line.rsplit(b" ", 2)
        prefix = parts[0] + b" "
        series = self._dictionary.known.get(prefix) if len(parts) == 3 else None
        if series is None:
            if self._describe(line):
                return
            prefix, series = self._dictionary.sample(line)
        prefixes.append(prefix)
        tokens.append(line[len(prefix) :])
        ids.append(series)

    def _flush(self, prefixes: list[bytes], tokens: list[bytes], ids: list[int], name: str, number: int) -> None:
        """Takes what was gathered, and begins anew."""
        if tokens:
            try:
                values, seconds = numbers_of(tokens, b",".join(tokens), prefixes, True)
            except ExpositionError as error:
                raise ToolError(f"{name}, before line {number + 1}: {error}") from None
            if seconds is None or np.isnan(seconds).any():
                place = 0 if seconds is None else int(np.argmax(np.isnan(seconds)))
                shown = prefixes[place].decode("utf-8", "replace")[:80]
                where = f"{name}, before line {number + 1}"
                raise ToolError(f"{where}: {shown!r} has no timestamp. An import needs one on every line.")
            refs = self._all_refs()[ids]
            held = refs >= 0
            self._importer.take(refs[held], milliseconds(seconds[held]), values[held])
        for gathered in (prefixes, tokens, ids):
            gathered.clear()
        self._progress(number, self._importer.samples)
        if len(self._dictionary.series) > _MOST_SERIES:
            self._begin()

    def _all_refs(self) -> np.typing.NDArray[np.int64]:
        """The history's numbers of the dictionary's series; -2 of what is none (`_created`)."""
        new = self._dictionary.series[len(self._refs) :]
        if new:
            refs = np.full(len(new), -2, np.int64)
            real = [place for place, series in enumerate(new) if series.kind is not None]
            labels = [tuple(sorted((("__name__", new[place].name), *new[place].labels))) for place in real]
            kinds = [new[place].kind or Kind.GAUGE for place in real]
            refs[real] = self._importer.refs(labels, kinds, [new[place].unit for place in real])
            self._refs = np.concatenate((self._refs, refs))
        return self._refs
