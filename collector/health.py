"""The collector on itself: every figure declared once, given to `/metrics`, to the stream, and to the windows as series."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import numpy as np

from collector.actions.alertmanagers import FIGURES as ALERTMANAGERS
from collector.exemplars import FIGURES as EXEMPLAR_FIGURES
from collector.exporters.exporter import FIGURES as EXPORT_FIGURES
from collector.receivers.figures import FIGURES as RECEIVED
from collector.rules.received import FIGURES as RECEIVED_ALERTS
from collector.server.alertmanager.figures import FIGURES as ALERTMANAGER_API
from monitor.model.batch import Batch
from monitor.model.cumulative import Cumulative
from monitor.model.series import KeySpace, Kind, series_key

PREFIX = "lightship_"


class Figure(NamedTuple):
    """One figure: its name without the prefix, kind, unit, and what it counts."""

    name: str
    kind: Kind
    help: str
    unit: str = ""


def _counter(name: str, help_text: str) -> Figure:
    return Figure(name, Kind.COUNTER, help_text)


def _gauge(name: str, help_text: str, unit: str = "") -> Figure:
    return Figure(name, Kind.GAUGE, help_text, unit)


FIGURES: tuple[Figure, ...] = (
    _gauge("series", "Series that have a row now."),
    _gauge("series_limit", "Most series that may have a row."),
    _counter("points_total", "Samples taken in from all receivers."),
    _counter("points_late_total", "Samples that came over 10 s after their second and were counted where they belong."),
    _counter("points_dropped_late_total", "Samples dropped because they were older than the allowed lateness."),
    _counter("points_dropped_future_total", "Samples dropped because their time lies ahead of the clock."),
    _counter("points_dropped_invalid_total", "Samples dropped because their value is not a usable number."),
    _counter("points_dropped_backlog_total", "Samples dropped because too many were waiting for a tick."),
    _counter("points_overflowed_total", "Samples counted in an overflow series because all rows were taken."),
    _counter("series_expired_total", "Series that gave up their row after being idle."),
    _counter("ticks_total", "Ticks since the start."),
    _gauge("tick_seconds", "What the last tick cost: windows, rules, journal and stream.", "s"),
    _gauge("tick_late_seconds", "How long after its due time the last tick began.", "s"),
    _counter("ticks_missed_total", "Ticks left out because an earlier one took too long."),
    _counter("tick_failures_total", "Parts of ticks that failed: a mistake of ours, which the log tells."),
    _counter("statsd_datagrams_total", "StatsD datagrams received."),
    _counter("statsd_bytes_total", "Bytes of StatsD datagrams received."),
    _counter("statsd_lines_total", "StatsD lines received."),
    _counter("statsd_malformed_total", "StatsD lines that could not be read."),
    _counter("statsd_events_total", "DogStatsD events and service checks seen."),
    _counter("statsd_kernel_dropped_total", "StatsD datagrams that the kernel dropped because the receive buffer was full."),
    _counter("statsd_errors_total", "Failures that the StatsD receivers survived; the log tells them."),
    _gauge("scrape_targets", "Targets that are scraped."),
    _gauge("scrape_targets_down", "Targets that do not answer."),
    _gauge("stream_clients", "Clients of the stream now."),
    _counter("stream_messages_total", "Messages sent to clients of the stream."),
    _counter("stream_bytes_total", "Bytes sent to clients of the stream."),
    _counter("stream_skipped_frames_total", "Frames that slow clients skipped."),
    _counter("stream_refused_clients_total", "Clients refused because of their origin or the limit."),
    _counter("stream_malformed_total", "Messages of clients that could not be read."),
    _counter("history_samples_total", "Samples given to the history."),
    _gauge("history_bytes", "Bytes that the history takes, on disk or in memory.", "bytes"),
    _gauge("history_fresh_samples", "Samples in memory and journal that wait to be packed."),
    _counter("history_late_total", "Samples that came after newer ones of their series and were put in their place."),
    _counter("history_too_old_total", "Samples dropped because they came later than the history allows."),
    _counter("history_dropped_total", "Samples dropped because the disk refused for so long that memory was full."),
    _counter("history_expired_total", "Samples given up because of their age."),
    _counter("history_crowded_out_total", "Samples given up, oldest first, because the history had reached its size."),
    _counter("history_damaged_total", "Damaged chunks that were found and left out."),
    _counter("history_unplaced_total", "Samples and series that the history had no room for."),
    _counter("history_disk_errors_total", "Failures of the disk that the history survived."),
    _gauge("history_failing", "1 while fresh samples cannot be written safely."),
    _counter("remote_written_total", "Samples that the remote store took."),
    _counter("remote_rejected_total", "Samples that the remote store refused for good."),
    _counter("remote_dropped_total", "Samples given up because the queue to the remote store was full or could not be written."),
    _counter("remote_requests_total", "Requests of remote write."),
    _counter("remote_failures_total", "Requests of remote write that failed and were tried again."),
    _counter("remote_bytes_total", "Bytes sent by remote write."),
    _gauge("remote_queue_samples", "Samples that wait for the remote store."),
    _gauge("remote_queue_bytes", "Bytes of the queue to the remote store on disk.", "bytes"),
    _gauge("remote_failing", "1 while the remote store takes no samples or the queue cannot be written."),
    _counter("remote_queries_total", "Requests that asked the remote store."),
    _counter("remote_query_failures_total", "Requests that the remote store did not answer."),
    _counter("queries_total", "Queries that were admitted."),
    _counter("queries_failed_total", "Queries that failed or took too long."),
    _counter("queries_refused_total", "Queries refused because too many were waiting."),
    _gauge("queries_running", "Queries that run or wait now."),
    _counter("query_seconds_total", "Time that queries took, waiting included."),
    _counter("query_samples_total", "Samples that queries read."),
    _gauge("rule_groups", "Groups of Prometheus rules in force."),
    _counter("rule_group_failures_total", "Rules of groups that failed when judged."),
    _counter("rule_group_missed_total", "Judgements of groups left out because an earlier one took too long."),
    _gauge("alert_groups", "Groups of alerts that are told together."),
    _gauge("incidents_open", "Incidents that go on."),
    _counter("notices_told_total", "Notices of groups that receivers were told."),
    _counter("notices_failed_total", "Attempts to tell a receiver that failed."),
    _counter("notices_given_up_total", "Notices given up: refused for good, or a day old."),
    _gauge("notices_waiting", "Notices that wait to be told."),
    _gauge("rule_queries", "Rules with a PromQL condition in force."),
    _counter("rule_query_failures_total", "Queries of such rules that failed."),
    _counter("rule_queries_missed_total", "Queries of such rules left out because the one before took too long."),
    _gauge("rewind_clients", "Connections that look at the past now."),
    _counter("rewind_built_total", "Moments of the past that were built."),
    _counter("rewind_refused_total", "Connections that could not look at the past because too many did."),
    _counter("rewind_idle_closed_total", "Connections that looked at the past and were let go, being idle."),
    _gauge("rewind_build_seconds", "How long the moment built last took.", "s"),
    _counter("state_versions_dropped_total", "Past states of alerts and rules given up because there were too many."),
    _gauge("rules", "Rules in force."),
    _gauge("alerts_firing", "Alerts firing now."),
    _counter("notifications_total", "Notifications handed to an action."),
    _counter("notifications_failed_total", "Attempts to hand a notification to an action that failed."),
    _counter("notifications_dropped_total", "Notifications given up because too many were waiting."),
    _counter("journal_bytes_total", "Bytes written to the journal of the last hour."),
    _gauge("journal_failing", "1 while the journal cannot be written."),
    *(
        _counter(name, said) if name.endswith("_total") else _gauge(name, said, "bytes" if name.endswith("_bytes") else "")
        for name, said in (
            RECEIVED | EXPORT_FIGURES | EXEMPLAR_FIGURES | RECEIVED_ALERTS | ALERTMANAGER_API | ALERTMANAGERS
        ).items()
    ),
    _counter("exposition_requests_total", "Times that /metrics was read."),
    _counter("exposition_series_total", "Series given at /metrics besides the collector's own."),
    _counter("exposition_duplicates_total", "Series left out at /metrics because another had the same escaped name and labels."),
    _counter("exposition_refused_total", "Readers of /metrics that asked for something that cannot be read or is too much."),
    _gauge("process_resident_memory_bytes", "Memory that the collector occupies.", "bytes"),
    _counter("process_cpu_seconds_total", "CPU time that the collector has used."),
    _gauge("start_time_seconds", "When the collector was started, seconds since the epoch.", "s"),
)


def resident_bytes() -> float:
    """Memory that this process occupies now."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return float(int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
    except OSError:
        import psutil

        return float(psutil.Process().memory_info().rss)


