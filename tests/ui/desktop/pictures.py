"""Hand-made pictures and a session that shows them and writes down what it is told."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ui.views import view as v
from ui.views.context import DESKTOP, Profile
from ui.views.session import TYPING_KEYS

NOW = 1_791_987_696.0
TABS = (
    v.Tab("overview", "1", "Overview"),
    v.Tab("explore", "2", "Explore"),
    v.Tab("alerts", "4", "Alerts", "3", "critical"),
    v.Tab("rules", "5", "Rules"),
)
QUIET: tuple[v.Shape | None, ...] = (None,) * 20
STRIP: tuple[v.Shape | None, ...] = (*QUIET, "warning", None, "silenced", "critical")


def wave(count: int = 600, level: float = 40.0, seed: int = 1) -> tuple[v.Floats, v.Floats]:
    """Times of the last half hour and a wandering line."""
    rng = np.random.default_rng(seed)
    times: v.Floats = NOW - 1800.0 + np.arange(count, dtype=np.float64) * (1800.0 / count)
    return times, level + np.cumsum(rng.normal(0, 0.6, count))


def chart(name: str = "cpu", lines: int = 2, count: int = 600, **changes: Any) -> v.ChartView:
    """A chart with lines, a limit, a gap and a marker."""
    made = []
    for number in range(lines):
        times, values = wave(count, 25.0 + 12.0 * number, number + 1)
        made.append(v.Line(f"core {number}", times, values, f"series-{number % 8 + 1}", v.Value("40.1", "%"), 0))
    base = v.ChartView(
        id=name,
        title=f"{name} busy",
        sentence=(v.Text("42.1 % busy", True), v.Text(", as an hour ago; nothing else stands out on this machine today.")),
        last=v.Value("42.1", "%"),
        lines=tuple(made),
        x=(NOW - 1800.0, NOW),
        y=(0.0, 100.0),
        x_ticks=tuple(v.Tick(NOW - 1800 + 300 * i, f"14:{i * 5:02}") for i in range(7)),
        y_ticks=tuple(v.Tick(20.0 * i, f"{20 * i} %") for i in range(6)),
        threshold=(v.Threshold(80.0, "limit 80 %", "critical"),),
        markers=(v.Marker(NOW - 900.0, "deploy"),),
        gaps=((NOW - 1200.0, NOW - 1100.0, "no data"),),
    )
    return replace(base, **changes)


def alert(number: int = 0, **changes: Any) -> v.AlertRow:
    base = v.AlertRow(
        id=f"a{number}",
        shape="critical",
        severity="critical",
        state="firing",
        name=f"Checkout fails {number}",
        where="service=checkout",
        value=v.Value("18.4", "%", "critical"),
        limit="over 2 %",
        age="15 min",
        acked_by="",
        strip=STRIP,
    )
    return replace(base, **changes)


def series(number: int = 0, **changes: Any) -> v.SeriesRow:
    base = v.SeriesRow(
        row=number,
        name=f"shop.requests.{number}",
        tags="service=checkout, env=prod",
        kind="counter",
        value=v.Value("1,284", "/s"),
        rate=v.Value("1.0", "/s"),
        spark=wave(60, 10.0, number + 3)[1],
        strip=STRIP,
    )
    return replace(base, **changes)


def frame(page: v.Page = "overview", **changes: Any) -> v.FrameView:
    base = v.FrameView(
        tabs=TABS,
        page=page,
        subtitle="harbour-1",
        collector="harbour-1",
        who="Mira Okafor",
        time=v.TimeView("live", "30 m", ("5 m", "15 m", "30 m", "1 h"), "14:21:36", "Wed 14 Oct · UTC", "", ((None, 0.4),) * 48),
        banner=None,
        toast=None,
        status=(
            v.StatusItem("harbour-1", "ok"),
            v.StatusItem("9,412 series"),
            v.StatusItem("late 3", help="Points that came late."),
        ),
        hints=(
            v.KeyHint("Space", "pause", "time.pause"),
            v.KeyHint("/", "filter", "filter.focus"),
            v.KeyHint("?", "keys", "help.open"),
        ),
        connected=True,
    )
    return replace(base, **changes)


def overview(**changes: Any) -> v.OverviewView:
    base = v.OverviewView(
        headline=v.Banner("critical", "Checkout fails", "18.4 % fail since 14:06. 3 alerts.", "open", "Open alert"),
        quiet="",
        stats=tuple(v.Stat(f"Figure {i}", v.Value("42.1", "%"), "as 1 h ago", wave(60, 5.0, i)[1]) for i in range(6)),
        charts=tuple(chart(f"chart {i}") for i in range(4)),
        busiest=tuple(series(i) for i in range(8)),
        firing=tuple(alert(i, acked_by="Mira" if i else "") for i in range(3)),
        firing_title="3 alerts",
        events=tuple(
            v.EventRow(f"14:0{i}", "ack", (v.Text("Mira", True), v.Text(" acknowledged Checkout fails"))) for i in range(5)
        ),
        processes=tuple(v.ProcessRow(f"postgres {i}", f"80{i}", v.Value("12", "%"), v.Value("410", "MiB")) for i in range(6)),
        cores=(94.0, 41.0, float("nan"), 12.0),
        cores_title=(v.Text("core 0 is at 94 %", True),),
        collector=(("Series", v.Value("9,412")), ("Tick", v.Value("8.4", "ms"))),
        empty=None,
    )
    return replace(base, **changes)


def explore(**changes: Any) -> v.ExploreView:
    base = v.ExploreView(
        search="",
        search_error="",
        results=tuple(series(i, picked="series-1" if i == 0 else "") for i in range(30)),
        found="30 of 9,412 series",
        cursor=0,
        picked=(series(0, picked="series-1"),),
        window="5 m",
        windows=("1 m", "5 m", "15 m", "1 h"),
        field="rate",
        fields=("value", "rate", "per_minute", "sum", "count"),
        chart=chart("explore"),
        table=(("shop.requests.0", "series-1", *(v.Value("1,284", "/s"),) * 4),),
        crosshair=None,
        readout=None,
        frozen=False,
    )
    return replace(base, **changes)


def draft(**changes: Any) -> v.SilenceDraftView:
    base = v.SilenceDraftView(
        matchers='service="checkout"',
        duration="45m",
        until="until 15:06",
        end_when_resolved=True,
        reason="",
        chips=('service="checkout"',),
        preview_title="Silences 2 alerts firing now, and 3 of 12 rules could match.",
        preview=(alert(0), alert(1)),
        preview_note="Queries are slow still tells people.",
        button="Silence 2 alerts",
        error="Say why: the others will read it.",
    )
    return replace(base, **changes)


def alerts(**changes: Any) -> v.AlertsView:
    detail = v.AlertDetail(
        id="a0",
        shape="critical",
        title="Checkout fails 0",
        subtitle="service=checkout, 15 min",
        sentence=(v.Text("18.4 % of requests fail", True), v.Text("; above the 2 % limit for 15 min.")),
        chart=chart("alert", 1),
        labels=(("service", "checkout"), ("env", "prod")),
        why=(v.WhyRow("ok", "Rule fired", "18.4 % over 2 %"), v.WhyRow("warning", "Held back", "within its cooldown")),
        history=(v.EventRow("14:06:24", "firing", (v.Text("began to fire"),)),),
        runbook_url="https://example.org/runbook",
    )
    base = v.AlertsView(
        groups=(("Firing", 3), ("Pending", 0), ("Silenced", 1), ("Resolved", 2), ("Silences", 1)),
        group="Firing",
        rows=tuple(alert(i) for i in range(3)),
        cursor=0,
        marked=0,
        filter="",
        filter_error="",
        sort="severity",
        detail=detail,
        draft=None,
        silences=(),
    )
    return replace(base, **changes)


RULE_TEXT = (
    '[[rule]]\nid = "checkout"\nseverity = "critical"  # page\ncondition = { type = "threshold", value = 2 }\nfor = "2 m"\n'
)


def rules(text: str = RULE_TEXT, revision: int = 1, **changes: Any) -> v.RulesView:
    editor = v.RuleEditorView(
        file="shop.toml",
        rule_id="checkout",
        text=text,
        text_revision=revision,
        cursor_line=0,
        changed_lines=(3,),
        problems=(v.ProblemRow(4, 6, 5, "“2 m” has a space in it.", "Write 2m"),),
        sentence=(v.Text("Fires when more than "), v.Text("2 %", True), v.Text(" fail for 2 minutes.")),
        now=v.Value("18.4", "%", "critical"),
        now_note="would fire, firing already",
        chart=chart("rule", 1),
        dirty=True,
        can_save=False,
        button="Fix line 5 to save",
    )
    rows = (
        v.RuleRow("checkout", "Checkout fails", "shop.toml", "critical", True, 1, "over 2 % for 2 min", True),
        v.RuleRow("disk", "Disk is full", "hosts.toml", "ok", False, 0, "over 90 %"),
    )
    return replace(
        v.RulesView(rows=rows, cursor=0, filter="", title="2 rules in 2 files", editor=editor, editing=False), **changes
    )


MAKERS: dict[v.Page, Any] = {"overview": overview, "explore": explore, "alerts": alerts, "rules": rules}


def picture(page: v.Page = "overview", view: Any = None, palette: v.PaletteView | None = None, **changes: Any) -> v.Picture:
    """A picture of a page; `changes` are those of its frame."""
    shown: dict[str, Any] = {page: view if view is not None else MAKERS[page]()}
    return v.Picture(frame(page, **changes), palette=palette, **shown)


TOLD = frozenset(
    {"perform", "resize", "point", "open", "mark", "set_text", "set_flag", "submit", "choose", "zoom", "crosshair"}
    | {"changed", "enabled", "focus", "copy", "dismiss"}
)
"""Methods of a session that the widgets call and that only need to be heard here."""


@dataclass
class Focus:
    """The part of a session's context the widgets look at."""

    focus: str = ""


@dataclass
class StubSession:
    """Shows the picture it is given; `heard` is what the widgets told it."""

    shown: v.Picture = field(default_factory=picture)
    heard: list[tuple[Any, ...]] = field(default_factory=list)
    wanted: frozenset[str] | None = None
    theme: str = "dark"
    profile: Profile = DESKTOP
    hovering: bool = False
    ctx: Focus = field(default_factory=Focus)
    on_quit: Any = None
    on_open_url: Any = None
    on_copy: Any = None
    on_notify: Any = None

    def picture(self) -> v.Picture:
        return self.shown

    def key(self, key: str, typing: bool = False) -> bool:
        if typing and key not in TYPING_KEYS and ("+" not in key or key.startswith("shift+")):
            return False
        self.heard.append(("key", key, typing))
        return self.wanted is None or key in self.wanted

    def __getattr__(self, name: str) -> Any:
        if name not in TOLD:
            raise AttributeError(name)

        def hear(*what: Any) -> bool:
            self.heard.append((name, *what))
            return True

        return hear
