from __future__ import annotations

import pytest

from monitor.alerting.model import RuleProblem
from monitor.wire import messages as m
from tests.ui.views.conftest import Stage, words
from ui.views.ruletext import changed_lines, fixed, free_id, line_of, parse, problem_rows, rule_at, template
from ui.views.view import RuleEditorView, RulesView


def view(stage: Stage) -> RulesView:
    stage.session.go("rules")
    rules = stage.session.picture().rules
    assert rules is not None
    return rules


def editor(stage: Stage) -> RuleEditorView:
    found = view(stage).editor
    assert found is not None
    return found


def type_in(stage: Stage, old: str, new: str) -> RuleEditorView:
    """Replace in the editor's text, the caret behind it."""
    text = editor(stage).text
    assert old in text
    changed = text.replace(old, new, 1)
    stage.session.set_text("rule", changed, changed.index(new) + len(new))
    return editor(stage)


@pytest.fixture
def desk(demo: Stage) -> Stage:
    demo.press("5")
    demo.session.point("rules", 1)
    demo.settle()
    demo.tick(2)
    return demo


def test_rules_are_listed_by_file_with_what_fires(desk: Stage) -> None:
    rows = view(desk).rows
    assert view(desk).title == "11 rules"
    assert [r.file for r in rows] == sorted(r.file for r in rows)
    checkout = next(r for r in rows if r.id == "checkout_fails")
    assert (checkout.name, checkout.shape, checkout.firing, checkout.enabled) == ("Checkout fails", "critical", 2, True)
    assert next(r for r in rows if r.id == "backup_old").shape == "silenced"
    desk.session.set_text("filter", "state:firing file=shop.toml severity:critical")
    assert [r.id for r in view(desk).rows] == ["high_error_rate", "checkout_fails", "slow_latency"]
    assert view(desk).title == "3 of 11 rules"
    desk.session.set_text("filter", "file=~(")
    assert view(desk).filter_error.startswith("Column 7: ")


def test_the_editor_opens_the_whole_file_at_the_rule(desk: Stage) -> None:
    found = editor(desk)
    assert found.file == "shop.toml"
    assert found.rule_id == "checkout_fails"
    assert found.text.split("\n")[found.cursor_line].startswith("[[rule]]")
    assert words(found.sentence).startswith("Alerts critical when the rate per second of shop.errors{")
    assert str(found.now) == "18.6 /s"
    assert found.now_note == "Would fire for 2 of 2 series once it has held for 1 min."
    assert [line.name for line in found.chart.lines] == ["checkout", "orders"]
    assert [t.label.replace("\u202f", " ") for t in found.chart.threshold] == ["limit 5 /s"]
    assert not found.dirty
    assert found.button == "Saved"
    assert not view(desk).editing
    desk.press("e")
    assert view(desk).editing
    assert desk.session.picture().frame.focus == "rule"


def test_a_draft_threshold_is_drawn_beside_the_saved_one(desk: Stage) -> None:
    desk.press("e")
    found = type_in(desk, "value = 5,", "value = 15,")
    assert found.dirty
    assert found.can_save
    assert found.button == "Save 1 changed line"
    assert found.text.split("\n")[found.changed_lines[0]].startswith("condition")
    labels = [(t.label.replace("\u202f", " "), t.draft) for t in found.chart.threshold]
    assert labels == [("saved: 5 /s", False), ("draft: 15 /s", True)]
    assert found.now_note == "Would fire for 1 of 2 series once it has held for 1 min."
    row = next(r for r in view(desk).rows if r.id == "checkout_fails")
    assert row.changed
    assert next(t for t in desk.session.picture().frame.tabs if t.page == "rules").badge == "draft"


def test_typing_is_never_overwritten(desk: Stage) -> None:
    desk.press("e")
    before = editor(desk).text_revision
    type_in(desk, "value = 5,", "value = 7,")
    desk.tick(3)
    assert editor(desk).text_revision == before
    desk.press("ctrl+d")
    assert editor(desk).text_revision == before + 1
    assert "value = 5," in editor(desk).text


