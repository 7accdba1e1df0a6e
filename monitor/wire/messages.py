"""Messages of subprotocol `lightship.v1`. Numbers travel as columns: raw little-endian bytes in MessagePack, lists in JSON.

Every message is a map with a `type`. Times are seconds since the epoch, durations seconds. A missing number is NaN in a
column (null in JSON). `docs/protocol.md` is the specification.
"""

from __future__ import annotations

from typing import Any

import msgspec

from monitor.alerting.model import AckUntil, Alert, Event, Rule, RuleFile, RuleProblem, Schedule, Silence
from monitor.model.matchers import Matcher
from monitor.wire.asking import Find as Find
from monitor.wire.asking import HistogramCell as HistogramCell
from monitor.wire.asking import Query as Query
from monitor.wire.asking import QueryResult as QueryResult
from monitor.wire.backtest import BacktestRule as BacktestRule
from monitor.wire.base import F64 as F64
from monitor.wire.base import I32 as I32
from monitor.wire.base import Message as Message
from monitor.wire.base import Request as Request
from monitor.wire.base import tag
from monitor.wire.exemplars import ExemplarInfo as ExemplarInfo
from monitor.wire.exemplars import ExemplarsFound as ExemplarsFound
from monitor.wire.exemplars import GetExemplars as GetExemplars
from monitor.wire.telling import PreviewRoutes as PreviewRoutes
from monitor.wire.telling import TryReceiver as TryReceiver
from monitor.wire.tracing import FindLogs as FindLogs
from monitor.wire.tracing import FindTraces as FindTraces
from monitor.wire.tracing import GetServices as GetServices
from monitor.wire.tracing import GetTrace as GetTrace
from monitor.wire.tracing import LogInfo as LogInfo
from monitor.wire.tracing import LogsFound as LogsFound
from monitor.wire.tracing import ServiceOperations as ServiceOperations
from monitor.wire.tracing import ServicesFound as ServicesFound
from monitor.wire.tracing import SpanInfo as SpanInfo
from monitor.wire.tracing import TraceFound as TraceFound
from monitor.wire.tracing import TracesFound as TracesFound
from monitor.wire.tracing import TraceSummary as TraceSummary

# ---------------------------------------------------------------- collector to client


class Hello(Message, frozen=True, tag=tag):
    """First message. `boot` changes at each start of the collector; `interval` is the tick; `read_only`: commands are refused.

    `recent` is how many seconds of history `history` can answer at most; `since` the time of the oldest data there are.
    `rewound`: the moment of the past this connection looks at, 0 where it is live.
    """

    version: str
    name: str
    boot: str
    time: float
    interval: float
    windows: tuple[float, ...]
    recent: float
    http: str = ""
    statsd: str = ""
    who: str = ""
    read_only: bool = False
    since: float = 0.0
    rewound: float = 0.0


class SeriesEntry(msgspec.Struct, frozen=True, array_like=True):
    """One series: its row, name, tags as alternating name and value, kind number and unit."""

    row: int
    name: str
    tags: tuple[tuple[str, str], ...]
    kind: int
    unit: str = ""


class Series(Message, frozen=True, tag=tag):
    """Rows given out and given up since `since`; `since` 0: the whole table.

    A row means this series until it is gone or given anew. `more`: this is a part, and `revision` counts only once the
    last part has come.
    """

    revision: int
    since: int
    added: tuple[SeriesEntry, ...]
    gone: tuple[int, ...] = ()
    more: bool = False


class Frame(Message, frozen=True, tag=tag):
    """One tick for one subscription: `columns[i]` holds field i of the subscription for `rows`.

    `rows` is left out when it equals that of the subscription's frame before.
    `skipped`: frames this client missed because it was slow.
    """

    sub: int
    time: float
    columns: tuple[F64, ...]
    rows: I32 | None = None
    skipped: int = 0


class History(Message, frozen=True, tag=tag):
    """Backfill of a subscription, or the answer to a `history_query`: `columns[i]` is field i, row-major [rows, times]."""

    sub: int
    times: F64
    rows: I32
    columns: tuple[F64, ...]
    step: float
    id: int = 0


class Alerts(Message, frozen=True, tag=tag):
    """Alerts and silences changed since `since` (0: all of them); `removed` ids of alerts that are forgotten."""

    revision: int
    since: int
    time: float
    alerts: tuple[Alert, ...] = ()
    silences: tuple[Silence, ...] = ()
    removed: tuple[str, ...] = ()


