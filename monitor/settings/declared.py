"""The table of settings: name, type, default and one sentence each."""

from __future__ import annotations

from monitor.settings.kinds import (
    address,
    addresses,
    count,
    count_or_none,
    duration,
    duration_or_none,
    flag,
    formula,
    http_url,
    http_urls,
    interval,
    path,
    rate_or_none,
    relabel,
    share,
    size,
    tags,
    text,
    texts,
    windows,
    word,
)
from monitor.settings.setting import Setting
from monitor.settings.telling import INHIBIT, RECEIVER, ROUTE, TIMES

SETTINGS: tuple[Setting, ...] = (
    Setting("name", text, "", "What this collector is called on screen; empty: the host's name."),
    Setting("http", address, "127.0.0.1:7070", "Address of the HTTP side: /metrics, health, discovery."),
    Setting("stream", address, "127.0.0.1:7071", "Address of the WebSocket stream that the user interfaces read."),
    Setting("statsd", addresses, "127.0.0.1:8125", "UDP addresses for StatsD and DogStatsD, a comma between them; off: none."),
    Setting("statsd_socket", path, "", "Path of a Unix datagram socket for DogStatsD; empty: none.", "/run/lightship/dsd.socket"),
    Setting("statsd_buffer", size, "4 MiB", "Receive buffer asked of the kernel for each StatsD socket."),
    Setting("statsd_tcp", addresses, "off", "TCP addresses for StatsD, one line a sample.", "127.0.0.1:8125"),
    Setting("otlp_grpc", addresses, "127.0.0.1:4317", "Addresses for OTLP over gRPC: metrics, traces and logs; off: none."),
    Setting("otlp_http", addresses, "127.0.0.1:4318", "Addresses for OTLP over HTTP; the HTTP side takes it as well."),
    Setting("otlp_tags", tags, [], "Resource attributes that become tags, besides the usual ones.", '["cloud.region"]'),
    Setting("datadog", addresses, "127.0.0.1:8126", "Addresses of the Datadog trace agent's API; off: none."),
    Setting(
        "push_ttl", duration_or_none, "0s", "How long a group pushed as to a Pushgateway stays without a push; 0s: for good."
    ),
    Setting("traces_keep", duration, "3d", "How long spans and logs are kept."),
    Setting("traces_size", size, "2 GiB", "Most bytes that spans and logs may take; the oldest go first."),
    Setting("trace_share", share, 1.0, "Share of all traces that is kept and exported, by their ids; all are counted."),
    Setting(
        "tail", flag, False, "Whether spans wait until their trace is whole, and some of the traces are kept (tail sampling)."
    ),
    Setting("tail_wait", duration, "10s", "How long spans wait for their trace, from its first."),
    Setting("tail_errors", flag, True, "Whether all traces with an error are kept."),
    Setting("tail_slower_than", duration_or_none, "0s", "Traces that take longer are kept; 0s: none for that."),
    Setting("tail_rare", count_or_none, 0, "Traces with an operation that was seen less often than this in a minute are kept."),
    Setting("tail_share", share, 0.1, "Share of all other traces that is kept, by their ids."),
    Setting("tail_traces_per_second", rate_or_none, 0, "Most traces kept a second, the most telling ones; 0: any number."),
    Setting("tail_max_spans", count, 100_000, "Most spans that wait; beyond it the least telling traces go."),
    Setting("apdex", duration, "500ms", "A request that takes no longer satisfies (T of the Apdex)."),
    Setting(
        "pii", tags, {}, "What is done with personal data: redact, hash or drop, by kind.", '{ email = "redact", card = "drop" }'
    ),
    Setting("pii_key", text, "", "Key with which kinds are hashed, 16 bytes or more.", "", True),
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
    Setting("exemplars", count_or_none, 100_000, "Most exemplars that are kept; the oldest go first; 0: none are read."),
    Setting("query_lookback", duration, "5m", "How far back a query looks for a series' last sample."),
    Setting("query_timeout", duration, "2m", "How long a query may take."),
    Setting("query_samples", count, 50_000_000, "Most samples that one query may read."),
    Setting("query_concurrency", count, 20, "Most queries at once, waiting ones included."),
    Setting("expose", tags, [], "Selectors of series that /metrics gives besides its own.", '["{__name__=~"shop.*"}"]'),
    Setting("alertmanagers", http_urls, [], "Alertmanagers that are told what fires.", '["http://127.0.0.1:9093"]', True),
    Setting("alertmanager_user", text, "", "User for basic authentication at them; one in an address goes before it."),
    Setting("alertmanager_password", text, "", "Password for basic authentication at them.", "", True),
    Setting("alertmanager_password_file", path, "", "File that holds it, read at every post."),
    Setting("alertmanager_token", text, "", "Bearer token for them.", "", True),
    Setting("alertmanager_token_file", path, "", "File that holds it, read at every post."),
    Setting("log_level", word("debug", "info", "warning", "error"), "info", "How much the collector says on standard error."),
)

