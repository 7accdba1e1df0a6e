"""The histories there are, opened as the settings say: each with what writes to it, what reads it and how it fares."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from collector.rewind.kept import KeptSeries
from collector.storage.sink import Sink
from monitor.model.series import Kind
from monitor.query.history import History, Labels
from monitor.settings.load import Settings

SPARE = 3600.0
"""Seconds kept here beyond what is answered from here, when the history is remote."""


class Keeper(Sink, Protocol):
    """A history as it is written to."""

    def commit(self) -> bool:
        """Whether everything appended before will outlive the process."""


@dataclass(frozen=True, slots=True)
class OpenHistory:
    """`described`: kind and unit by labels. `oldest`: time of the oldest sample (s), infinity while there is none."""

    sink: Keeper
    history: History
    described: Callable[[Sequence[Labels]], Sequence[KeptSeries]]
    oldest: Callable[[], float]
    figures: Callable[[], dict[str, float]]
    notes: Callable[[], list[str]]
    close: Callable[[], None]


def open_history(settings: Settings, folder: Path) -> OpenHistory:
    """The history here of these settings. Raises `OSError` with a sentence when it cannot be had.

    Of a remote one it is the part at hand.
    """
    return _in_memory(settings) if settings["history"] == "memory" else _embedded(settings, folder)


def _in_memory(settings: Settings) -> OpenHistory:
    from collector.storage.memory_sink import MemorySink
    from monitor.query.memory import Bounds

    age, late = round(settings["history_raw"] * 1000), round(settings["history_out_of_order"] * 1000)
    sink = MemorySink(Bounds(age=age, late=late, series=settings["series_limit"]))
    history, began = sink.history, time.time()

    def oldest() -> float:
        if not history.size:
            return float("inf")
        return float(max(began, (history.newest - age) / 1000, history.complete_since / 1000))

    def figures() -> dict[str, float]:
        counters = history.counters
        return {
            "history_bytes": 16.0 * history.size,
            "history_too_old_total": counters.too_late,
            "history_expired_total": counters.given_up,
            "history_unplaced_total": counters.too_many_series,
        }

    return OpenHistory(sink, history, sink.described, oldest, figures, list, lambda: None)


def _embedded(settings: Settings, folder: Path) -> OpenHistory:
    from collector.storage.history.settings import HistorySettings
    from collector.storage.history.store import HistoryStore

    keep = (settings["history_raw"], settings["history_10s"], settings["history_1m"], settings["history_1h"])
    if settings["history"] == "remote":
        at_hand = settings["remote_recent"] + SPARE
        keep = (at_hand, at_hand, at_hand, at_hand)
    bounds = HistorySettings(keep=keep, max_bytes=settings["history_size"], out_of_order=settings["history_out_of_order"])
    store = HistoryStore(folder, bounds)
    store.start()

    def described(labels: Sequence[Labels]) -> Sequence[KeptSeries]:
        kinds = store.kinds(store.intern(labels, [int(Kind.GAUGE)] * len(labels))).tolist()
        known = store.metadata()
        units = [known[name].unit if (name := dict(each).get("__name__", "")) in known else "" for each in labels]
        return [KeptSeries(each, Kind(kind), unit) for each, kind, unit in zip(labels, kinds, units, strict=True)]

    def figures() -> dict[str, float]:
        stats = store.stats()
        told = {figure: float(stats.get(name, 0)) for figure, name in _STORE_FIGURES.items()}
        return told | {"history_failing": 1.0 if store.failing else 0.0}

    def notes() -> list[str]:
        return [*([store.failing] if store.failing else []), *store.problems[-3:]]

    return OpenHistory(store, store, described, store.oldest, figures, notes, store.close)


_STORE_FIGURES = {
    "history_bytes": "bytes",
    "history_fresh_samples": "fresh_samples",
    "history_late_total": "late_samples",
    "history_too_old_total": "too_old_samples",
    "history_dropped_total": "dropped_samples",
    "history_expired_total": "expired_samples",
    "history_crowded_out_total": "crowded_out_samples",
    "history_damaged_total": "damaged_chunks",
    "history_unplaced_total": "refused_series",
    "history_disk_errors_total": "disk_errors",
}
"""Figures of health and what the store calls them."""