def test_a_mistake_is_said_with_its_line_and_mended_by_one_key(desk: Stage) -> None:
    desk.press("e")
    found = type_in(desk, 'window = "last_1_minute", field = "rate", recovery', 'window = "1 m", field = "rate", recovery')
    assert not found.can_save
    problem = found.problems[0]
    assert found.text.split("\n")[problem.line][problem.column :][: problem.length] == '"1 m"'
    assert problem.text.startswith(f"Line {problem.line + 1}: ")
    assert found.button == f"Fix line {problem.line + 1} to save"
    assert problem.fix == 'Write "1m"'
    assert not desk.session.perform("draft.save")
    assert desk.toast.startswith(f"Line {problem.line + 1} is in the way: ")
    revision = found.text_revision
    desk.press("alt+enter")
    found = editor(desk)
    assert found.problems == ()
    assert 'window = "1m"' in found.text
    assert found.text_revision == revision + 1
    assert not desk.session.perform("rule.fix")


def test_what_the_rule_says_is_kept_while_the_text_cannot_be_read(desk: Stage) -> None:
    desk.press("e")
    found = type_in(desk, 'severity = "critical"\nfor = "1m"', 'severity = "crit')
    assert found.problems
    assert words(found.sentence).startswith("Alerts critical when")


def test_an_id_that_another_file_has_is_a_problem(desk: Stage) -> None:
    desk.press("e")
    found = type_in(desk, 'id = "checkout_fails"', 'id = "memory_full"')
    assert not found.can_save
    assert 'the id "memory_full" is already used in system.toml' in found.problems[0].text


def test_saving_sends_the_file_with_the_revision_it_was_begun_from(desk: Stage) -> None:
    desk.press("e")
    held = next(f for f in desk.fake.rules().files if f.name == "shop.toml")
    type_in(desk, "value = 5,", "value = 15,")
    desk.press("ctrl+s")
    request = desk.sent[-1]
    assert isinstance(request, m.SaveRules)
    assert (request.file, request.base, request.who) == ("shop.toml", held.revision, "Mira")
    assert "value = 15," in request.text
    desk.tick()
    assert desk.toast == "shop.toml saved; 6 rules are judged."
    found = editor(desk)
    assert not found.dirty
    assert found.conflict == ""
    assert desk.session.ctx.book.rules["checkout_fails"].condition.value == 15
    desk.press("ctrl+z")
    desk.tick()
    assert desk.session.ctx.book.rules["checkout_fails"].condition.value == 5


def test_who_saved_meanwhile_is_said_and_nothing_is_lost(desk: Stage) -> None:
    desk.press("e")
    type_in(desk, "value = 5,", "value = 15,")
    held = next(f for f in desk.fake.rules().files if f.name == "shop.toml")
    desk.fake.book.command(m.SaveRules(0, "shop.toml", held.text.replace("value = 1000", "value = 2000"), held.revision, "Jonas"))
    desk.tick(40)
    found = editor(desk)
    assert found.conflict == "Jonas saved shop.toml < 1 min ago. Yours is kept as a draft. Ctrl S compares it with theirs."
    assert "value = 15," in found.text
    desk.press("ctrl+s")
    assert desk.toast.startswith("Now compared with theirs")
    assert len(editor(desk).changed_lines) == 2
    assert editor(desk).conflict == ""
    desk.press("ctrl+s")
    desk.tick()
    assert desk.session.ctx.book.rules["checkout_fails"].condition.value == 15


def test_a_draft_survives_leaving_lost_links_and_a_restart(desk: Stage) -> None:
    desk.press("e")
    type_in(desk, "value = 5,", "value = 15,")
    assert desk.session.key("escape", typing=True)
    assert not view(desk).editing
    assert desk.toast == "Kept as a draft. Enter opens it again, Ctrl D discards it."
    desk.press("1", "5")
    desk.fake.disconnect()
    desk.settle()
    desk.tick(5)
    assert editor(desk).button == "Kept as a draft"
    assert not desk.session.perform("draft.save")
    desk.fake.reconnect()
    desk.settle()
    again = Stage(desk.fake, drafts=desk.drafts).start()
    assert "value = 15," in editor(again).text
    assert editor(again).dirty