SCRAPE: tuple[Setting, ...] = (
    Setting("url", http_url, "", "Where the exposition is read, as http://host:port/metrics."),
    Setting("job", text, "", "The job tag of all its series; empty: the host part of the address."),
    Setting("interval", duration, "15s", "Time between two scrapes."),
    Setting("timeout", duration, "10s", "How long one scrape may take."),
    Setting("labels", tags, {}, "Further tags of all its series.", '{ env = "prod" }'),
    Setting("honor_labels", flag, False, "Whether the target's own job and instance tags win over ours."),
    Setting("honor_timestamps", flag, True, "Whether a sample's own time counts, and not that of the scrape."),
    Setting("targets", texts, [], "Further targets, as host:port.", '["web1:9100", "web2:9100"]'),
    Setting(
        "file_sd", texts, [], "JSON and YAML files of targets, by globs; read again when they change.", '["/etc/targets/*.json"]'
    ),
    Setting("http_sd", http_urls, [], "Addresses that answer with targets as JSON.", '["http://inventory/targets"]'),
    Setting("sd_refresh", duration, "1m", "Time between two questions to http_sd; files are looked at every 5s."),
    Setting("scheme", word("http", "https"), "http", "How targets that are no address of their own are reached."),
    Setting("metrics_path", text, "/metrics", "Path at which they are read."),
    Setting("params", tags, {}, "Query parameters of their address.", '{ module = "http_2xx" }'),
    Setting("relabel", relabel, [], "Rules that keep, drop and rewrite targets, as Prometheus' relabel_configs."),
    Setting(
        "metric_relabel",
        relabel,
        [],
        "The same for series, once for each new one.",
        '[{ source_labels = ["__name__"], regex = "go_.*", action = "drop" }]',
    ),
    Setting("histograms", flag, False, "Whether classic histograms also become distributions, under the family's name."),
    Setting("native_histograms", flag, False, "Whether protobuf is asked for first, which carries native histograms."),
    Setting("user", text, "", "User for basic authentication."),
    Setting("password", text, "", "Password for basic authentication.", "", True),
    Setting("password_file", path, "", "File that holds it, read at every scrape."),
    Setting("bearer_token", text, "", "Bearer token sent to targets.", "", True),
    Setting("bearer_token_file", path, "", "File that holds it, read at every scrape."),
    Setting("sd_user", text, "", "User for basic authentication at http_sd; without any, what stands in its address."),
    Setting("sd_password", text, "", "Password for basic authentication at http_sd.", "", True),
    Setting("sd_password_file", path, "", "File that holds it, read at every question."),
    Setting("sd_bearer_token", text, "", "Bearer token sent to http_sd.", "", True),
    Setting("sd_bearer_token_file", path, "", "File that holds it, read at every question."),
    Setting("ca_file", path, "", "Certificates that https trusts; empty: the system's."),
    Setting("cert_file", path, "", "Certificate that is shown to targets."),
    Setting("key_file", path, "", "Its key; empty: it stands in cert_file."),
    Setting("server_name", text, "", "Name that a target's certificate must have; empty: that of its address."),
    Setting("insecure_skip_verify", flag, False, "Whether any certificate will do."),
    Setting("body_size_limit", size, "0", "Most bytes of an answer; 0: 32 MiB, which is the most there is."),
    Setting("target_limit", count_or_none, 0, "Most targets after relabelling; with more, none of them is scraped."),
    Setting("sample_limit", count_or_none, 0, "Most samples of an answer after relabelling; more make the scrape fail."),
    Setting("label_limit", count_or_none, 0, "Most labels of a series, its name among them."),
    Setting("label_name_length_limit", count_or_none, 0, "Most characters of a label's name."),
    Setting("label_value_length_limit", count_or_none, 0, "Most characters of a label's value."),
)

