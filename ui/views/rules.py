"""Rules: the list by file, and the editor of the file that the chosen rule stands in."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from monitor.alerting.durations import format_duration
from monitor.alerting.model import Rule
from monitor.model.series import SeriesInfo
from ui.views import ruletext
from ui.views.context import Context
from ui.views.drafts import RuleDraft
from ui.views.format import plural, sanitise
from ui.views.page import PageModel, moved
from ui.views.ruleacts import RuleActs
from ui.views.ruleeditor import RuleEditor
from ui.views.rulelist import Entry, RuleList
from ui.views.view import EmptyState, RulesView

FIRST_FILE = "rules.toml"


class Rules(PageModel):
    name = "rules"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.editor = RuleEditor(ctx)
        self.cursor = 0
        self.editing = ""
        """The file being edited, "" while the list has the focus."""
        self.list = RuleList(ctx)
        self.acts = RuleActs(ctx, self.editor)
        self.on_edit: Callable[[], None] = lambda: None
        self.handlers = {
            "cursor.down": lambda: self.move(1),
            "cursor.up": lambda: self.move(-1),
            "open": self.edit,
            "rule.edit": self.edit,
            "rule.toggle": lambda: self._on_rule(self.acts.toggle),
            "rule.new": self._new,
            "rule.delete": lambda: self._on_rule(self.acts.delete),
            "rule.fix": lambda: self.acts.fix(self._file()),
            "draft.save": self._save,
            "draft.discard": self._discard,
        }

    # ------------------------------------------------------------ list

    def current(self) -> Entry | None:
        """The row under the cursor."""
        rows = self.list.rows()
        return rows[moved(self.cursor, 0, len(rows))] if rows else None

    def rule(self) -> Rule | None:
        """The rule in force under the cursor."""
        current = self.current()
        return self.ctx.book.rules.get(current[0].id) if current is not None else None

    def move(self, by: int) -> None:
        self.cursor = moved(self.cursor, by, len(self.list.rows()))

    def point(self, what: str, index: int) -> bool:
        if what != "rules":
            return False
        if self.editing:
            self._leave()
        self.cursor = moved(0, index, len(self.list.rows()))
        return True

    def seek(self, rule_id: str) -> bool:
        """Put the cursor on a rule."""
        if not any(r[0].id == rule_id for r in self.list.rows()):
            self.set_text("filter", "", 0)
        found = next((i for i, r in enumerate(self.list.rows()) if r[0].id == rule_id), None)
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
            self.list.set_text(text)
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
        elif self.list.text:
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
                else self._why_no_rule()
            )
        if action == "draft.save":
            return self.acts.why_not_save(draft)
        if action == "draft.discard" and (draft is None or not draft.dirty):
            return "There is no draft."
        if action == "rule.fix" and self.acts.fixed(self._file()) is None:
            return "There is nothing that a machine could mend."
        if action in ("open", "rule.edit") and self.current() is None:
            return "There are no rules yet. N starts one."
        return ""

    def _why_no_rule(self) -> str:
        if ruletext.is_prometheus(self._file()):
            return "A Prometheus rule has no switch: edit its file (E)."
        return "No rule is chosen."

    def _on_rule(self, act: Callable[[Rule], None]) -> None:
        rule = self.rule()
        if rule is not None:
            act(rule)

    def _save(self) -> None:
        draft = self.ctx.desk.rule(self._file())
        if draft is not None:
            self.acts.open_file = self.editing
            self.acts.save(draft)

    def _discard(self) -> None:
        self.acts.discard(self._file())
        self.editing, self.ctx.focus = "", ""

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
        rows = self.list.rows()
        current = self.current()
        file = self._file()
        draft = self.ctx.desk.rule(file)
        line = draft.line if self.editing and draft is not None else current[2] if current is not None else 0
        told = self.ctx.mirror.rules
        count = plural(len(told.rules) + len(told.groups) if told else 0, "rule")
        return RulesView(
            rows=tuple(r[0] for r in rows),
            cursor=moved(self.cursor, 0, len(rows)),
            filter=self.list.text,
            title=self.list.error or (f"{len(rows)} of {count}" if self.list.text else count),
            editor=self.editor.view(file, line, bool(self.editing)) if file else None,
            editing=bool(self.editing),
            empty=self._empty(bool(rows)),
            filter_error=self.list.error,
        )

    def _empty(self, rows: bool) -> EmptyState | None:
        if rows or self.editing:
            return None
        if self.list.text:
            return EmptyState(f"No rule matches {sanitise(self.list.text, 60)}.", "Escape clears the filter.")
        if self.ctx.mirror.rules is None:
            return EmptyState("Waiting for the collector.", self.ctx.refusal())
        return EmptyState("No rules yet.", "N starts one from a template; T in Explore starts one on a series.")
