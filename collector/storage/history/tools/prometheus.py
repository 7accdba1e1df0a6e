"""Import from a Prometheus server, or what speaks its HTTP API: stored samples as they are, a stretch of time after the other."""

from __future__ import annotations

import base64
import hashlib
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from collector.receivers.prometheus.families import kind_of
from collector.storage.history.tools.folder import ToolError
from collector.storage.history.tools.intake import Importer, milliseconds
from monitor.model.series import Kind

_MOST_BYTES = 64 << 20
_MOST_METADATA = 32 << 20
_ENOUGH = 4 << 20
"""Bytes of an answer below which the next stretch is twice as long."""
_TIMEOUT = 120.0
_FIRST, _SHORTEST, _LONGEST = 3_600_000, 1_000, 86_400_000
_COUNTERS = ("_total", "_bucket", "_count", "_sum")
Progress = Callable[[int, int], None]
"""Told the time (ms) up to which all is imported, and samples taken so far."""


class _Series(msgspec.Struct):
    metric: dict[str, str]
    values: list[tuple[float, str]] = []
    histograms: list[Any] = []


class _Data(msgspec.Struct):
    resultType: str  # noqa: N815 - the API's own spelling
    result: list[_Series]


class _Answer(msgspec.Struct):
    status: str
    data: _Data


class _Known(msgspec.Struct):
    type: str = "unknown"


class _Metadata(msgspec.Struct):
    data: dict[str, list[_Known]] = {}


class _TooMuchError(Exception):
    """An answer that is too large, or that the server would not work out: a shorter stretch may do."""


class PrometheusImport:
    """One import. `histograms`: native histogram samples that were met and left out, which this API does not tell exactly.

    What was imported is noted in `folder` after every stretch, so that the same import begins where it stopped; done, the note
    goes.
    """

    def __init__(self, importer: Importer, url: str, match: str, start: int, end: int, folder: Path) -> None:
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ToolError(f"{url!r} is no address of a server; write http://host:9090.")
        self._headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        if parts.username:
            pair = f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
            self._headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        host = parts.netloc.rpartition("@")[2]
        self._base = f"{parts.scheme}://{host}{parts.path.rstrip('/')}"
        self._importer, self._match, self._start, self._end = importer, match, start, end
        digest = hashlib.blake2b(f"{self._base}\n{match}\n{start}\n{end}".encode(), digest_size=6).hexdigest()
        self._note = folder / f"import-{digest}.json"
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self._types: dict[str, str] = {}
        self._refs: dict[tuple[tuple[str, str], ...], int] = {}
        self.histograms = 0
        self.resumed = 0
        """Milliseconds up to which an import before had come; 0 when this one began anew."""

    def run(self, progress: Progress) -> None:
        """Imports all of it. Raises `ToolError`; the same import may then be started again and goes on."""
        self._types = self._metadata()
        self.resumed = self._noted()
        done, length = max(self._start - 1, self.resumed), _FIRST
        while done < self._end:
            until = min(done + length, self._end)
            try:
                size = self._stretch(done, until)
            except _TooMuchError as error:
                if length <= _SHORTEST:
                    raise ToolError(f"Even a second of it is too much at once: {error}. Narrow --match.") from None
                length = max(_SHORTEST, length // 4)
                continue
            done = until
            partial = self._note.with_suffix(".partial")
            partial.write_bytes(msgspec.json.encode({"done": done}))
            os.replace(partial, self._note)
            progress(done, self._importer.samples)
            if size < _ENOUGH:
                length = min(length * 2, _LONGEST)
        self._importer.finish()
        self._note.unlink(missing_ok=True)

    def _stretch(self, after: int, until: int) -> int:
        """Samples in (after, until]; how many bytes told them."""
        form = {"query": f"{self._match}[{until - after}ms]", "time": f"{until / 1000:.3f}", "timeout": f"{_TIMEOUT:.0f}s"}
        body = self._ask("/api/v1/query", form, _MOST_BYTES)
        try:
            answer = msgspec.json.decode(body, type=_Answer)
        except msgspec.MsgspecError as error:
            raise ToolError(f"{self._base} answered something else than Prometheus does: {error}") from None
        if answer.data.resultType != "matrix":
            raise ToolError(f"--match {self._match!r} selects no series: it answers with a {answer.data.resultType}.")
        self._take(answer.data.result, after)
        return len(body)

    def _take(self, result: list[_Series], after: int) -> None:
        labels = [tuple(sorted((name, value) for name, value in each.metric.items() if value)) for each in result]
        new = [place for place, each in enumerate(labels) if each not in self._refs]
        if len(self._refs) + len(new) > 500_000:
            self._refs.clear()
            new = list(range(len(labels)))
        if new:
            kinds = [self._kind(result[place].metric.get("__name__", "")) for place in new]
            refs = self._importer.refs([labels[place] for place in new], kinds)
            self._refs.update(zip((labels[place] for place in new), refs.tolist(), strict=True))
        columns: list[tuple[Any, Any, Any]] = []
        for known, series in zip(labels, result, strict=True):
            self.histograms += len(series.histograms)
            if series.values:
                times = milliseconds(np.array([time for time, _ in series.values]))
                values = np.array([value for _, value in series.values]).astype(np.float64)
                later = times > after
                columns.append((np.full(int(later.sum()), self._refs[known], np.int64), times[later], values[later]))
        if columns:
            self._importer.take(*(np.concatenate(column) for column in zip(*columns, strict=True)))

    def _kind(self, name: str) -> Kind:
        family = next((name.removesuffix(suffix) for suffix in _COUNTERS if name.endswith(suffix)), name)
        if name in self._types or family in self._types:
            return kind_of(name, self._types) or Kind.GAUGE
        return Kind.COUNTER if family != name else Kind.GAUGE

    def _metadata(self) -> dict[str, str]:
        """Types by metric; of a server that does not tell them, none."""
        try:
            body = self._ask("/api/v1/metadata", {}, _MOST_METADATA)
            known = msgspec.json.decode(body, type=_Metadata).data
        except (_TooMuchError, msgspec.MsgspecError):
            return {}
        return {name: entries[0].type for name, entries in known.items() if entries}

    def _ask(self, path: str, form: dict[str, str], most: int) -> bytes:
        data = urllib.parse.urlencode(form).encode() if form else None
        request = urllib.request.Request(self._base + path, data, self._headers)
        try:
            with self._opener.open(request, timeout=_TIMEOUT + 5) as answer:
                body: bytes = answer.read(most + 1)
        except urllib.error.HTTPError as error:
            told = _reason(error.read(10_000))
            if error.code in (422, 503, 504, 413) and "parse" not in told:
                raise _TooMuchError(told or f"status {error.code}") from None
            raise ToolError(f"{self._base} refused ({error.code}): {told or error.reason}") from None
        except TimeoutError:
            raise _TooMuchError(f"no answer within {_TIMEOUT:.0f} s") from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            later = "Started again, the import goes on where it stopped."
            raise ToolError(f"{self._base} cannot be reached: {reason}. {later}") from None
        if len(body) > most:
            raise _TooMuchError(f"an answer of more than {most >> 20} MiB")
        return body

    def _noted(self) -> int:
        try:
            noted = msgspec.json.decode(self._note.read_bytes(), type=dict[str, int])
        except (OSError, msgspec.MsgspecError):
            return 0
        return noted.get("done", 0)


def _reason(body: bytes) -> str:
    try:
        return str(msgspec.json.decode(body).get("error", ""))[:300]
    except (msgspec.MsgspecError, AttributeError):
        return ""
