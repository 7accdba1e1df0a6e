"""The list of the Rules page: rules by file, files that cannot be read, and new drafts, narrowed by the filter."""

from __future__ import annotations

from monitor.alerting.model import Rule, RuleFile, State
from monitor.alerting.wording import sentence
from monitor.wire.messages import GroupRule
from ui.views import filter as filters
from ui.views.alertbook import worst
from ui.views.context import Context
from ui.views.drafts import RuleDraft
from ui.views.format import duration, sanitise
from ui.views.view import RuleRow, Shape

_SHAPES: dict[str, Shape] = {"firing": "warning", "pending": "pending"}
Entry = tuple[RuleRow, str, int]
"""A row, its file and the 0-based line of its header."""


class RuleList:
    """Rows of the rules; made anew when rules, alerts, drafts or the filter change."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.text = ""
        self.error = ""
        self.filter = filters.Filter()
        self._rows: tuple[object, list[Entry]] = (None, [])

    def set_text(self, text: str) -> None:
        """The filter as typed; while it cannot be read the last good one holds."""
        self.text = text[: filters.MAX_FILTER]
        self.filter, self.error = filters.attempt(self.text, self.filter)

    def rows(self) -> list[Entry]:
        """Each rule as (row, file, 0-based line of its header); files that cannot be read, and new drafts, as rows too."""
        ctx = self.ctx
        told = ctx.mirror.rules
        key = (told, ctx.book.revision, ctx.desk.rules, self.filter)
        if self._rows[0] != key:
            rules = told.rules if told else ()
            filled = {r.file for r in rules} | {r.file for r in (told.groups if told else ())}
            found = [self._row(r) for r in rules]
            found += [self._file_row(f) for f in (told.files if told else ()) if f.problems or f.name not in filled]
            names = {f.name for f in told.files} if told else set()
            found += [self._group_row(r) for r in (told.groups if told else ())]
            found += [self._draft_row(d) for d in ctx.desk.rules if d.file not in names]
            found = [r for r in found if self._passes(r[0], r[1])]
            found.sort(key=lambda r: (r[1], r[2]))
            self._rows = (key, found)
        return self._rows[1]

    def _row(self, rule: Rule) -> Entry:
        book = self.ctx.book
        alerts = [a for g in ("Firing", "Silenced") for a in book.group(g) if a.rule_id == rule.id and a.state is State.FIRING]
        draft = self.ctx.desk.rule(rule.file)
        row = RuleRow(
            id=rule.id,
            name=sanitise(rule.name or rule.id, 80),
            file=sanitise(rule.file, 80),
            shape=(worst(alerts) or "ok") if rule.enabled else "silenced",
            enabled=rule.enabled,
            firing=len(alerts),
            summary=sanitise(sentence(rule), 200),
            changed=draft is not None and draft.dirty,
        )
        return row, rule.file, max(0, rule.line - 1)

    def _group_row(self, rule: GroupRule) -> Entry:
        shape: Shape = "unknown" if rule.error else _SHAPES.get(rule.state, "ok")
        row = RuleRow(
            id="",
            name=sanitise(rule.name, 80),
            file=sanitise(rule.file, 80),
            shape=shape,
            enabled=True,
            firing=rule.active if rule.state == "firing" else 0,
            summary=sanitise(group_sentence(rule), 200),
        )
        return row, rule.file, max(0, rule.line - 1)

    def _file_row(self, file: RuleFile) -> Entry:
        what = f"{file.problems[0]}" if file.problems else "No rules in this file yet."
        shape: Shape = "unknown" if file.problems else "ok"
        line = max(0, file.problems[0].line - 1) if file.problems else 0
        row = RuleRow("", sanitise(file.name, 80), sanitise(file.name, 80), shape, True, 0, sanitise(what, 200))
        return row, file.name, line

    def _draft_row(self, draft: RuleDraft) -> Entry:
        name = sanitise(draft.file, 80)
        return RuleRow("", name, name, "ok", True, 0, "A draft: not saved yet.", True), draft.file, draft.line

    def _passes(self, row: RuleRow, file: str) -> bool:
        if not self.filter:
            return True
        rule = self.ctx.book.rules.get(row.id)
        keys = {
            "file": file,
            "severity": rule.severity if rule else "",
            "state": "firing" if row.firing else "off" if not row.enabled else "quiet",
            "enabled": "yes" if row.enabled else "no",
            "rule": row.id,
            "name": row.name,
        }
        haystack = f"{row.name} {row.id} {file} {row.summary} {rule.selector if rule else ''}".lower()
        return self.filter.matches(haystack, keys.get)


def group_sentence(rule: GroupRule) -> str:
    """A rule of a Prometheus file in words."""
    if rule.error:
        return f"Fails: {rule.error}"
    expr = " ".join(rule.expr.split())
    if not rule.alert:
        return f"Records {expr}"
    held = f" for {duration(rule.for_seconds)}" if rule.for_seconds else ""
    now = f" {rule.active} {rule.state} now." if rule.active else ""
    return f"Fires when {expr}{held}.{now}"
