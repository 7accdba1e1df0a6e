"""Pictures by hand: the shop of the design's target screens, for painters to be held against."""

from __future__ import annotations

import numpy as np

from ui.views.theme import SHAPES
from ui.views.view import (
    AlertDetail,
    AlertRow,
    AlertsView,
    Banner,
    ChartView,
    EventRow,
    ExploreView,
    Floats,
    FrameView,
    KeyHint,
    Line,
    Marker,
    OverviewView,
    Page,
    Picture,
    ProblemRow,
    ProcessRow,
    RuleEditorView,
    RuleRow,
    RulesView,
    SeriesRow,
    Shape,
    SilenceDraftView,
    Stat,
    StatusItem,
    Tab,
    Text,
    Threshold,
    Tick,
    TimeView,
    Value,
    WhyRow,
)

NOW = 1_791_987_696.0
MARKS: dict[str, Shape | None] = {"c": "critical", "w": "warning", ".": None, "n": "unknown", "s": "silenced"}


def strip(text: str) -> tuple[Shape | None, ...]:
    """`...w..c` as blocks of a firing strip."""
    return tuple(MARKS[c] for c in text)


def series(before: float, after: float, seed: int = 1) -> tuple[Floats, Floats]:
    """Half an hour with an onset, one point every five seconds."""
    times = NOW - 1800 + np.arange(0, 1800, 5.0)
    share = 1 / (1 + np.exp(-(times - NOW + 1000) / 40))
    noise = 1 + 0.05 * np.sin(times * 0.11 + seed) * np.cos(times * 0.031 * seed)
    return times, (before + (after - before) * share) * noise


def chart(name: str, last: Value, lines: int = 1, *, limit: bool = False, top: float = 3.0, unit: str = "%") -> ChartView:
    """A chart card of half an hour."""
    made = []
    for i in range(lines):
        times, values = series(0.11 + 0.4 * i, 1.75 + 0.3 * i, i + 1)
        colour = "critical" if limit else f"series-{i + 1}"
        made.append(Line(f"line{i + 1}", times, values, colour, last))
    return ChartView(
        id=name,
        title=name,
        sentence=(Text("1 in 57 requests fails;", strong=True), Text(" above 1 % for 15 min 12 s.")),
        last=last,
        lines=tuple(made),
        x=(NOW - 1800, NOW),
        y=(0.0, top),
        x_ticks=tuple(Tick(NOW - 1800 + 276 + 300 * i, f"13:{55 + 5 * i}" if i == 0 else f"14:{5 * i - 5:02}") for i in range(6)),
        y_ticks=(Tick(0.0, f"0 {unit}"), Tick(1.0, f"1 {unit}"), Tick(3.0, f"3 {unit}")),
        threshold=(Threshold(1.0, "limit 1 %", "critical"),) if limit else (),
        markers=(Marker(NOW - 1100, "Deploy orders 2.31.0"),),
    )


def frame(page: Page = "overview", banner: Banner | None = None) -> FrameView:
    """Seven alerts firing at harbour-1."""
    return FrameView(
        tabs=(
            Tab("overview", "1", "Overview"),
            Tab("explore", "2", "Explore"),
            Tab("alerts", "4", "Alerts", "7", "critical"),
            Tab("rules", "5", "Rules"),
        ),
        page=page,
        subtitle="",
        collector="harbour-1",
        who="Mira",
        time=TimeView(
            "live",
            "30 m",
            ("30 m", "1 h"),
            "14:21:36",
            "Wed 14 Oct · UTC",
            "",
            (*((None, i / 48) for i in range(47)), ("critical", 1.0)),
        ),
        banner=banner,
        toast=None,
        status=(
            StatusItem("1 Hz", "ok"),
            StatusItem("41 ms behind"),
            StatusItem("9,412 series"),
            StatusItem("late 3"),
            StatusItem("dropped 0"),
            StatusItem("stale 2", "unknown"),
        ),
        hints=(
            KeyHint("space", "pause", "time.pause"),
            KeyHint("/", "filter", "filter.focus"),
            KeyHint(":", "commands", "palette.open"),
            KeyHint("?", "keys", "help.open"),
        ),
        connected=True,
    )