class Health:
    """Gathers the figures from the parts that keep them and hands them on once a tick."""

    def __init__(self) -> None:
        self._sources: list[Callable[[], Mapping[str, float]]] = []
        self._notes: list[Callable[[], Iterable[str]]] = []
        self._space = KeySpace()
        self._ids = np.array([self._space.add(series_key(PREFIX + f.name), f.kind, f.unit) for f in FIGURES], np.int32)
        self._is_counter = np.array([f.kind is Kind.COUNTER for f in FIGURES])
        self._cumulative = Cumulative()
        self.values: dict[str, float] = {}
        self.notes: tuple[str, ...] = ()

    def add(self, source: Callable[[], Mapping[str, float]], notes: Callable[[], Iterable[str]] | None = None) -> None:
        """`source` gives figures by name; `notes` sentences for `status` while something is wrong."""
        self._sources.append(source)
        if notes is not None:
            self._notes.append(notes)

    def gather(self) -> None:
        """Read all sources anew. A figure that nobody keeps is 0."""
        values = {figure.name: 0.0 for figure in FIGURES}
        for source in self._sources:
            values.update(source())
        values["process_resident_memory_bytes"] = resident_bytes()
        values["process_cpu_seconds_total"] = time.process_time()
        self.values = values
        self.notes = tuple(note for notes in self._notes for note in notes())

    def batches(self, now: float) -> list[Batch]:
        """The gathered figures as samples: gauges as they are, counters as increments."""
        numbers = np.array([self.values[figure.name] for figure in FIGURES])
        gauges = self._ids[~self._is_counter]
        counters, increments = self._cumulative.increments(self._ids[self._is_counter], numbers[self._is_counter])
        ids = np.concatenate((gauges, counters))
        return [Batch(self._space, ids, np.concatenate((numbers[~self._is_counter], increments)), np.full(len(ids), now))]
