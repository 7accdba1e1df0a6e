"""Rules: the list by file, and the editor of the file that the chosen rule stands in."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from monitor.alerting.durations import format_duration
from monitor.alerting.model import Rule, RuleFile, State
from monitor.model.series import SeriesInfo
from monitor.wire import messages as m
from ui.views import filter as filters
from ui.views import ruletext
from ui.views.alertbook import worst
from ui.views.context import Context
from ui.views.drafts import RuleDraft
from ui.views.format import plural, sanitise
from ui.views.page import PageModel, moved
from ui.views.ruleeditor import RuleEditor
from ui.views.view import EmptyState, RuleRow, RulesView

CONFIRM_SECONDS = 10.0
FIRST_FILE = "rules.toml"


class Rules(PageModel):
    name = "rules"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.editor = RuleEditor(ctx)
        self.cursor = 0
        self.editing = ""
        """The file being edited, "" while the list has the focus."""
        self.text = ""
        self._filter = filters.Filter()
        self._error = ""
        self._confirm = ("", 0.0)
        self._rows: tuple[object, list[tuple[RuleRow, str, int]]] = (None, [])
        self.on_edit: Callable[[], None] = lambda: None
        self.handlers = {
            "cursor.down": lambda: self.move(1),
            "cursor.up": lambda: self.move(-1),
            "open": self.edit,
            "rule.edit": self.edit,
            "rule.toggle": self._toggle,
            "rule.new": self._new,
            "rule.delete": self._delete,
            "rule.fix": self._fix,
            "draft.save": self._save,
            "draft.discard": self._discard,
        }

    # ------------------------------------------------------------ list

    def rows(self) -> list[tuple[RuleRow, str, int]]:
        """Each rule as (row, file, 0-based line of its header); files that cannot be read, and new drafts, as rows too."""
        ctx = self.ctx
        told = ctx.mirror.rules
        key = (told, ctx.book.revision, ctx.desk.rules, self._filter)
        if self._rows[0] != key:
            rules = told.rules if told else ()
            found = [self._row(r) for r in rules]
            found += [
                self._file_row(f) for f in (told.files if told else ()) if f.problems or not any(r.file == f.name for r in rules)
            ]
            names = {f.name for f in told.files} if told else set()
            found += [self._draft_row(d) for d in ctx.desk.rules if d.file not in names]
            found = [r for r in found if self._passes(r[0], r[1])]
            found.sort(key=lambda r: (r[1], r[2]))
            self._rows = (key, found)
        return self._rows[1]

    def _row(self, rule: Rule) -> tuple[RuleRow, str, int]:
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
            summary=sanitise(rule.summary or str(rule.selector), 160),
            changed=draft is not None and draft.dirty,
        )
        return row, rule.file, max(0, rule.line - 1)

    def _file_row(self, file: RuleFile) -> tuple[RuleRow, str, int]:
        what = f"{file.problems[0]}" if file.problems else "No rules in this file yet."
        shape = "unknown" if file.problems else "ok"
        line = max(0, file.problems[0].line - 1) if file.problems else 0
        row = RuleRow("", sanitise(file.name, 80), sanitise(file.name, 80), shape, True, 0, sanitise(what, 200))  # type: ignore[arg-type]
        return row, file.name, line

    def _draft_row(self, draft: RuleDraft) -> tuple[RuleRow, str, int]:
        name = sanitise(draft.file, 80)
        return RuleRow("", name, name, "ok", True, 0, "A draft: not saved yet.", True), draft.file, draft.line

    def _passes(self, row: RuleRow, file: str) -> bool:
        if not self._filter:
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
        return self._filter.matches(haystack, keys.get)

    def current(self) -> tuple[RuleRow, str, int] | None:
        """The row under the cursor."""
        rows = self.rows()
        return rows[moved(self.cursor, 0, len(rows))] if rows else None

    def rule(self) -> Rule | None:
        """The rule in force under the cursor."""
        current = self.current()
        return self.ctx.book.rules.get(current[0].id) if current is not None else None

    def move(self, by: int) -> None:
        self.cursor = moved(self.cursor, by, len(self.rows()))

    def point(self, what: str, index: int) -> bool:
        if what != "rules":
            return False
        if self.editing:
            self._leave()
        self.cursor = moved(0, index, len(self.rows()))
        return True

    def seek(self, rule_id: str) -> bool:
        """Put the cursor on a rule."""
        if not any(r[0].id == rule_id for r in self.rows()):
            self.set_text("filter", "", 0)
        found = next((i for i, r in enumerate(self.rows()) if r[0].id == rule_id), None)
        if found is None:
            return False
        if self.editing:
            self._leave()
        self.cursor = found
        return True

    # ------------------------------------------------------------ editing

    def edit(self) -> None:
        """Open the file's text at the rule."""
        current = self.current()
        if current is None:
            self._new()
            return
        row, file, line = current
        held = self.editor.file(file)
        if self.ctx.desk.rule(file) is None and held is not None:
            self.ctx.desk.put_rule(RuleDraft(file, held.text, held.text, held.revision, line))
        draft = self.ctx.desk.rule(file)
        if draft is not None and row.id:
            where = next((n for n, r in enumerate(self.editor.rules_of(file)) if r.id == row.id), None)
            at = ruletext.line_of(draft.text, where) if where is not None else line
            self.ctx.desk.put_rule(msgspec.structs.replace(draft, line=at))
        self.editing, self.ctx.focus = file, "rule"

    def _leave(self) -> None:
        draft = self.ctx.desk.rule(self.editing)
        if draft is not None and not draft.dirty:
            self.ctx.desk.drop_rule(self.editing)
        self.editing = ""
        self.ctx.focus = "" if self.ctx.focus == "rule" else self.ctx.focus

    def set_text(self, what: str, text: str, cursor: int) -> bool:
        """ "rule": the whole text with the caret's character position; "filter": the list's filter."""
        if what == "filter":
            self.text = text[: filters.MAX_FILTER]
            self._filter, self._error = filters.attempt(self.text, self._filter)
            self.cursor = 0
            return True
        if what != "rule":
            return False
        if not self.editing:
            self.edit()
        draft = self.ctx.desk.rule(self.editing)
        if draft is not None:
            self.editor.typed(self.editing, text)
            self.ctx.desk.put_rule(msgspec.structs.replace(draft, text=text, line=ruletext.line_at(text, cursor)))
        return True

    def submit(self, what: str) -> bool:
        if what == "filter":
            self.ctx.focus = ""
            return True
        return False

    def back(self) -> bool:
        if self.editing:
            draft = self.ctx.desk.rule(self.editing)
            if draft is not None and draft.dirty:
                self.ctx.say("Kept as a draft. Enter opens it again, Ctrl D discards it.")
            self._leave()
        elif self.text:
            self.set_text("filter", "", 0)
        else:
            return False
        return True

    # ------------------------------------------------------------ actions

    def _file(self) -> str:
        current = self.current()
        return self.editing or (current[1] if current is not None else "")

    def why_off(self, action: str) -> str:
        draft = self.ctx.desk.rule(self._file())
        if action in ("rule.toggle", "rule.delete"):
            return (
                ("" if draft is not None and draft.dirty else self.ctx.refusal())
                if self.rule() is not None
                else "No rule is chosen."
            )
        if action == "draft.save":
            return self._why_not_save(draft)
        if action == "draft.discard" and (draft is None or not draft.dirty):
            return "There is no draft."
        if action == "rule.fix" and self._fixed() is None:
            return "There is nothing that a machine could mend."
        if action in ("open", "rule.edit") and self.current() is None:
            return "There are no rules yet. N starts one."
        return ""

    def _why_not_save(self, draft: RuleDraft | None) -> str:
        if draft is None or not draft.dirty:
            return "Nothing has changed."
        problems = self.editor.problems(draft.file)
        if problems:
            return f"Line {problems[0].line} is in the way: {sanitise(problems[0].reason, 200)}"
        return self.ctx.refusal()

    def _save(self) -> None:
        draft = self.ctx.desk.rule(self._file())
        if draft is None:
            return
        held = self.editor.file(draft.file)
        if self.editor.conflict(draft.file) and held is not None:
            self.ctx.desk.put_rule(msgspec.structs.replace(draft, saved=held.text, base=held.revision))
            self.ctx.say("Now compared with theirs: changed lines are marked. Save again to write yours.")
            return
        self._send(draft.file, draft.text, draft.base, draft)

    def _send(self, file: str, text: str, base: int, draft: RuleDraft | None) -> None:
        ctx = self.ctx
        before = draft.saved if draft is not None else None

        def done(result: object) -> None:
            revision = int(result.get("revision", base + 1)) if isinstance(result, dict) else base + 1
            now = ctx.desk.rule(file)
            if now is not None and now.text == text and self.editing != file:
                ctx.desk.drop_rule(file)
            elif now is not None:
                ctx.desk.put_rule(msgspec.structs.replace(now, saved=text, base=revision))
            if before is not None:
                ctx.remember("save", lambda: self._send(file, before, revision, None))
            count = plural(len(ruletext.parse(text, file).rules), "rule is", "rules are")
            ctx.say(f"{sanitise(file, 60)} saved; {count} judged.", undo="Undo" if before is not None else "")

        ctx.request(
            m.SaveRules(0, file, text, base, ctx.who), done, lambda e: ctx.say(f"Not saved: {e} The draft is kept.", error=True)
        )

    def _discard(self) -> None:
        file = self._file()
        draft = self.ctx.desk.rule(file)
        if draft is None:
            return
        self.ctx.desk.drop_rule(file)
        self.editing, self.ctx.focus = "", ""
        self.ctx.remember("discard", lambda: self.ctx.desk.put_rule(draft))
        self.ctx.say("Draft discarded.", undo="Undo")

    def _toggle(self) -> None:
        rule = self.rule()
        if rule is None:
            return
        draft = self.ctx.desk.rule(rule.file)
        if draft is not None and draft.dirty:
            self._toggle_in_draft(rule, draft)
            return
        word = "off" if rule.enabled else "on"
        title = sanitise(rule.name or rule.id, 60)

        def done(result: object) -> None:
            back = m.EnableRule(0, rule.id, rule.enabled, self.ctx.who)
            self.ctx.remember("switch", lambda: self.ctx.request(back, lambda _: self.ctx.say(f"{title} is as it was.")))
            self.ctx.say(f"{title} is {word}.", undo="Undo")

        self.ctx.request(m.EnableRule(0, rule.id, not rule.enabled, self.ctx.who), done)

    def _toggle_in_draft(self, rule: Rule, draft: RuleDraft) -> None:
        from monitor.alerting.edit import set_enabled

        try:
            text = set_enabled(draft.text, rule.id, not rule.enabled)
        except ValueError as error:
            self.ctx.say(sanitise(str(error), 200), error=True)
            return
        self.ctx.desk.put_rule(msgspec.structs.replace(draft, text=text))
        self.ctx.say(f"Switched {'off' if rule.enabled else 'on'} in your draft: save it with Ctrl S.")

    def _delete(self) -> None:
        rule = self.rule()
        if rule is None:
            return
        title = sanitise(rule.name or rule.id, 60)
        if self._confirm[0] != rule.id or self.ctx.now() > self._confirm[1]:
            self._confirm = (rule.id, self.ctx.now() + CONFIRM_SECONDS)
            firing = any(a.rule_id == rule.id for a in self.ctx.book.firing)
            ends = " It is firing now; its alert ends without a notice." if firing else ""
            self.ctx.say(f"Delete rule {title}?{ends} Press Delete again.")
            return
        self._confirm = ("", 0.0)
        held = self.editor.file(rule.file)

        def done(result: object) -> None:
            if held is not None:
                self.ctx.remember("delete", lambda: self._restore(held))
            self.ctx.say(f"{title} deleted.", undo="Undo" if held is not None else "")

        self.ctx.request(m.DeleteRule(0, rule.id, self.ctx.who), done)

    def _restore(self, file: RuleFile) -> None:
        now = self.editor.file(file.name)
        self._send(file.name, file.text, now.revision if now is not None else file.revision, None)

    def _fixed(self) -> str | None:
        file = self._file()
        return next((t for p in self.editor.problems(file) if (t := ruletext.fixed(self.editor.text(file), p)) is not None), None)

    def _fix(self) -> None:
        draft, text = self.ctx.desk.rule(self._file()), self._fixed()
        if draft is not None and text is not None:
            self.ctx.desk.put_rule(msgspec.structs.replace(draft, text=text))

    def _new(self) -> None:
        self.start(ruletext.template(ruletext.free_id("new_rule", self._ids()), "my.metric"))

    def start_on(self, info: SeriesInfo, field: str, window: float) -> None:
        """A rule on one series, from Explore."""
        selector = str(self.ctx.index.selector(info)) if info.key.tags else info.key.name
        rule_id = ruletext.free_id(info.key.name, self._ids())
        self.start(ruletext.template(rule_id, selector, field, format_duration(window)))

    def start(self, rule: str) -> None:
        """A draft with this rule at the end of the present file."""
        told = self.ctx.mirror.rules
        file = self._file() or (told.files[0].name if told and told.files else FIRST_FILE)
        held = self.editor.file(file)
        draft = self.ctx.desk.rule(file)
        if draft is None:
            text = held.text if held is not None else ""
            draft = RuleDraft(file, text, text, held.revision if held is not None else 0)
        text = ruletext.appended(draft.text, rule)
        line = text.count("\n") - rule.count("\n")
        self.ctx.desk.put_rule(msgspec.structs.replace(draft, text=text, line=max(0, line)))
        self.editing, self.ctx.focus = file, "rule"

    def _ids(self) -> tuple[str, ...]:
        drafts = [r.id for d in self.ctx.desk.rules for r in ruletext.parse(d.text, d.file).rules]
        return (*self.ctx.book.rules, *drafts)

    # ------------------------------------------------------------ picture

    def view(self) -> RulesView:
        """The page now."""
        rows = self.rows()
        current = self.current()
        file = self._file()
        draft = self.ctx.desk.rule(file)
        line = draft.line if self.editing and draft is not None else current[2] if current is not None else 0
        told = self.ctx.mirror.rules
        count = plural(len(told.rules) if told else 0, "rule")
        return RulesView(
            rows=tuple(r[0] for r in rows),
            cursor=moved(self.cursor, 0, len(rows)),
            filter=self.text,
            title=self._error or (f"{len(rows)} of {count}" if self.text else count),
            editor=self.editor.view(file, line, bool(self.editing)) if file else None,
            editing=bool(self.editing),
            empty=self._empty(bool(rows)),
            filter_error=self._error,
        )

    def _empty(self, rows: bool) -> EmptyState | None:
        if rows or self.editing:
            return None
        if self.text:
            return EmptyState(f"No rule matches {sanitise(self.text, 60)}.", "Escape clears the filter.")
        if self.ctx.mirror.rules is None:
            return EmptyState("Waiting for the collector.", self.ctx.refusal())
        return EmptyState("No rules yet.", "N starts one from a template; T in Explore starts one on a series.")
