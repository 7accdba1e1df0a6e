"""How noisy rules were, and what might be changed."""

from __future__ import annotations

from monitor.alerting.model import Event
from monitor.alerting.noise import RuleNoise, noise
from tests.monitor.alerting.fakes import make_rule

RULES = {"r": make_rule(more='for = "1m"'), "other": make_rule("other")}


def firing(number: int, lasts: float | None, *acts: Event, rule: str = "r") -> list[Event]:
    at, alert = number * 1000.0, f"{rule}{number}"
    told = [Event(at, "firing", "", "", alert, rule), *acts]
    return told if lasts is None else [*told, Event(at + lasts, "resolved", "", "", alert, rule)]


def act(number: int, kind: str = "acknowledged") -> Event:
    return Event(number * 1000.0 + 5, kind, "", "Ana", f"r{number}", "r")


def test_a_longer_for_is_suggested_that_would_have_kept_back_none_that_was_acted_on() -> None:
    events = [event for n in range(31) for event in firing(n, 100.0 + n)]
    events += [event for n in range(31, 40) for event in firing(n, 900.0, act(n))]
    (found,) = noise(events, RULES, 0.0, 1e6)
    assert (found.fired, found.acted, found.ignored, found.median) == (40, 9, 31, 119.5)
    assert found.suggestions == ("raise `for` to 4m: 31 of 40 would not have fired, none that was acted on",)


def test_a_for_that_would_have_kept_back_one_that_was_acted_on_is_not_suggested() -> None:
    events = [event for n in range(20) for event in firing(n, 100.0 + n)] + firing(20, 30.0, act(20))
    assert noise(events, RULES, 0.0, 1e6)[0].suggestions == ()


def test_silencing_its_rule_while_it_fires_and_a_note_soon_after_its_end_are_acts() -> None:
    silenced = Event(1005.0, "silenced", "", "Ana", tags=(("rule", "r"),))
    note = Event(2500.0, "note", "looked", "Ana", "r2", "r")
    late = Event(9000.0, "note", "looked", "Ana", "r3", "r")
    own = Event(4005.0, "note", "log could not tell of it", "", "r4", "r")
    events = [*firing(1, 100.0, silenced), *firing(2, 100.0), note, *firing(3, 100.0), *firing(4, None, own), late]
    assert noise(events, RULES, 0.0, 1e6)[0].acted == 2


def test_rules_nobody_acts_on_come_first_and_are_questioned() -> None:
    events = [event for n in range(12) for event in firing(n, 1e5 if n < 11 else None, rule="other")] + firing(20, 5.0, act(20))
    first, second = noise(events, RULES, 0.0, 1e9)
    assert first.rule == "other"
    assert first.suggestions == ("nobody acted on any of 12 firings: should anybody be told of it?",)
    assert second == RuleNoise("r", 1, 1, 0, 0, 5.0)
    assert noise(events, RULES, 5e8, 1e9) == ()


def test_flapping_and_being_silenced_often_have_their_own_mends() -> None:
    events = [*firing(1, 10.0), Event(1500.0, "flapping", "", "", "r1", "r")]
    events += [Event(1600.0 + n, "silenced", "", "Ana", tags=(("rule", "r"),)) for n in range(3)]
    assert [text.split(":")[0] for text in noise(events, RULES, 0.0, 1e6)[0].suggestions] == [
        "it flapped once",
        "it was silenced 3 times",
    ]
