"""What a person does to rules: save, discard, switch, delete, mend. Each answers in words and can be undone."""

from __future__ import annotations

import msgspec

from monitor.alerting.model import Rule, RuleFile
from monitor.wire import messages as m
from ui.views import ruletext
from ui.views.context import Context
from ui.views.drafts import RuleDraft
from ui.views.format import plural, sanitise
from ui.views.ruleeditor import RuleEditor

CONFIRM_SECONDS = 10.0


class RuleActs:
    """Requests about rules; remembers only which deletion was asked for."""

    def __init__(self, ctx: Context, editor: RuleEditor) -> None:
        self.ctx = ctx
        self.editor = editor
        self.open_file = ""
        """The file whose editor is open: its draft stays when it is saved."""
        self._confirm = ("", 0.0)

    def why_not_save(self, draft: RuleDraft | None) -> str:
        """What is in the way of saving; "" when nothing is."""
        if draft is None or not draft.dirty:
            return "Nothing has changed."
        problems = self.editor.problems(draft.file)
        if problems:
            return f"Line {problems[0].line} is in the way: {sanitise(problems[0].reason, 200)}"
        return self.ctx.refusal()

    def save(self, draft: RuleDraft) -> None:
        """Write the draft; where somebody was first, compare with theirs instead."""
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
            if now is not None and now.text == text and self.open_file != file:
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

    def discard(self, file: str) -> None:
        """Throw the draft away; undo brings it back."""
        draft = self.ctx.desk.rule(file)
        if draft is None:
            return
        self.ctx.desk.drop_rule(file)
        self.ctx.remember("discard", lambda: self.ctx.desk.put_rule(draft))
        self.ctx.say("Draft discarded.", undo="Undo")

    def toggle(self, rule: Rule) -> None:
        """Switch a rule on or off; in a file with a draft, the draft is changed."""
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

    def delete(self, rule: Rule) -> None:
        """Ask, and at the second time delete."""
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

    def fixed(self, file: str) -> str | None:
        """The text with the first problem mended that a machine can mend; None when there is none."""
        return next((t for p in self.editor.problems(file) if (t := ruletext.fixed(self.editor.text(file), p)) is not None), None)

    def fix(self, file: str) -> None:
        """Mend the first problem as suggested."""
        draft, text = self.ctx.desk.rule(file), self.fixed(file)
        if draft is not None and text is not None:
            self.ctx.desk.put_rule(msgspec.structs.replace(draft, text=text))