class GroupRule(msgspec.Struct, frozen=True):
    """A rule of a Prometheus rule file and how it fares: `state` inactive, pending or firing, `active` alerts, why it fails.

    `line` of the rule in its file, from 1. `alert` False: it records `expr` as the series `name`.
    """

    file: str
    line: int
    group: str
    name: str
    expr: str
    alert: bool = False
    for_seconds: float = 0.0
    state: str = "inactive"
    active: int = 0
    error: str = ""


class Rules(Message, frozen=True, tag=tag):
    """All rules in force and their files, sent whole at each change (rules are few).

    `groups`: all rules of Prometheus files and how they fare. `told`: the alerting ones among them as rules, by which alerts are
    looked up (an alert's `rule_id` is the id of one of `rules` or `told`).
    """

    revision: int
    rules: tuple[Rule, ...]
    files: tuple[RuleFile, ...]
    groups: tuple[GroupRule, ...] = ()
    told: tuple[Rule, ...] = ()


class Events(Message, frozen=True, tag=tag):
    """Events with ids rising, oldest first."""

    events: tuple[Event, ...]


class Health(Message, frozen=True, tag=tag):
    """The collector on itself, once a tick: names as at /metrics, without the `lightship_` prefix.

    `notes` are sentences for `status`: first malformed lines, targets that do not answer, limits that are reached.
    """

    time: float
    values: dict[str, float]
    notes: tuple[str, ...] = ()


class Reply(Message, frozen=True, tag=tag):
    """Answer to the request with this id. `error` says what, why and what to do. `result` depends on the request."""

    id: int
    error: str = ""
    result: Any = None


# ---------------------------------------------------------------- client to collector


class Resume(Request, frozen=True, tag=tag):
    """First message of a client: what it has already, of the boot named. Answered by what it lacks.

    `at` above 0: this connection looks at the past. It gets a second `hello` whose `rewound` is that time, and then series,
    frames, alerts and rules as they were then, going on at `speed` (seconds a second; 0 stands still). Commands are refused.
    """

    boot: str = ""
    series: int = 0
    alerts: int = 0
    rules: int = 0
    events: int = 0
    client: str = ""
    who: str = ""
    series_wanted: bool = True
    at: float = 0.0
    speed: float = 0.0


class Subscribe(Request, frozen=True, tag=tag):
    """Frames of the series that `selector` selects: one column a field, over `window` seconds. Result: {"rows": n}.

    `since`: send `history` from then on first, at `step` seconds or coarser (0: no backfill; below 0: so many seconds back
    from the collector's now). `limit` > 0 keeps only the
    `limit` rows with the largest first field, chosen anew every 10 s. `every`: one frame in so many ticks.
    The request's id is the subscription's number; subscribing again with it replaces it.
    """

    selector: str
    fields: tuple[str, ...]
    window: float = 60.0
    since: float = 0.0
    step: float = 1.0
    limit: int = 0
    every: int = 1


class Unsubscribe(Request, frozen=True, tag=tag):
    sub: int


class Get(Request, frozen=True, tag=tag):
    """Values now. Result: list of {name, tags, kind, unit, fields: {field: number or null}}."""

    selector: str
    fields: tuple[str, ...]
    window: float = 60.0
    limit: int = 1000


class HistoryQuery(Request, frozen=True, tag=tag):
    """Answered by a `history` message with this id, or a `reply` with an error."""

    selector: str
    fields: tuple[str, ...]
    start: float
    end: float
    window: float = 60.0
    step: float = 1.0
    limit: int = 50


class Seek(Request, frozen=True, tag=tag):
    """Where the connection looks at the past (`resume.at`): go to `time` (0: stay), then on at `speed` (0: stand still).

    Answered by a `reply`; at another time everything is told anew before it, under another `boot`. Until then `health`
    has the figure `rewind_progress`, from 0 to 1, as it has after `resume`.
    """

    time: float
    speed: float = 0.0


class Status(Request, frozen=True, tag=tag):
    """Result: the fields of `health` and `hello` together."""


class Acknowledge(Request, frozen=True, tag=tag):
    """Acknowledge alerts by id. Result: {"acknowledged": [ids]}.

    `until` "change": it ends too when an alert gets worse, or another of its group begins.
    """

    alerts: tuple[str, ...]
    who: str
    note: str = ""
    expires: float | None = None
    until: AckUntil = "resolved"


class Release(Request, frozen=True, tag=tag):
    """Take acknowledgements back. Result: {"released": [ids]}."""

    alerts: tuple[str, ...]
    who: str