def alert(
    i: int, name: str, where: str, value: str, shape: Shape = "critical", *, marked: bool = False, acked: str = ""
) -> AlertRow:
    """A firing alert."""
    number, _, unit = value.partition(" ")
    blocks = strip("...w..................wc")
    return AlertRow(
        f"a{i}", shape, shape, "firing", name, where, Value(number, unit), "1 %", f"{11 + i} min", acked, blocks, marked=marked
    )


def alert_rows() -> tuple[AlertRow, ...]:
    return (
        alert(1, "Queries are slow", "orders-db", "1.86 s", acked="Mira"),
        alert(2, "Checkout fails", "checkout", "18.4 %", marked=True),
        alert(3, "Orders time out", "orders", "11.2 %", marked=True),
        alert(4, "Budget burns 17.5×", "objective", "17.5×"),
        alert(5, "Error ratio", "edge", "1.75 %", "warning", marked=True),
        alert(6, "Provider latency", "payments", "902 ms", "warning"),
        alert(7, "Host is silent", "pick-07", "", "unknown"),
    )


def series_row(i: int, name: str, shape: Shape = "ok", picked: str = "") -> SeriesRow:
    spark = np.abs(np.sin(np.arange(60.0) / (3 + i)))
    return SeriesRow(i, name, "service=shop", "gauge", Value(f"{100 + i * 37}", "ms"), Value("12", "/s"), spark, shape, picked)


def series_rows(count: int = 10) -> tuple[SeriesRow, ...]:
    return tuple(series_row(i, f"http.request.duration.{i}", SHAPES[3]) for i in range(count))


def overview() -> Picture:
    """The incident of the target picture."""
    empty: Floats = np.empty(0)
    stats = (
        Stat("Requests", Value("1,284", "/s"), "3 % below 1 h ago", empty),
        Stat("Errors", Value("1.75", "%", "critical"), "was 0.11 %", empty, "critical"),
        Stat("Latency p99", Value("2.41", "s", "critical"), "was 312 ms", empty, "critical"),
        Stat("orders-db p95", Value("1.86", "s", "critical"), "was 8.4 ms", empty, "critical"),
        Stat("Shop budget", Value("31.4", "%", "warning"), "lasts 12 h 55 min", empty, "warning"),
        Stat("Hosts", Value("23", "of 24", "unknown"), "pick-07 is silent", empty, "unknown"),
    )
    view = OverviewView(
        headline=Banner(
            "critical",
            "Checkout is failing 1 in 5 orders because orders-db holds locks",
            "Since 14:03:40, 22 s after deploy orders 2.31.0. 6 alerts. Mira has it since 14:09.",
            "page.alerts",
            "open",
        ),
        quiet="",
        stats=stats,
        charts=(
            chart("Requests", Value("1,284", "/s"), 4),
            chart("Errors", Value("1.75", "%", "critical"), limit=True),
            chart("Checkout latency", Value("2.41", "s"), 2),
            chart("orders-db query time, p95", Value("1.86", "s")),
        ),
        busiest=series_rows(),
        firing=alert_rows()[:3],
        firing_title="7 alerts, 1 with an owner",
        events=(
            EventRow("14:17", "host", (Text("pick-07 stopped sending"),)),
            EventRow("14:12", "note", (Text("Jonas: rolling back"),)),
            EventRow("14:09", "ack", (Text("Mira acknowledged Queries are slow"),)),
        ),
        processes=(ProcessRow("postgres", "12", Value("81", "%"), Value("4.1", "GiB")),),
        cores=(20.0, 90.0, 40.0, 10.0),
        cores_title=(Text("4 cores, 40 % busy"),),
        collector=(("Series", Value("9,412")),),
        empty=None,
    )
    return Picture(frame(), overview=view)


