"""Alerts: the console in which a person sees, filters, marks, acknowledges and silences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import msgspec

from monitor.alerting.model import Alert, Silence
from ui.views import alertacts as acts
from ui.views import silencedraft
from ui.views.alertbook import GROUPS, SORTS, group_of
from ui.views.alertdetail import detail, safe_url
from ui.views.alertlist import AlertList
from ui.views.context import Context
from ui.views.drafts import SilenceDraft
from ui.views.format import plural, sanitise
from ui.views.overview_parts import events, quiet
from ui.views.page import PageModel, moved
from ui.views.view import AlertsView, SilenceRow

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
            "alert.silence": lambda: acts.begin_silence(ctx, self.list.targets()),
            "alert.note": self._begin_note,
            "alert.runbook": self._runbook,
            "alert.why": self._why,
            "alert.explore": self.open,
            "alert.rule": self._show_rule,
            "alert.group.next": lambda: self.list.next_group(1),
            "alert.group.previous": lambda: self.list.next_group(-1),
            "alert.sort": self.list.next_sort,
            "silence.expire": self._expire,
            "draft.save": lambda: acts.save_silence(ctx),
            "draft.discard": self._discard,
        }

    # ------------------------------------------------------------ state

    def silences(self) -> list[Silence]:
        """Silences that hold or will, those that end first on top; then those that ended within the last hour."""
        present = self.ctx.present()
        alive = [s for s in self.ctx.mirror.silences.values() if s.ends > present and not s.expired_by]
        over = [s for s in self.ctx.mirror.silences.values() if s.expired_by or present - 3600 < s.ends <= present]
        return sorted(alive, key=lambda s: (s.ends, s.id)) + sorted(over, key=lambda s: (-s.ends, s.id))[:20]

    def count(self) -> int:
        return len(self.silences()) if self.list.group == "Silences" else len(self.list.alerts())

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
        """Shows the alert's series in Explore; for a silence, the alerts it holds back."""
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
        if action in ("alert.acknowledge", "alert.silence"):
            return acts.cannot(self.ctx, self.list.targets(), action)
        if action == "alert.note":
            return self.ctx.refusal()
        if action == "alert.runbook" and not self._runbook_url():
            return "This rule names no runbook."
        if action == "silence.expire":
            return self._why_not_expire()
        if action in ("draft.save", "draft.discard") and self.ctx.desk.silence is None:
            return "There is no draft."
        return self.ctx.refusal() if action == "draft.save" else ""

    def _why_not_expire(self) -> str:
        if self._chosen_silence() is None:
            return "No silence is chosen."
        return self.ctx.refusal()

    def _chosen_silence(self) -> str | None:
        if self.list.group == "Silences":
            held = self.silences()
            chosen = held[self.list.place(len(held))] if held else None
            ended = chosen is None or bool(chosen.expired_by) or chosen.ends <= self.ctx.present()
            return None if chosen is None or ended else chosen.id
        alert = self.list.current()
        return alert.silenced_by[0] if alert is not None and alert.silenced_by else None

    def _expire(self) -> None:
        silence = self._chosen_silence()
        if silence is not None:
            acts.expire(self.ctx, silence)

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
        alerts = self.list.alerts() if self.list.group != "Silences" else []
        silences = self.silences()
        cursor = self.list.place(len(silences))
        current = self.list.current()
        draft = ctx.desk.silence
        present = ctx.present()
        counts = tuple((g, len(book.group(g)) if g != "Silences" else self._alive(silences)) for g in GROUPS)
        picture = detail(ctx, current) if current is not None else None
        if picture is not None and not self.show_why:
            picture = replace(picture, why=())
        return AlertsView(
            groups=counts,
            group=self.list.group,
            rows=tuple(book.row(a, present, ctx.words, marked=a.id in self.list.marks) for a in alerts),
            cursor=cursor,
            marked=len(self.list.marks),
            filter=self.list.text,
            filter_error=self.list.error,
            sort=self.list.sort,
            detail=picture,
            draft=silencedraft.view(draft, ctx) if draft is not None else None,
            silences=tuple(self.silence_row(s) for s in silences),
            new_above=self.list.new_above,
            prompt=self._prompt(),
            empty=self._empty(bool(alerts), silences),
            lately=() if picture is not None else events(ctx, 20),
        )

    def _alive(self, silences: list[Silence]) -> int:
        return sum(not s.expired_by and s.ends > self.ctx.present() for s in silences)

    def _prompt(self) -> str:
        alert = self.ctx.mirror.alerts.get(self.note_on)
        return f"Note on {self.ctx.book.title(alert)}" if alert is not None else ""

    def silence_row(self, silence: Silence) -> SilenceRow:
        """A silence in words; one that matches nothing says so, one about to end too."""
        present, words = self.ctx.present(), self.ctx.words
        held_back = self.ctx.book.silenced_count(silence.id)
        state = "active"
        until = f"until {words.moment(silence.ends, present)}"
        if silence.expired_by or silence.ends <= present:
            state, until = "ended", f"ended {words.moment(silence.ends, present)}"
        elif silence.starts > present:
            state, until = "waiting", f"from {words.moment(silence.starts, present)} {until}"
        else:
            until = silencedraft.warning_before_end(silence.ends, present) or until
        if silence.end_when_resolved and state != "ended":
            until += " or resolved"
        return SilenceRow(
            id=silence.id,
            state=state,
            matchers=sanitise(", ".join(str(m) for m in silence.matchers), 240),
            until=until,
            by=sanitise(silence.created_by, 40),
            comment=sanitise(silence.comment, 240),
            matches=plural(held_back, "alert") if held_back else "matches nothing" if state == "active" else "",
        )

    def _empty(self, rows: bool, silences: list[Silence]) -> str:
        if rows or (self.list.group == "Silences" and silences):
            return ""
        if self.list.text:
            return f"No alert here matches {sanitise(self.list.text, 60)}."
        if self.ctx.mirror.hello is None:
            return "Waiting for the collector."
        match self.list.group:
            case "Firing":
                return quiet(self.ctx)
            case "Pending":
                return "Nothing is pending."
            case "Silenced":
                return "No alert is silenced."
            case "Resolved":
                return "Nothing has resolved lately."
        return "No silences. S on an alert starts one."
