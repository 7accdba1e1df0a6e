"""Alerts: the console in which a person sees, filters, marks, acknowledges and silences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import msgspec

from monitor.alerting.incidents import Incident
from monitor.alerting.model import Alert, Silence
from ui.views import alertacts as acts
from ui.views import silenceacts, silencedraft, silencelist
from ui.views.alertask import Why
from ui.views.alertbook import GROUPS, SORTS, group_of
from ui.views.alertdetail import detail, safe_url
from ui.views.alertlist import AlertList, nothing
from ui.views.context import Context
from ui.views.drafts import SilenceDraft
from ui.views.overview_parts import events
from ui.views.page import PageModel, moved
from ui.views.view import AlertRow, AlertsView

DRAFT_FIELDS = ("silence.matchers", "silence.duration", "silence.reason")
NEEDS_ALERT = (
    "alert.note",
    "alert.runbook",
    "alert.why",
    "alert.explore",
    "alert.rule",
    "mark",
    "mark.range",
    "mark.all",
    "open",
)


class Alerts(PageModel):
    name = "alerts"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.list = AlertList(ctx)
        self.note_on = ""
        self.note_text = ""
        self.show_why = True
        self.why = Why(ctx)
        self.open_series: Callable[[Alert], None] = lambda alert: None
        self.open_rule: Callable[[str], None] = lambda rule: None
        self.handlers = {
            "cursor.down": lambda: self.move(1),
            "cursor.up": lambda: self.move(-1),
            "open": self.open,
            "mark": self._mark_here,
            "mark.range": self.list.mark_range,
            "mark.all": self.list.mark_all,
            "alert.acknowledge": lambda: acts.acknowledge(ctx, self.list.targets()),
            "alert.acknowledge.change": lambda: acts.acknowledge(ctx, self.list.targets(), "change"),
            "alert.silence": lambda: acts.begin_silence(ctx, self.list.targets()),
            "alert.note": self._begin_note,
            "alert.runbook": self._runbook,
            "alert.why": self._why,
            "alert.explore": self._explore,
            "incident.fold": self.list.fold,
            "alert.rule": self._show_rule,
            "alert.group.next": lambda: self.list.next_group(1),
            "alert.group.previous": lambda: self.list.next_group(-1),
            "alert.sort": self.list.next_sort,
            "silence.edit": self._edit,
            "silence.expire": self._expire,
            "draft.save": lambda: acts.save_silence(ctx),
            "draft.discard": self._discard,
        }

    # ------------------------------------------------------------ state

    def silences(self) -> list[Silence]:
        """As listed."""
        return silencelist.silences(self.ctx)

    def count(self) -> int:
        return len(self.silences()) if self.list.group == "Silences" else len(self.list.rows())

    def move(self, by: int) -> None:
        if by < 0 and self.list.place(self.count()) + by <= 0 and self.list.new_above:
            self.list.settle()
            by = -self.count()
        self.list.go(moved(self.list.place(self.count()), by, self.count()), self.count())

    def point(self, what: str, index: int) -> bool:
        """ "alerts" and "silences": a row; "group": one of the groups by its number."""
        if what == "group":
            return 0 <= index < len(GROUPS) and self.list.choose_group(GROUPS[index])
        if what == "silences":
            self.list.choose_group("Silences")
        elif what != "alerts":
            return False
        self.list.go(index, self.count())
        return True

    def mark(self, index: int) -> None:
        self.list.toggle(index)

    def open(self) -> None:
        """Shows the alert's series in Explore; for a silence, the alerts it holds back; folds and unfolds an incident."""
        if isinstance(self.list.chosen(), Incident):
            self.list.fold()
            return
        self._explore()

    def _explore(self) -> None:
        alert = self.list.current()
        if alert is not None:
            self.open_series(alert)
        elif self.list.group == "Silences" and self.silences():
            self.list.choose_group("Silenced")

    def seek(self, alert: Alert) -> None:
        """Go to one alert."""
        self.list.seek(alert, group_of(alert) or "Resolved")

    # ------------------------------------------------------------ actions

    def why_off(self, action: str) -> str:
        if action in NEEDS_ALERT and self.list.current() is None:
            return "No alert is chosen." if self.list.group != "Silences" or action != "open" else ""
        if action == "incident.fold":
            return self._why_not_fold()
        if action in ("alert.acknowledge", "alert.acknowledge.change", "alert.silence"):
            return acts.cannot(self.ctx, self.list.targets(), action)
        if action == "alert.note":
            return self.ctx.refusal()
        if action == "alert.runbook" and not self._runbook_url():
            return "This rule names no runbook."
        if action in ("silence.expire", "silence.edit"):
            return "No silence is chosen." if self._silence_of(action) is None else self.ctx.refusal()
        if action in ("draft.save", "draft.discard") and self.ctx.desk.silence is None:
            return "There is no draft."
        return self.ctx.refusal() if action == "draft.save" else ""

    def _why_not_fold(self) -> str:
        chosen = self.list.chosen()
        within = isinstance(chosen, Incident) or (chosen is not None and self.list.incidents.of(chosen.id) is not None)
        return "" if within else "This alert stands under no incident."

    def _silence_of(self, action: str) -> Silence | None:
        """The silence under the cursor, or that of the alert there; only one that is not over can be ended."""
        if self.list.group == "Silences":
            held = self.silences()
            chosen = held[self.list.place(len(held))] if held else None
        else:
            alert = self.list.current()
            chosen = self.ctx.mirror.silences.get(alert.silenced_by[0]) if alert is not None and alert.silenced_by else None
        over = chosen is not None and (bool(chosen.expired_by) or chosen.ends <= self.ctx.present())
        return None if over and action == "silence.expire" else chosen

    def _expire(self) -> None:
        silence = self._silence_of("silence.expire")
        if silence is not None:
            acts.expire(self.ctx, silence.id)

    def _edit(self) -> None:
        silence = self._silence_of("silence.edit")
        if silence is not None:
            silenceacts.edit(self.ctx, silence)

    def _mark_here(self) -> None:
        self.list.toggle(self.list.place())
        self.move(1)

    def _begin_note(self) -> None:
        alert = self.list.current()
        if alert is not None:
            self.note_on, self.note_text, self.ctx.focus = alert.id, "", "note"

    def _runbook_url(self) -> str:
        alert = self.list.current()
        rule = self.ctx.book.rules.get(alert.rule_id) if alert is not None else None
        return safe_url(rule.runbook_url) if rule is not None else ""

    def _show_rule(self) -> None:
        alert = self.list.current()
        if alert is not None:
            self.open_rule(alert.rule_id)

    def _runbook(self) -> None:
        self.ctx.hooks.open_url(self._runbook_url())

    def _why(self) -> None:
        self.show_why = not self.show_why

    def _discard(self) -> None:
        held = self.ctx.desk.silence
        self.ctx.desk.silence, self.ctx.focus = None, ""

        def again() -> None:
            self.ctx.desk.silence = held

        self.ctx.remember("discard", again)
        self.ctx.say("Draft discarded.", undo="Undo")

    # ------------------------------------------------------------ typing

    def set_text(self, what: str, text: str, cursor: int) -> bool:
        if what == "filter":
            self.list.set_text(text)
        elif what == "note":
            self.note_text = text[:2000]
        elif what in DRAFT_FIELDS:
            name = what.partition(".")[2]
            draft = self.ctx.desk.silence or SilenceDraft()
            self.ctx.desk.silence = msgspec.structs.replace(draft, **{name: text[:2000], "touched": True, "field": name})
        else:
            return False
        return True

    def set_flag(self, what: str, on: bool) -> bool:
        if what != "silence.end_when_resolved":
            return False
        draft = self.ctx.desk.silence or SilenceDraft()
        if draft.silence:
            self.ctx.say("Whether it ends when resolved stays as it was made. Start another silence to change that.")
            return True
        self.ctx.desk.silence = msgspec.structs.replace(draft, end_when_resolved=on, touched=True, field="end")
        return True

    def submit(self, what: str) -> bool:
        if what == "note":
            alert = self.ctx.mirror.alerts.get(self.note_on)
            self.note_on, self.ctx.focus = "", ""
            if alert is not None:
                acts.note(self.ctx, alert, self.note_text)
            return True
        if what in DRAFT_FIELDS:
            refusal = self.ctx.refusal()
            if refusal:
                self.ctx.say(refusal, error=True)
            else:
                acts.save_silence(self.ctx)
            return True
        if what == "filter":
            self.ctx.focus = ""
            return True
        return False

    def choose(self, what: str, value: str) -> bool:
        if what == "group":
            return self.list.choose_group(value)
        if what == "sort" and value in SORTS:
            self.list.sort = value
            return True
        return False

    def back(self) -> bool:
        """The note, then the draft's focus, then marks, then the filter."""
        if self.note_on:
            self.note_on, self.ctx.focus = "", ""
        elif self.list.marks:
            self.list.marks = set()
        elif self.list.text:
            self.list.set_text("")
        else:
            return False
        return True

    def changed(self, what: set[str]) -> None:
        if "alerts" in what:
            self.list.marks &= set(self.ctx.mirror.alerts)

    # ------------------------------------------------------------ picture

    def view(self) -> AlertsView:
        """The page now."""
        ctx, book = self.ctx, self.ctx.book
        self.list.incidents.ask()
        alerts = self.list.alerts() if self.list.group != "Silences" else []
        silences = self.silences()
        cursor = self.list.place(len(silences))
        current = self.list.current()
        draft = ctx.desk.silence
        counts = tuple((g, len(book.group(g)) if g != "Silences" else self._alive(silences)) for g in GROUPS)
        picture = detail(ctx, current, self.why.steps(current)) if current is not None else None
        if picture is not None and not self.show_why:
            picture = replace(picture, why=())
        return AlertsView(
            groups=counts,
            group=self.list.group,
            rows=self._rows(alerts),
            cursor=cursor,
            marked=len(self.list.marks),
            filter=self.list.text,
            filter_error=self.list.error,
            sort=self.list.sort,
            detail=picture,
            draft=silencedraft.view(draft, ctx) if draft is not None else None,
            silences=tuple(silencelist.row(ctx, s) for s in silences),
            new_above=self.list.new_above,
            prompt=self._prompt(),
            empty="" if alerts or (self.list.group == "Silences" and silences) else nothing(ctx, self.list.group, self.list.text),
            lately=() if picture is not None else events(ctx, 20),
        )

    def _rows(self, alerts: list[Alert]) -> tuple[AlertRow, ...]:
        book, ctx, marks, present = self.ctx.book, self.ctx, self.list.marks, self.ctx.present()
        incidents = self.list.incidents
        return tuple(
            incidents.row(row, marks)
            if isinstance(row, Incident)
            else book.row(row, present, ctx.words, marked=row.id in marks, within=incidents.of(row.id) is not None)
            for row in (self.list.rows() if alerts else ())
        )

    def _alive(self, silences: list[Silence]) -> int:
        return sum(not s.expired_by and s.ends > self.ctx.present() for s in silences)

    def _prompt(self) -> str:
        alert = self.ctx.mirror.alerts.get(self.note_on)
        return f"Note on {self.ctx.book.title(alert)}" if alert is not None else ""
