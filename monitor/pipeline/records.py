"""Spans and log records on their way in: what is dropped, what is added to them, and no personal data in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from monitor.model.logs import Logs
from monitor.model.matchers import Selector
from monitor.model.series import SeriesKey
from monitor.model.spans import Spans
from monitor.pipeline.pii import PiiFilter

_LEVELS = ("", "trace", "debug", "info", "warn", "error", "fatal")


class RecordProcessors:
    """`resource`: attributes that every resource gets where it has none of that name; `service.name` stands in for a service
    nobody told. `drop`: selectors of what goes, over the span's operation as the name and the tag `service`; of records over
    `service` and `level` (trace, debug, info, warn, error, fatal). `pii`: the filter over texts, bodies and details.
    """

    def __init__(
        self, resource: Mapping[str, str] | None = None, drop: Sequence[Selector] = (), pii: PiiFilter | None = None
    ) -> None:
        self._resource = dict(resource or {})
        self._drop = tuple(drop)
        self._pii = pii if pii is not None and pii.active else None
        self.dropped_spans = 0
        self.dropped_records = 0

    def spans(self, spans: Spans) -> Spans:
        """What is left of them; the same object where nothing is to be done."""
        if self._drop and len(spans):
            gone = self._selected(spans.texts, spans.services, spans.names, tag="")
            if gone.any():
                self.dropped_spans += int(np.count_nonzero(gone))
                spans = spans.take(~gone)
        if not len(spans):
            return spans
        if self._resource:
            texts, services = self._service(spans.texts, spans.services)
            spans = replace(spans, texts=texts, services=services, details=[self._added(each) for each in spans.details])
        if self._pii is not None:
            spans = replace(spans, texts=self._clean(spans.texts), details=[self._pii.packed(each) for each in spans.details])
        return spans

    def logs(self, logs: Logs) -> Logs:
        """What is left of them; a record whose body holds what is to be dropped goes whole."""
        if self._drop and len(logs):
            texts = (*logs.texts, *_LEVELS)
            levels = (np.clip(logs.severities.astype(np.int32) + 3, 0, 27) // 4 + len(logs.texts)).astype(np.int32)
            gone = self._selected(texts, logs.services, levels, tag="level")
            if gone.any():
                self.dropped_records += int(np.count_nonzero(gone))
                logs = logs.take(~gone)
        if not len(logs):
            return logs
        if self._resource:
            told, services = self._service(logs.texts, logs.services)
            logs = replace(logs, texts=told, services=services, details=[self._added(each) for each in logs.details])
        return logs if self._pii is None else self._without_pii(logs, self._pii)

    def figures(self) -> dict[str, float]:
        """Counters by name."""
        return {
            "processors_dropped_spans_total": float(self.dropped_spans),
            "processors_dropped_records_total": float(self.dropped_records),
        }

    def _without_pii(self, logs: Logs, pii: PiiFilter) -> Logs:
        bodies = pii.all_kept(logs.bodies)
        cleaned = [body or "" for body in bodies]
        details = [pii.packed(each) for each in logs.details]
        logs = replace(logs, texts=self._clean(logs.texts), bodies=cleaned, details=details)
        stays = np.array([body is not None for body in bodies], np.bool_)
        if stays.all():
            return logs
        self.dropped_records += int(len(stays) - np.count_nonzero(stays))
        return logs.take(stays)

    def _clean(self, texts: tuple[str, ...]) -> tuple[str, ...]:
        assert self._pii is not None
        return tuple(self._pii.texts(texts))

    def _selected(
        self, texts: Sequence[str], services: npt.NDArray[np.int32], others: npt.NDArray[np.int32], tag: str
    ) -> npt.NDArray[np.bool_]:
        """bool[n]: whether one of the selectors matches; each pair of service and name (or of service and tag) is asked once."""
        pairs, where = np.unique(services.astype(np.int64) * len(texts) + others, return_inverse=True)
        gone = []
        for pair in pairs.tolist():
            service, other = texts[pair // len(texts)], texts[pair % len(texts)]
            key = SeriesKey("" if tag else other, (("service", service), (tag, other)) if tag else (("service", service),))
            gone.append(any(selector.matches(key) for selector in self._drop))
        return np.array(gone, np.bool_)[where]

    def _service(self, texts: tuple[str, ...], services: npt.NDArray[np.int32]) -> tuple[tuple[str, ...], npt.NDArray[np.int32]]:
        name = self._resource.get("service.name", "")
        if not name or services.all():
            return texts, services
        return (*texts, name), np.where(services == 0, np.int32(len(texts)), services).astype(np.int32)

    def _added(self, details: bytes) -> bytes:
        unpacked: dict[str, Any] = msgspec.msgpack.decode(details) if details else {}
        unpacked["resource"] = {**self._resource, **unpacked.get("resource", {})}
        return msgspec.msgpack.encode(unpacked)