def alerts(draft: SilenceDraftView | None = None) -> Picture:
    """The alert list of the target picture."""
    rows = alert_rows()
    detail = AlertDetail(
        id="a5",
        shape="warning",
        title="Error ratio",
        subtitle="edge",
        sentence=(Text("1.75 % of requests fail;", strong=True), Text(" limit 1 %, since 14:06:24 (15 min 12 s).")),
        chart=chart("Error ratio", Value("1.75", "%", "critical"), limit=True),
        labels=(("service", "edge"),),
        why=(
            WhyRow("ok", "rule fired 14:06:24", ""),
            WhyRow("ok", "no silence matches", ""),
            WhyRow("warning", "told at 14:07", "next reminder 15:07"),
        ),
        history=(),
        runbook_url="https://example.org/runbook",
    )
    view = AlertsView(
        groups=(("Firing", 7), ("Pending", 1), ("Silenced", 4), ("Resolved", 12), ("Silences", 2)),
        group="Firing",
        rows=rows,
        cursor=4,
        marked=3,
        filter="",
        filter_error="",
        sort="severity",
        detail=detail,
        draft=draft,
        silences=(),
    )
    return Picture(frame("alerts"), alerts=view)


def silence_draft() -> SilenceDraftView:
    """Three alerts about to be silenced, the reason still missing."""
    return SilenceDraftView(
        matchers='service=~"checkout|orders"',
        duration="2h",
        until="until 16:21",
        end_when_resolved=False,
        reason="",
        chips=("service =~ checkout|orders",),
        preview_title="Silences 2 alerts firing now",
        preview=alert_rows()[1:3],
        preview_note="It would have kept back 4 notifications in the last 7 days.",
        button="Silence 2 alerts",
        error="Say why: the others read it.",
    )


def explore() -> Picture:
    """Two series on the chart, the crosshair in the middle."""
    view = ExploreView(
        search="http",
        search_error="",
        results=tuple(series_row(i, f"http.request.duration.{i}", "ok", f"series-{i + 1}" if i < 2 else "") for i in range(14)),
        found="14 of 9,412 series",
        cursor=1,
        picked=(),
        window="5 m",
        windows=("1 m", "5 m", "15 m", "1 h"),
        field="p99",
        fields=("last", "p50", "p99"),
        chart=chart("http.request.duration", Value("902", "ms"), 2, unit="ms"),
        table=(
            ("http.request.duration.0", "series-1", Value("100", "ms"), Value("90", "ms"), Value("95", "ms"), Value("120", "ms")),
            ("http.request.duration.1", "series-2", Value("137", "ms"), Value("90", "ms"), Value("95", "ms"), Value("140", "ms")),
        ),
        crosshair=NOW - 900,
        readout=("14:06:36", (("http.request.duration.0", "series-1", Value("1.2", "ms")),)),
        frozen=False,
    )
    return Picture(frame("explore"), explore=view)


RULE = """[[rule]]
id = "high_error_rate"
metric = "shop.errors"
condition = { type = "threshold", operator = "gt", value = 1 }
severity = "critical"
"""


def rules(*, editing: bool = False, problem: bool = False) -> Picture:
    """Two rules, the first in the editor."""
    problems = (ProblemRow(3, 12, 4, "`oprator` is not a key of a condition.", "operator"),) if problem else ()
    editor = RuleEditorView(
        file="shop.toml",
        rule_id="high_error_rate",
        text=RULE,
        text_revision=1,
        cursor_line=0,
        changed_lines=(3,),
        problems=problems,
        sentence=(Text("Fires when the error ratio is above 1 % in the last 5 minutes."),),
        now=Value("1.75", "%", "critical"),
        now_note="",
        chart=chart("Error ratio", Value("1.75", "%", "critical"), limit=True),
        dirty=True,
        can_save=not problem,
        button="Line 4 is in the way" if problem else "Save 1 changed line",
    )
    rows = (
        RuleRow("high_error_rate", "Checkout fails", "shop.toml", "critical", True, 3, "errors above 1 % in 5 min", True),
        RuleRow("disk", "Disk is filling", "host.toml", "ok", True, 0, "used above 90 %"),
        RuleRow("old", "Old rule", "host.toml", "silenced", False, 0, "used above 95 %"),
    )
    return Picture(frame("rules"), rules=RulesView(rows, 0, "", "3 rules in 2 files", editor, editing))
