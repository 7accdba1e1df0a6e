"""What alerting is made of. These structs are the state that is stored, streamed and shown; behaviour is beside them."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Literal

import msgspec

from monitor.alerting.conditions import SYMBOL, Aggregate, AnyCondition, Comparison, Condition
from monitor.alerting.flapping import FlapLimits, Flapping
from monitor.model.matchers import Matcher, Selector
from monitor.model.series import Kind, SeriesKey

__all__ = [
    "HAPPENINGS",
    "SEVERITIES",
    "SYMBOL",
    "Acknowledgement",
    "Alert",
    "Comparison",
    "Condition",
    "Event",
    "Firing",
    "HappeningError",
    "Notification",
    "Rule",
    "RuleFile",
    "RuleProblem",
    "Schedule",
    "Severity",
    "Silence",
    "State",
    "WhyStep",
    "happening",
]

Severity = Literal["critical", "warning", "info"]
NoData = Literal["keep", "ok", "alert"]
AckUntil = Literal["resolved", "change"]
SEVERITIES: tuple[Severity, ...] = ("critical", "warning", "info")


class State(enum.StrEnum):
    INACTIVE = "inactive"
    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"


class Schedule(msgspec.Struct, frozen=True):
    """When a rule is judged: as `monitor.alerting.routing.times.read_interval` reads it. Nothing in a part: any."""

    times: tuple[str, ...] = ()
    weekdays: tuple[str, ...] = ()
    days_of_month: tuple[str, ...] = ()
    months: tuple[str, ...] = ()
    years: tuple[str, ...] = ()
    time_zone: str = "UTC"


class Rule(msgspec.Struct, frozen=True):
    """One rule as judged. Durations are seconds. `file` is the base name, `line` that of its [[rule]] header (from 1).

    `no_data`: a firing alert without data goes on (keep), ends (ok), or one begins because there are none (alert). `group_by`:
    None judges each series by itself, labels judge the `aggregate` of all that share their values. `keep_firing_for`: how long
    it goes on after the condition has cleared. `schedule`: it is judged only then. `flapping`: from when on its turns are not
    told one by one; None: they always are.
    """

    id: str
    selector: Selector
    condition: AnyCondition
    severity: Severity = "warning"
    name: str = ""
    actions: tuple[str, ...] = ("log",)
    cooldown: float = 300.0
    for_seconds: float = 0.0
    summary: str = ""
    runbook_url: str = ""
    enabled: bool = True
    labels: tuple[tuple[str, str], ...] = ()
    file: str = ""
    line: int = 0
    description: str = ""
    keep_firing_for: float = 0.0
    no_data: NoData = "keep"
    group_by: tuple[str, ...] | None = None
    aggregate: Aggregate = "sum"
    schedule: Schedule | None = None
    flapping: FlapLimits | None = None


class Acknowledgement(msgspec.Struct, frozen=True):
    """Somebody has it. `expires` None: until it resolves. Times are seconds since the epoch.

    `until` "change": it also ends when the alert gets worse than its `value` was then, or another one of its group begins.
    A rise of the severity ends either kind.
    """

    who: str
    at: float
    note: str = ""
    expires: float | None = None
    until: AckUntil = "resolved"
    value: float | None = None


class Firing(msgspec.Struct, frozen=True):
    """One span in which an alert fired; `end` None while it still does. Kept for 24 h, for the firing strip."""

    start: float
    end: float | None
    severity: Severity


class Alert(msgspec.Struct, frozen=True):
    """One rule for one series. `id` is stable: the fingerprint of the rule's id and the labels.

    `labels`: the series' tags with `__name__`, `alertname` (rule id) and `severity`, and the rule's own labels.
    `since`: start of the present state; `fired_at`: start of the present or last firing. `value` None: no data now.
    `suppressed_count`: firings kept back since somebody was last told. `series`, `kind`: the series judged.
    `detail`: what the value alone does not say ("reaches 100 in about 3 h"). `kept_since`: the condition has been clear since
    then, and only `keep_firing_for` holds it. `owed`: whether somebody has yet to be told of this firing as soon as nothing
    keeps it back; "at_once" leaves the cooldown out of account (a silence ended, an acknowledgement ran out, the severity rose).
    `assigned`: the person who is to see to it. `flapping`: its turns are not told one by one for now.
    """

    id: str
    rule_id: str
    labels: tuple[tuple[str, str], ...]
    severity: Severity
    state: State
    since: float
    value: float | None
    threshold: float
    operator: Comparison = "gt"
    active_at: float | None = None
    fired_at: float | None = None
    resolved_at: float | None = None
    ack: Acknowledgement | None = None
    silenced_by: tuple[str, ...] = ()
    last_notified: float | None = None
    notified_count: int = 0
    suppressed_count: int = 0
    firings: tuple[Firing, ...] = ()
    revision: int = 0
    no_data: bool = False
    series: SeriesKey | None = None
    kind: Kind = Kind.GAUGE
    owed: Literal["no", "after_cooldown", "at_once"] = "no"
    detail: str = ""
    kept_since: float | None = None
    assigned: str = ""
    flapping: Flapping | None = None


class Silence(msgspec.Struct, frozen=True):
    """Nobody is told about alerts whose labels meet all matchers, from `starts` until `ends`.

    `schedule`: a maintenance window that comes again: between the two it holds only then. `end_when_idle`: seconds after which it
    ends because it matches no active alert (0: it stays), which is so since `idle_since`. `warn_before`: seconds before its end
    when an event says that it still keeps firing alerts quiet (0: never); `warned`: it has.
    """

    id: str
    matchers: tuple[Matcher, ...]
    starts: float
    ends: float
    comment: str
    created_by: str
    created_at: float
    end_when_resolved: bool = False
    expired_by: str = ""
    revision: int = 0
    schedule: Schedule | None = None
    end_when_idle: float = 0.0
    idle_since: float | None = None
    warn_before: float = 600.0
    warned: bool = False

    def active(self, now: float) -> bool:
        """Whether this moment is between its start and its end; `silences.in_force` takes its schedule into account too."""
        return self.starts <= now < self.ends


class Event(msgspec.Struct, frozen=True):
    """Something worth remembering, for 'changes and people' and an alert's history.

    `kind`: firing, resolved, pending, acknowledged, released, assigned, silenced, unsilenced, silence_ending, flapping, settled,
    notified, rule_saved, rules_reloaded, rules_refused, collector_started, collector_restored, note; and those of `HAPPENINGS`,
    which somebody told from outside.
    """

    at: float
    kind: str
    text: str
    who: str = ""
    alert: str = ""
    rule: str = ""
    severity: str = ""
    id: int = 0
    tags: tuple[tuple[str, str], ...] = ()


HAPPENINGS = frozenset(("deploy", "change", "incident", "event"))
"""Kinds of what a person or a program tells: they are marked on every chart."""
MAX_HAPPENING = 500
"""Characters of what is told."""
MAX_HAPPENING_TAGS = 20


class HappeningError(ValueError):
    """What was told is no event; the message says what to write."""


LATEST_HAPPENING = 253_402_300_799.0
"""Seconds: the end of the year 9999, the last that a calendar here can show."""


def happening(at: float, kind: str, text: str, who: str = "", tags: Iterable[tuple[str, str]] = ()) -> Event:
    """An event told from outside, within its bounds. Raises `HappeningError`."""
    text = _printable(" ".join(text.split()))
    told = tuple(sorted((_printable(name), _printable(value)) for name, value in dict(tags).items()))
    if not 0.0 <= at <= LATEST_HAPPENING:
        raise HappeningError(f"an event is at a time in seconds since 1970, not {at:g}")
    if kind not in HAPPENINGS:
        raise HappeningError(f"an event is one of {', '.join(sorted(HAPPENINGS))}, not {kind[:40]!r}")
    if not text:
        raise HappeningError("an event needs a text that says what happened")
    if len(told) > MAX_HAPPENING_TAGS or any(len(name) > 128 or len(value) > 256 for name, value in told):
        raise HappeningError(f"an event has at most {MAX_HAPPENING_TAGS} tags, names to 128 and values to 256 characters")
    return Event(at, kind, text[:MAX_HAPPENING], _printable(who[:80]), tags=told)


def _printable(text: str) -> str:
    """The same with U+FFFD for what would steer a terminal or turn a line around."""
    return text if text.isprintable() else "".join(char if char.isprintable() else "\ufffd" for char in text)


class Notification(msgspec.Struct, frozen=True):
    """What an action is asked to tell. `kind`: firing, reminder, resolved, flapping or settled."""

    kind: str
    alert: Alert
    rule: Rule
    text: str
    at: float


class RuleProblem(msgspec.Struct, frozen=True):
    """Why a rule file is refused: 1-based `line` and `column` (column 0: the whole line); `fix` the text to write instead.

    `end`: the column just after the text that `fix` replaces (0: not to be replaced by a machine).
    """

    file: str
    line: int
    reason: str
    column: int = 0
    key: str = ""
    fix: str = ""
    end: int = 0

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.reason}"


class RuleFile(msgspec.Struct, frozen=True):
    """A rule file as it lies on disk; `problems` non-empty: the version in force is an older one (or none)."""

    name: str
    text: str
    revision: int
    problems: tuple[RuleProblem, ...] = ()


class WhyStep(msgspec.Struct, frozen=True):
    """One step of 'Why was nobody told?'. `verdict`: passed, stopped, or not_reached."""

    title: str
    detail: str
    verdict: Literal["passed", "stopped", "not_reached"]
    action: str = ""