class AddSilence(Request, frozen=True, tag=tag):
    """Result: {"silence": id, "matched": [alert ids]}.

    `schedule` makes it a maintenance window, which holds only then; `end_when_idle` and `warn_before` as in a silence. `guard`:
    refuse it where it would keep very many firing alerts quiet; the error says how many.
    """

    matchers: tuple[Matcher, ...]
    starts: float
    ends: float
    comment: str
    who: str
    end_when_resolved: bool = False
    schedule: Schedule | None = None
    end_when_idle: float = 0.0
    warn_before: float = 600.0
    guard: bool = False


class EditSilence(Request, frozen=True, tag=tag):
    """Change a silence, or renew one that is over; what is null stays. Result: {"silence": id of the one that holds now}.

    With other matchers, or where it was over, it becomes a new one and the old one ends.
    """

    silence: str
    who: str
    matchers: tuple[Matcher, ...] | None = None
    ends: float | None = None
    comment: str | None = None
    guard: bool = False


class Assign(Request, frozen=True, tag=tag):
    """Alerts are `person`'s to see to ("": nobody's). Result: {"assigned": [ids]}."""

    alerts: tuple[str, ...]
    person: str
    who: str


class WhyPaged(Request, frozen=True, tag=tag):
    """Why somebody was, or was not, told of an alert. Result: {"steps": [{title, detail, verdict, action}]}, in order."""

    alert: str


class GetIncidents(Request, frozen=True, tag=tag):
    """Alerts that belong together. Result: {"incidents": [incident]}, those that go on first, then those that ended lately."""


class GetNoise(Request, frozen=True, tag=tag):
    """How noisy each rule was over the last `seconds`.

    Result: {"rules": [{rule, fired, acted, ignored, flapped, median, suggestions}]}.
    """

    seconds: float = 604_800.0


class ExpireSilence(Request, frozen=True, tag=tag):
    """Result: {"expired": id}."""

    silence: str
    who: str


class AddNote(Request, frozen=True, tag=tag):
    """A note on an alert, kept in its history."""

    alert: str
    text: str
    who: str


class AddEvent(Request, frozen=True, tag=tag):
    """Tell a deploy, a change, an incident or another event (`kind`): it is marked on every chart. `at` 0: now."""

    text: str
    who: str
    kind: str = "event"
    at: float = 0.0
    tags: tuple[tuple[str, str], ...] = ()


class CheckRules(Request, frozen=True, tag=tag):
    """Whether this text would be accepted as this file. Result: {"problems": [RuleProblem]}."""

    file: str
    text: str


class SaveRules(Request, frozen=True, tag=tag):
    """Write the file. `base` is the revision it was edited from.

    On a conflict nothing is written and the error says who was first.

    Result: {"revision": n}, or {"problems": […]} with an error.
    """

    file: str
    text: str
    base: int
    who: str


class EnableRule(Request, frozen=True, tag=tag):
    """Switch one rule on or off; the file is edited with comments and order intact."""

    rule: str
    enabled: bool
    who: str


class DeleteRule(Request, frozen=True, tag=tag):
    rule: str
    who: str


Found = TracesFound | TraceFound | LogsFound | ServicesFound | ExemplarsFound
"""Answers to what is asked of traces, logs and exemplars."""
Asked = Query | Find | FindTraces | GetTrace | FindLogs | GetServices | GetExemplars
"""Questions: they change nothing, and may take their time."""
ServerMessage = Hello | Series | Frame | History | QueryResult | Found | Alerts | Rules | Events | Health | Reply
ClientMessage = (
    Resume
    | Subscribe
    | Unsubscribe
    | Get
    | HistoryQuery
    | Query
    | Find
    | FindTraces
    | GetTrace
    | FindLogs
    | GetServices
    | GetExemplars
    | Seek
    | Status
    | Acknowledge
    | Release
    | AddSilence
    | EditSilence
    | ExpireSilence
    | Assign
    | WhyPaged
    | GetIncidents
    | GetNoise
    | AddNote
    | AddEvent
    | BacktestRule
    | CheckRules
    | SaveRules
    | EnableRule
    | DeleteRule
    | TryReceiver
    | PreviewRoutes
)

__all__ = [name for name, value in list(globals().items()) if isinstance(value, type) and issubclass(value, Message)] + [
    "Asked",
    "ClientMessage",
    "F64",
    "Found",
    "GroupRule",
    "HistogramCell",
    "I32",
    "RuleProblem",
    "SeriesEntry",
    "ServerMessage",
]
