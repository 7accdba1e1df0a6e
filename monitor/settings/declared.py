"""The table of settings: name, type, default and one sentence each."""

from __future__ import annotations

from typing import Any

import msgspec

from monitor.settings.kinds import (
    Kind,
    address,
    addresses,
    count,
    duration,
    duration_or_none,
    flag,
    formula,
    http_url,
    interval,
    path,
    size,
    tags,
    text,
    windows,
    word,
)


class Setting(msgspec.Struct, frozen=True):
    """One setting. `default` is written as a person would write it in the file; `env` is its environment variable."""

    name: str
    kind: Kind
    default: Any
    help: str
    example: str = ""
    secret: bool = False
    """Never shown: not by the command, the API or a log."""

    @property
    def env(self) -> str:
        return "LIGHTSHIP_" + self.name.upper()

    def read(self, written: Any) -> Any:
        """The value as the collector uses it. Raises `ValueError` saying what is wrong with `written` and what to write."""
        return self.kind.read(written)


SETTINGS: tuple[Setting, ...] = (
    Setting("name", text, "", "What this collector is called on screen; empty: the host's name."),
    Setting("http", address, "127.0.0.1:7070", "Address of the HTTP side: /metrics, health, discovery."),
    Setting("stream", address, "127.0.0.1:7071", "Address of the WebSocket stream that the user interfaces read."),
    Setting("statsd", addresses, "127.0.0.1:8125", "UDP addresses for StatsD and DogStatsD, a comma between them; off: none."),
    Setting("statsd_socket", path, "", "Path of a Unix datagram socket for DogStatsD; empty: none.", "/run/lightship/dsd.socket"),
    Setting("statsd_buffer", size, "4 MiB", "Receive buffer asked of the kernel for each StatsD socket."),
    Setting("data", path, "", "Folder for state and recent history; empty: lightship in the user's data folder."),
    Setting("rules", path, "", "Folder of rule files (*.toml); empty: rules inside the data folder."),
    Setting("interval", interval, "1s", "Time between two ticks: how often windows are computed and sent."),
    Setting("windows", windows, ["1m", "5m", "15m", "1h"], "Lengths of the sliding windows kept for every series, at most 1h."),
    Setting("lateness", duration, "1m", "How late a sample may come and still be counted where it belongs."),
    Setting("idle_expiry", duration, "1h", "A series silent for this long gives up its row; that of an ended process after 5m."),
    Setting("series_limit", count, 100_000, "Most series at once; further ones are counted in an overflow series."),
    Setting("host", flag, True, "Whether to watch this machine: CPU, memory, disks, network, processes."),
    Setting("clients", count, 1_000, "Most stream clients at once."),
    Setting("origins", tags, [], "Web origins that may open the stream, besides none at all.", '["https://ops.example.org"]'),
    Setting("journal", flag, True, "Whether the last hour survives a restart (about 20 B a sample, packed, in the data folder)."),
    Setting(
        "history",
        word("embedded", "memory", "remote"),
        "embedded",
        "Where the past is kept: in the data folder, in memory until a restart, or in another store.",
    ),
    Setting("history_raw", duration, "7d", "How long samples are kept as they came."),
    Setting("history_10s", duration, "30d", "How long one sample every 10 s is kept: last, least, greatest, sum, count."),
    Setting("history_1m", duration, "180d", "How long one sample a minute is kept."),
    Setting("history_1h", duration, "1825d", "How long one sample an hour is kept."),
    Setting("history_size", size, "10 GiB", "Most bytes that the history may take; the oldest goes first."),
    Setting("history_out_of_order", duration, "1h", "How late a sample may come and still be put in its place in the history."),
    Setting("remote_write", http_url, "", "Address of the store's remote write.", "http://127.0.0.1:8428/api/v1/write"),
    Setting("remote_query", http_url, "", "What stands before /api/v1/query at that store.", "http://127.0.0.1:8428"),
    Setting("remote_headers", tags, {}, "Headers of every request to it: the tenant.", '{ X-Scope-OrgID = "shop" }', True),
    Setting("remote_user", text, "", "User for basic authentication at the store."),
    Setting("remote_password", text, "", "Password for basic authentication at the store.", "", True),
    Setting("remote_token", text, "", "Bearer token for the store.", "", True),
    Setting(
        "remote_names",
        word("underscores", "as_sent"),
        "underscores",
        "Whether names go there with underscores or as they were sent.",
    ),
    Setting("remote_queue", size, "1 GiB", "Most bytes that wait on disk while the store is away; the oldest go first."),
    Setting(
        "remote_recent",
        duration_or_none,
        "1h",
        "How much is kept here and answered from here; 0s: every query goes to the store.",
    ),
    Setting("query_lookback", duration, "5m", "How far back a query looks for a series' last sample."),
    Setting("query_timeout", duration, "2m", "How long a query may take."),
    Setting("query_samples", count, 50_000_000, "Most samples that one query may read."),
    Setting("query_concurrency", count, 20, "Most queries at once, waiting ones included."),
    Setting("log_level", word("debug", "info", "warning", "error"), "info", "How much the collector says on standard error."),
)

SCRAPE: tuple[Setting, ...] = (
    Setting("url", http_url, "", "Where the exposition is read, as http://host:port/metrics."),
    Setting("job", text, "", "The job tag of all its series; empty: the host part of the address."),
    Setting("interval", duration, "15s", "Time between two scrapes."),
    Setting("timeout", duration, "10s", "How long one scrape may take."),
    Setting("labels", tags, {}, "Further tags of all its series.", '{ env = "prod" }'),
    Setting("honor_labels", flag, False, "Whether the target's own job and instance tags win over ours."),
)

DERIVED: tuple[Setting, ...] = (
    Setting("name", text, "", "The name of the derived series."),
    Setting(
        "formula", formula, "", "Metric names, numbers, + - * / and parentheses.", "cache.hits / (cache.hits + cache.misses)"
    ),
    Setting("window", duration, "1m", "The window over which counters enter the formula."),
    Setting("unit", text, "", "Unit of the result, for axes: percent, ratio, ms, bytes …"),
)

TABLES: dict[str, tuple[Setting, ...]] = {"scrape": SCRAPE, "derived": DERIVED}
"""Settings that are lists of tables: [[scrape]] and [[derived]]."""

REQUIRED: dict[str, tuple[str, ...]] = {"scrape": ("url",), "derived": ("name", "formula")}

BY_NAME: dict[str, Setting] = {setting.name: setting for setting in SETTINGS}
