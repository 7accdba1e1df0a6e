"""'Why was nobody told?' names the step that stopped it."""

from __future__ import annotations

from monitor.alerting.model import WhyStep
from monitor.alerting.why import why
from monitor.model.matchers import parse_matchers
from tests.monitor.alerting.fakes import NAN, Stage, make_rule


def steps(stage: Stage) -> tuple[WhyStep, ...]:
    alert = stage.alerts["a"]
    rule = next((rule for rule in stage.rules if rule.id == alert.rule_id), None)
    return why(alert, rule, stage.book.silences, stage.now)


def stopped(stage: Stage) -> tuple[str, str, str]:
    found = [step for step in steps(stage) if step.verdict == "stopped"]
    assert len(found) == 1
    after = steps(stage)[steps(stage).index(found[0]) + 1 :]
    assert all(step.verdict == "not_reached" for step in after)
    return found[0].title, found[0].detail, found[0].action


def test_a_firing_that_was_told_of_passed_every_step() -> None:
    stage = Stage()
    stage.at(0, a=11)
    stage.at(60, a=11)
    assert {step.verdict for step in steps(stage)} == {"passed"}
    assert steps(stage)[-1].title == "Told by log"
    stage.book.acknowledge([stage.alerts["a"].id], "Ana", stage.now)
    assert {step.verdict for step in steps(stage)} == {"passed"}, "it was told before she took it"


def test_pending() -> None:
    stage = Stage(make_rule(more='for = "2m"'))
    stage.at(0, a=11)
    stage.at(30, a=11)
    assert stopped(stage) == ("Waiting out its time", "It must hold for 2 min; 1 min to go.", "edit_rule")


def test_acknowledged_before_it_fired() -> None:
    stage = Stage(make_rule(more='for = "10s"'))
    stage.at(0, a=11)
    stage.book.acknowledge([stage.alerts["a"].id], "Ana", stage.now, expires=stage.now + 600)
    stage.at(70, a=11)
    assert stopped(stage) == ("Ana has acknowledged it", "Ana has it since 1 min, for another 8 min.", "release")


def test_silenced() -> None:
    stage = Stage()
    silence = stage.book.add_silence(parse_matchers("s=a"), 1000.0, 4600.0, "new disk", "Ana", 1000.0).accepted[0]
    stage.at(0, a=11)
    assert stopped(stage) == ("Silenced by Ana", "Ana silenced it for another 1 h: new disk", f"expire_silence:{silence}")


def test_cooldown() -> None:
    stage = Stage(make_rule(more='cooldown = "10m"'))
    stage.at(0, a=11)
    stage.at(60, a=1)
    stage.at(120, a=11)
    title, detail, action = stopped(stage)
    assert (title, action) == ("Held back by its cooldown", "edit_rule")
    assert detail == "The firing before was told of 2 min ago; the rule waits 10 min between two; 8 min to go."
    stage.at(180, a=1)
    stage.at(900, a=1)
    assert stopped(stage)[0] == "Held back by its cooldown", "it ended within the cooldown, and so was never told of"


def test_told_again_while_held_back_after_a_silence() -> None:
    stage = Stage()
    stage.at(0, a=11)
    stage.book.add_silence(parse_matchers("s=a"), 1000.0, 1010.0, "c", "Ana", 1000.0)
    stage.book.acknowledge([stage.alerts["a"].id], "Ana", 1001.0)
    stage.at(10, a=11)
    assert stopped(stage)[0] == "Ana has acknowledged it", "the end of the silence owes a notification again"


def test_rules_that_tell_nobody_or_are_gone() -> None:
    stage = Stage(make_rule(more="actions = []"))
    stage.at(0, a=11)
    assert stopped(stage) == ("No action", "The rule has no action; write one into it.", "edit_rule")
    stage.rules = (make_rule(more="enabled = false"),)
    assert stopped(stage)[2] == "enable_rule"
    stage.rules = ()
    assert stopped(stage)[0] == "Rule not in force"


def test_no_data_is_said() -> None:
    stage = Stage()
    stage.at(0, a=11)
    stage.at(1, a=NAN)
    assert 'm{s="a"} has no data' in steps(stage)[0].detail