def test_looking_without_changing_leaves_no_draft(desk: Stage) -> None:
    desk.press("enter")
    assert view(desk).editing
    desk.session.key("escape", typing=True)
    assert desk.session.ctx.desk.rules == ()


def test_a_rule_is_switched_off_and_on(desk: Stage) -> None:
    desk.press("d")
    assert isinstance(desk.sent[-1], m.EnableRule)
    desk.tick()
    assert desk.toast == "Checkout fails is off."
    assert not next(r for r in view(desk).rows if r.id == "checkout_fails").enabled
    assert editor(desk).now_note.startswith("Switched off; ")
    desk.press("ctrl+z")
    desk.tick()
    assert next(r for r in view(desk).rows if r.id == "checkout_fails").enabled


def test_switching_in_a_file_being_edited_changes_the_draft(desk: Stage) -> None:
    desk.press("e")
    type_in(desk, "value = 5,", "value = 15,")
    desk.session.key("escape", typing=True)
    sent = len(desk.sent)
    desk.press("d")
    assert len(desk.sent) == sent
    assert "enabled = false" in editor(desk).text


def test_deleting_asks_first_and_can_be_undone(desk: Stage) -> None:
    desk.press("delete")
    assert desk.toast == "Delete rule Checkout fails? It is firing now; its alert ends without a notice. Press Delete again."
    assert not any(isinstance(r, m.DeleteRule) for r in desk.sent)
    desk.press("delete")
    desk.tick()
    assert "checkout_fails" not in [r.id for r in view(desk).rows]
    desk.press("ctrl+z")
    desk.tick()
    assert "checkout_fails" in [r.id for r in view(desk).rows]


def test_a_new_rule_is_valid_from_the_start(desk: Stage) -> None:
    desk.press("n")
    found = editor(desk)
    assert found.rule_id == "new_rule"
    assert found.problems == ()
    assert found.text.split("\n")[found.cursor_line] == "[[rule]]"
    assert found.now_note == "No series matches now. It will be judged as soon as one does."


def test_the_first_rule_can_be_written_where_there_is_none(empty: Stage) -> None:
    assert view(empty).empty is not None
    empty.press("n")
    assert editor(empty).file == "rules.toml"
    empty.press("ctrl+s")
    empty.tick()
    assert [r.id for r in view(empty).rows] == ["new_rule"]


# ---------------------------------------------------------------- the text

TEXT = '# first\n[[rule]]\nid = "a"\n\n[[rule]]\nid = "b"\n'


def test_a_line_belongs_to_the_rule_above_it() -> None:
    assert [rule_at(TEXT, line) for line in range(6)] == [-1, 0, 0, 0, 1, 1]
    assert line_of(TEXT, 1) == 4
    assert line_of(TEXT, 9) == 0


def test_changed_lines_are_those_that_the_saved_text_lacks() -> None:
    assert changed_lines(TEXT, TEXT) == ()
    assert changed_lines(TEXT, TEXT.replace('"b"', '"c"')) == (5,)
    assert changed_lines(TEXT, TEXT.replace("# first\n", "")) == (0,)
    assert changed_lines(TEXT, TEXT + "x = 1\n") == (6,)
    assert changed_lines("", "a\nb")[:2] == (0, 1)
    assert len(changed_lines("\n".join("ab" * 3000), "\n".join("ba" * 3000))) >= 5_000


def test_the_template_parses_for_any_name() -> None:
    for metric in ("my.metric", 'shop.latency{service="a\\b"}', "http_seconds"):
        assert parse(template("x", metric, "p95", "5m"), "f.toml").problems == ()
    assert free_id("Shop Latency!", ()) == "shop_latency"
    assert free_id("a", ("a", "a_2")) == "a_3"
    assert free_id("...", ()) == "new_rule"


