"""What is said of a notice in plain text, and what may be put into it: every word of a label is somebody else's."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from collector.actions.teller import headline
from monitor.alerting.model import Severity
from monitor.alerting.notice import Notice, Noticed, Pairs
from monitor.alerting.wording import number_text

SHOWN_ALERTS = 20
"""Alerts that a text for people lists; how many more there are is said."""
MAX_TITLE = 200
_PLACEHOLDER = re.compile(r"\{([a-z_]+(?:\.[^{}\s]{1,128})?)\}")
_RANK: dict[Severity, int] = {"critical": 0, "warning": 1, "info": 2}

Escape = Callable[[str], str]


def plain(text: str, most: int = 4000) -> str:
    """The same on one line, without what would steer a terminal or turn a line around, cut at `most` characters."""
    text = " ".join(text[: 4 * most].split())
    return cut("".join(char if char.isprintable() else "\ufffd" for char in text), most)


def paragraphs(text: str, most: int = 4000) -> str:
    """As `plain`, but its lines stay lines."""
    return cut("\n".join(plain(line, most) for line in text[: 4 * most].splitlines()), most)


def cut(text: str, most: int) -> str:
    """At most `most` characters, with … where something is missing."""
    return text if len(text) <= most else text[: most - 1] + "…"


def cut_bytes(text: str, most: int) -> str:
    """At most `most` bytes of UTF-8, with … where something is missing; no character is cut apart."""
    data = text.encode("utf-8", "replace")
    return text if len(data) <= most else data[: most - 3].decode("utf-8", "ignore") + "…"


def title(notice: Notice, most: int = MAX_TITLE) -> str:
    """A line that says how many alerts do what, and the first of them."""
    count = len(notice.firing) + notice.truncated if notice.firing else len(notice.resolved) + notice.truncated
    word = "TEST" if notice.reason == "test" else "FIRING" if notice.firing else "RESOLVED"
    tail = f":{count}" if count > 1 else ""
    return plain(f"[{word}{tail}] {headline(notice)}", most)


def text(notice: Notice, most_alerts: int = SHOWN_ALERTS) -> str:
    """A notice in lines: what it is about, then each alert."""
    lines = [title(notice)]
    if notice.group:
        lines.append(f"Group: {pairs_text(notice.group)}")
    firing, resolved = notice.firing, notice.resolved
    for noticed in (firing + resolved)[:most_alerts]:
        lines += ["", *alert_lines(noticed)]
    if more := left_out(notice, most_alerts):
        lines += ["", more]
    return "\n".join(lines)


def alert_lines(noticed: Noticed) -> list[str]:
    """What is said of one alert."""
    alert = noticed.alert
    state = alert.severity if noticed.ended is None else "over"
    lines = [f"{state}: {plain(noticed.summary, 1000)}"]
    if noticed.description:
        lines.append(paragraphs(noticed.description))
    lines.append(f"since {moment(alert.fired_at)}" + (f", until {moment(noticed.ended)}" if noticed.ended is not None else ""))
    lines.append(pairs_text(alert.labels, 1000))
    if noticed.runbook_url:
        lines.append(f"What to do: {plain(noticed.runbook_url, 2000)}")
    return lines


def left_out(notice: Notice, shown: int) -> str:
    """How many alerts are not shown where `shown` are, "" where all are."""
    more = max(0, len(notice.alerts) - shown) + notice.truncated
    return f"… and {more:,} more" if more else ""


def pairs_text(pairs: Pairs, most: int = 500) -> str:
    """Labels as people write them."""
    return plain(", ".join(f"{name}={value}" for name, value in pairs), most)


def moment(at: float | None) -> str:
    """A time for people, in UTC; "an unknown time" where no calendar has it."""
    stamp = iso(at)
    return "an unknown time" if stamp is None else stamp[:19].replace("T", " ") + " UTC"


def iso(at: float | None) -> str | None:
    """A time for programs: RFC 3339 in UTC with milliseconds; None where no calendar has it."""
    try:
        stamp = None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError, OSError):
        return None
    return None if stamp is None else stamp.removesuffix("+00:00") + "Z"


def finite(value: float | None) -> float | None:
    """A number that JSON can write, or None."""
    return value if value is not None and abs(value) < float("inf") else None


def common_labels(notice: Notice) -> dict[str, str]:
    """Labels that all alerts of the notice have with the same value."""
    common: dict[str, str] = {}
    for number, noticed in enumerate(notice.alerts):
        labels = dict(noticed.alert.labels)
        common = labels if number == 0 else {name: value for name, value in common.items() if labels.get(name) == value}
    return common


def group_key(notice: Notice) -> str:
    """What all notices of one group have in common, and those of no other group."""
    return notice.key.rpartition(":")[0] or notice.key


def worst(notice: Notice) -> Severity:
    """The worst severity of what fires; of what has ended where nothing does."""
    told = notice.firing or notice.resolved
    return min((noticed.alert.severity for noticed in told), key=_RANK.__getitem__, default="info")


def filled(template: str, notice: Notice, escape: Escape = str) -> str:
    """A template with its placeholders filled in: each value goes through `escape`; what is no placeholder stays as written.

    `{status}`, `{title}`, `{text}`, `{summary}`, `{description}`, `{runbook_url}`, `{severity}`, `{value}`, `{rule}` (these of
    the first alert), `{count}`, `{receiver}`, `{key}`, `{group}`, `{labels.NAME}` (common to all), `{group.NAME}`.
    """
    values = _values(notice)

    def value(found: re.Match[str]) -> str:
        said = values.get(found[1])
        if said is None and found[1].startswith(("labels.", "group.")):
            said = ""  # a label that is absent is empty
        return found[0] if said is None else escape(said)

    return _PLACEHOLDER.sub(value, template)


def in_json(said: str) -> str:
    """As it stands between the quotes of a JSON text."""
    return json.dumps(said)[1:-1]


def _values(notice: Notice) -> dict[str, str]:
    first = (notice.firing or notice.resolved or (None,))[0]
    values: dict[str, Any] = {
        "status": notice.status,
        "title": title(notice),
        "text": text(notice),
        "count": str(len(notice.alerts) + notice.truncated),
        "receiver": notice.receiver,
        "key": notice.key,
        "group": pairs_text(notice.group),
        "severity": worst(notice),
        "summary": plain(first.summary) if first else "",
        "description": paragraphs(first.description) if first else "",
        "runbook_url": plain(first.runbook_url) if first else "",
        "rule": plain(first.alert.rule_id) if first else "",
        "value": number_text(first.alert.value) if first else "",
    }
    values |= {f"labels.{name}": plain(value) for name, value in common_labels(notice).items()}
    return values | {f"group.{name}": plain(value) for name, value in notice.group}