DERIVED: tuple[Setting, ...] = (
    Setting("name", text, "", "The name of the derived series."),
    Setting(
        "formula", formula, "", "Metric names, numbers, + - * / and parentheses.", "cache.hits / (cache.hits + cache.misses)"
    ),
    Setting("window", duration, "1m", "The window over which counters enter the formula."),
    Setting("unit", text, "", "Unit of the result, for axes: percent, ratio, ms, bytes …"),
)

PIPELINE: tuple[Setting, ...] = (
    Setting("add", tags, {}, "Tags for series that have none of that name.", '{ environment = "production" }'),
    Setting("set", tags, {}, "Tags that series get whatever they had.", '{ team = "shop" }'),
    Setting("rename", tags, {}, "Names of tags, and what they are called then.", '{ host = "node" }'),
    Setting("remove", tags, [], "Names of tags that are left out.", '["pod_uid"]'),
    Setting("drop", text, "", "Series that are not taken, by a selector.", '{__name__=~"debug[.].*"}'),
    Setting("thin", share, 0.0, "Share of increments and observations that is taken, each for those left out; 0: no such step."),
    Setting("where", text, "", "Series that the step is for; empty: all.", '{service="cart"}'),
)

EXPORT: tuple[Setting, ...] = (
    Setting("kind", word("remote_write", "otlp", "statsd", "pushgateway"), "remote_write", "How it is spoken to."),
    Setting("url", text, "", "Where it goes: http://…, and for StatsD udp://host:8125, tcp:// or unix:///path."),
    Setting("selector", text, "", "Series that go there; empty: all.", '{__name__=~"shop.*"}'),
    Setting("protocol", text, "", "otlp: grpc or http; statsd: dogstatsd or statsd; empty: the first."),
    Setting("signals", tags, [], "What goes by OTLP; empty: metrics, traces and logs.", '["traces"]'),
    Setting("tags", tags, {}, "Further tags of all that goes there.", '{ env = "prod" }'),
    Setting("headers", tags, {}, "Headers of every request: the tenant.", '{ X-Scope-OrgID = "shop" }', True),
    Setting("token", text, "", "Bearer token that is sent with every request.", "", True),
    Setting("queue", size, "256 MiB", "Most bytes that wait on disk, of each signal; the oldest go first."),
    Setting("interval", duration, "15s", "Time between two pushes to a Pushgateway."),
)

TABLES: dict[str, tuple[Setting, ...]] = {
    "scrape": SCRAPE,
    "derived": DERIVED,
    "pipeline": PIPELINE,
    "export": EXPORT,
    "receiver": RECEIVER,
    "route": ROUTE,
    "inhibit": INHIBIT,
    "times": TIMES,
}
"""Settings that are lists of tables: [[scrape]], [[derived]] and so on."""

REQUIRED: dict[str, tuple[str, ...]] = {
    "derived": ("name", "formula"),
    "export": ("kind", "url"),
    "receiver": ("name", "type"),
    "inhibit": ("source", "target"),
    "times": ("name",),
}

ONE_OF: dict[str, tuple[str, ...]] = {"scrape": ("url", "targets", "file_sd", "http_sd")}
"""Of which every table needs at least one."""

BY_NAME: dict[str, Setting] = {setting.name: setting for setting in SETTINGS}