def test_problems_have_places_inside_the_text() -> None:
    for text in ("[[rule]]\nid = 3\n", "x = ", "[[rule]]\n", '[[rule]]\nid = "a"\nmetric = ["b"]\ncondition = {}\n', ""):
        lines = text.split("\n")
        for row in problem_rows(text, parse(text, "f.toml").problems):
            assert 0 <= row.line < len(lines)
            assert row.length >= 1


def test_a_fix_is_only_written_where_it_has_a_place() -> None:
    problem = RuleProblem("f.toml", 1, "no", column=1, fix="y", end=2)
    assert fixed("x = 1", problem) == "y = 1"
    assert fixed("x = 1", RuleProblem("f.toml", 9, "no", column=1, fix="y", end=2)) is None
    assert fixed("x = 1", RuleProblem("f.toml", 1, "no", fix="y")) is None


def test_a_draft_that_cannot_be_read_still_says_what_its_rule_does_after_a_restart(desk: Stage) -> None:
    type_in(desk, "[[rule]]", "x[[rule]]")
    assert editor(desk).problems
    again = Stage(desk.fake, drafts=desk.drafts)
    again.session.go("rules")
    again.session.picture()  # looked at before the rules have come
    again.start()
    again.session.rules.seek("checkout_fails")
    again.tick(2)
    found = editor(again)
    assert found.problems
    assert not words(found.sentence).startswith("No rule here")
    assert found.rule_id


GROUPS = """\
groups:
  - name: shop
    rules:
      - record: job:requests:rate5m
        expr: sum by (job) (rate(requests_total[5m]))
      - alert: TooManyErrors
        expr: rate(errors_total[5m]) > 5
        for: 10m
"""


@pytest.fixture
def grouped(desk: Stage) -> Stage:
    rules = (
        m.GroupRule("prom.yml", 4, "shop", "job:requests:rate5m", "sum by (job) (rate(requests_total[5m]))"),
        m.GroupRule("prom.yml", 6, "shop", "TooManyErrors", "rate(errors_total[5m]) > 5", True, 600.0, "firing", 2),
        m.GroupRule("prom.yml", 9, "shop", "broken", "up", error="two series of one name"),
    )
    desk.fake.book.load_groups("prom.yml", GROUPS, rules)
    desk.tick()
    return desk


def test_rules_of_prometheus_files_are_listed_with_how_they_fare(grouped: Stage) -> None:
    rows = {row.name: row for row in view(grouped).rows if row.file == "prom.yml"}
    assert view(grouped).title == "14 rules"
    assert rows["job:requests:rate5m"].summary == "Records sum by (job) (rate(requests_total[5m]))"
    assert rows["TooManyErrors"].summary == "Fires when rate(errors_total[5m]) > 5 for 10 min. 2 firing now."
    assert (rows["TooManyErrors"].shape, rows["TooManyErrors"].firing) == ("warning", 2)
    assert (rows["broken"].shape, rows["broken"].summary) == ("unknown", "Fails: two series of one name")


def test_a_prometheus_file_is_edited_as_text_and_checked_by_the_collector(grouped: Stage) -> None:
    names = [row.name for row in view(grouped).rows]
    grouped.session.point("rules", names.index("TooManyErrors"))
    found = editor(grouped)
    assert (found.file, found.cursor_line, found.problems) == ("prom.yml", 5, ())
    assert words(found.sentence).startswith("Fires when rate(errors_total[5m]) > 5 for 10 min.")
    assert found.chart.empty == "Explore charts the expression of a Prometheus rule."
    assert not grouped.session.enabled("rule.toggle")[0]
    grouped.press("e")
    changed = type_in(grouped, "for: 10m", "for: 15m")
    assert (changed.problems, changed.can_save, changed.button) == ((), True, "Save 1 changed line")
