"""The rule editor: the file's text, its problems, the rule in a sentence, its value now and its chart."""

from __future__ import annotations

import math

from monitor.alerting.fields import judged_field
from monitor.alerting.model import Rule, RuleFile, RuleProblem
from monitor.alerting.rules import clashes
from monitor.alerting.wording import sentence as rule_sentence
from monitor.model.series import Kind, SeriesInfo
from ui.views import ruletext
from ui.views.chart import Chart, shape_of
from ui.views.context import Context
from ui.views.drafts import RuleDraft
from ui.views.feeds import Feed, Wish
from ui.views.format import duration, minutes_ago, plural, sanitise, value
from ui.views.index import line_name
from ui.views.lines import Track
from ui.views.rulelist import group_sentence
from ui.views.sentence import SIDES, Limit
from ui.views.units import PLAIN, Unit, unit_of
from ui.views.view import ChartView, RuleEditorView, Sentence, Text, Value

MAX_LINES = 8


class RuleEditor:
    """Shows one rule of one file; holds nothing that is not also in the drafts."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self._told = ("", "")
        self._revision = 0
        self._good: dict[str, tuple[Rule, ...]] = {}
        self._matching: tuple[object, list[SeriesInfo]] = (None, [])

    # ------------------------------------------------------------ text

    def file(self, name: str) -> RuleFile | None:
        """A rule file as the collector has it."""
        told = self.ctx.mirror.rules
        return next((f for f in told.files if f.name == name), None) if told else None

    def text(self, name: str) -> str:
        """What is to be seen: the draft, else the file."""
        draft = self.ctx.desk.rule(name)
        held = self.file(name)
        return draft.text if draft is not None else held.text if held is not None else ""

    def typed(self, name: str, text: str) -> None:
        """The painter's editor has this text already."""
        self._told = (name, text)

    def rules_of(self, name: str) -> tuple[Rule, ...]:
        """The rules of the text; of its last good version while it cannot be read."""
        parsed = ruletext.parse(self.text(name), name)
        if not parsed.problems:
            self._good[name] = parsed.rules
        elif name not in self._good:
            draft, held = self.ctx.desk.rule(name), self.file(name)
            saved = draft.saved if draft is not None and draft.saved else held.text if held is not None else ""
            return ruletext.parse(saved, name).rules
        return self._good[name]

    def problems(self, name: str) -> tuple[RuleProblem, ...]:
        """All that is wrong with the text, ids that another file has included."""
        parsed = ruletext.parse(self.text(name), name)
        if parsed.problems:
            return parsed.problems
        told = self.ctx.mirror.rules
        files = [f for f in told.files if f.name != name] if told else []
        return clashes(parsed.rules, {r.id: r for f in files for r in ruletext.parse(f.text, f.name).rules})

    def conflict(self, name: str) -> str:
        """Who saved the file since the draft was begun; "" when nobody did."""
        draft, held = self.ctx.desk.rule(name), self.file(name)
        if draft is None or held is None or held.revision == draft.base or held.text == draft.saved:
            return ""
        saved = next((e for e in reversed(self.ctx.mirror.events) if e.kind in ("rule_saved", "rules_reloaded")), None)
        who = sanitise(saved.who, 40) if saved is not None and saved.who else "Somebody"
        ago = f" {minutes_ago(max(0.0, self.ctx.present() - saved.at))} ago" if saved is not None else ""
        return f"{who} saved {sanitise(name, 60)}{ago}. Yours is kept as a draft. Ctrl S compares it with theirs."

    # ------------------------------------------------------------ picture

    def view(self, name: str, line: int, editing: bool) -> RuleEditorView:
        """The editor on a file with the cursor on a 0-based line."""
        text = self.text(name)
        if self._told != (name, text):
            self._told, self._revision = (name, text), self._revision + 1
        draft = self.ctx.desk.rule(name)
        problems = self.problems(name)
        rules = self.rules_of(name)
        number = max(0, ruletext.rule_at(text, line))
        if problems and number >= len(rules) > 0:
            number = len(rules) - 1
        rule = rules[number] if number < len(rules) else None
        saved = self.ctx.book.rules.get(rule.id) if rule is not None else None
        matching = self.matching(rule)
        feed = self._feed(rule, matching)
        unit = self._unit(rule, matching)
        now, note = self._now(rule, matching, feed, unit)
        can_save, button = self._button(draft, problems)
        return RuleEditorView(
            file=sanitise(name, 120),
            rule_id=rule.id if rule is not None else "",
            text=text,
            text_revision=self._revision,
            cursor_line=line,
            changed_lines=ruletext.changed_lines(draft.saved, text) if draft is not None else (),
            problems=ruletext.problem_rows(text, problems),
            sentence=self._group_sentence(name, line) or self._sentence(rule, matching),
            now=now,
            now_note=note,
            chart=self._chart(name, rule, saved, matching, feed, unit),
            dirty=draft is not None and draft.dirty,
            can_save=can_save,
            button=button,
            conflict=self.conflict(name),
        )

    def _button(self, draft: RuleDraft | None, problems: tuple[RuleProblem, ...]) -> tuple[bool, str]:
        if draft is None or not draft.dirty:
            return False, "Saved"
        if problems:
            return False, f"Fix line {problems[0].line} to save"
        if self.ctx.refusal():
            return False, "Kept as a draft"
        changed = len(ruletext.changed_lines(draft.saved, draft.text))
        return True, f"Save {plural(changed, 'changed line')}"

    def _sentence(self, rule: Rule | None, matching: list[SeriesInfo]) -> Sentence:
        if rule is None:
            return (Text("No rule here yet. N starts one."),)
        words = sanitise(rule_sentence(rule, matching[0].kind if matching else None), 600)
        cooldown = f" Tells people at most every {duration(rule.cooldown)}." if rule.cooldown and rule.actions else ""
        return (Text(words, strong=True), Text(cooldown)) if cooldown else (Text(words, strong=True),)

    def _group_sentence(self, name: str, line: int) -> Sentence:
        """What the Prometheus rule at this line does; () where there is none."""
        if not ruletext.is_prometheus(name):
            return ()
        told = self.ctx.mirror.rules
        above = [rule for rule in (told.groups if told else ()) if rule.file == name and rule.line <= line + 1]
        if not above:
            return (Text("Groups of Prometheus rules. The collector checks them when they are saved."),)
        rule = max(above, key=lambda rule: rule.line)
        return (Text(sanitise(group_sentence(rule), 600), strong=True), Text(f" Group {sanitise(rule.group, 80)}."))

    # ------------------------------------------------------------ data

    def matching(self, rule: Rule | None) -> list[SeriesInfo]:
        """Series the rule judges now."""
        if rule is None:
            return []
        key = (self.ctx.index.revision, rule.selector)
        if self._matching[0] != key:
            self._matching = (key, self.ctx.index.selected(rule.selector))
        return self._matching[1]

    def field(self, rule: Rule, matching: list[SeriesInfo]) -> str:
        """The window's field that is judged."""
        return judged_field(rule.condition.field, matching[0].kind if matching else Kind.GAUGE)

    def _feed(self, rule: Rule | None, matching: list[SeriesInfo]) -> Feed | None:
        if rule is None or not matching:
            return None
        backfill, step = self.ctx.reach()
        wish = Wish(
            str(rule.selector),
            (self.field(rule, matching),),
            rule.condition.window,
            backfill=backfill,
            step=max(2.0, step),
            limit=64,
            track=True,
        )
        return self.ctx.feed(wish)

    def _unit(self, rule: Rule | None, matching: list[SeriesInfo]) -> Unit:
        return unit_of(matching[0], self.field(rule, matching)) if rule is not None and matching else PLAIN

    def _now(self, rule: Rule | None, matching: list[SeriesInfo], feed: Feed | None, unit: Unit) -> tuple[Value, str]:
        """The value nearest to firing, and how many series would fire."""
        if rule is None:
            return value(None), ""
        if feed is None:
            return value(None), "No series matches now. It will be judged as soon as one does."
        readings = feed.column(self.field(rule, matching))
        known = [float(x) for x in readings if math.isfinite(x)]
        if not known:
            return value(None), "No data yet."
        condition = rule.condition
        limit = Limit(condition.value, condition.operator)
        fires = limit.broken(readings)
        extreme = min(known) if condition.operator in ("lt", "lte") else max(known)
        held = f" once it has held for {duration(rule.for_seconds)}" if rule.for_seconds else ""
        count = int(fires.sum())
        if not rule.enabled:
            return value(extreme, unit), f"Switched off; {plural(count, 'series', 'series')} of {len(known)} would fire."
        if not count:
            return value(
                extreme, unit
            ), f"Would not fire: none of {plural(len(known), 'series', 'series')} is {SIDES[condition.operator]} the limit."
        return (
            value(extreme, unit, shape_of(rule.severity)),
            f"Would fire for {count} of {plural(len(known), 'series', 'series')}{held}.",
        )

    def _chart(
        self, file: str, rule: Rule | None, saved: Rule | None, matching: list[SeriesInfo], feed: Feed | None, unit: Unit
    ) -> ChartView:
        ctx = self.ctx

        def make() -> Chart:
            tracks: list[Track] = []
            if rule is not None and feed is not None:
                field = self.field(rule, matching)
                rows = [int(r) for r in feed.rows[:64] if int(r) in ctx.mirror.series]
                infos = [ctx.mirror.series[r] for r in rows]
                infos.sort(key=lambda i: -_rank(feed.value(i.row, field)))
                keys = [i.key for i in infos[:MAX_LINES]]
                for n, info in enumerate(infos):
                    colour, dash = (f"series-{n + 1}", n if n >= 4 else 0) if n < MAX_LINES else ("others", 0)
                    name = line_name(info.key, keys)
                    tracks.append(Track(name, *feed.track(info.row, field), unit, colour, dash, sanitise(info.key.label())))
            return Chart(
                id="rule",
                title=sanitise(str(rule.selector), 100) if rule is not None else "No rule",
                tracks=tuple(tracks),
                x=ctx.span(),
                words=ctx.words,
                interval=ctx.interval,
                points=ctx.profile.points,
                ticks=ctx.profile.ticks,
                y_ticks=ctx.profile.y_ticks,
                limits=limits(rule, saved, unit, ctx),
                subject="at most" if len(tracks) > 1 else "",
                empty=_no_chart(file, bool(matching)),
            )

        key = (
            ruletext.is_prometheus(file),
            feed.version if feed is not None else (),
            rule,
            saved.condition if saved is not None else None,
            ctx.span(),
            ctx.profile,
            ctx.words,
            ctx.index.revision,
        )
        return ctx.charts.get("rule", key, make)


def _no_chart(name: str, matching: bool) -> str:
    if ruletext.is_prometheus(name):
        return "Explore charts the expression of a Prometheus rule."
    return "Waiting for data." if matching else "No series matches this rule now."


def limits(rule: Rule | None, saved: Rule | None, unit: Unit, ctx: Context) -> tuple[Limit, ...]:
    """The thresholds to draw: the saved one, and the draft's where it differs."""
    if rule is None:
        return ()

    def limit(one: Rule, word: str, draft: bool) -> Limit:
        shown = ctx.words.text(value(one.condition.value, unit))
        return Limit(one.condition.value, one.condition.operator, shape_of(one.severity), f"{word} {shown}", draft)

    if saved is None:
        return (limit(rule, "draft:", True),)
    if (saved.condition.value, saved.condition.operator) == (rule.condition.value, rule.condition.operator):
        return (limit(saved, "limit", False),)
    return (limit(saved, "saved:", False), limit(rule, "draft:", True))


def _rank(x: float) -> float:
    return x if math.isfinite(x) else -math.inf
