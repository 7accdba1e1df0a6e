from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.alerting.routing import Inhibition, Inhibitor
from tests.monitor.alerting.routing.alerts import inhibition

RULES = (
    inhibition('severity="critical"', 'severity=~"warning|info"', "host", "service"),
    inhibition('alertname="Down"', "", "host"),
)
LABELS = st.dictionaries(
    st.sampled_from(("severity", "host", "service", "alertname")),
    st.sampled_from(("critical", "warning", "a", "", "Down")),
    max_size=4,
)


def test_a_source_holds_back_targets_with_the_same_values() -> None:
    inhibitor = Inhibitor(RULES[:1])
    inhibitor.put("x", {"severity": "critical", "host": "a", "service": "s"})
    assert inhibitor.holds_back({"severity": "warning", "host": "a", "service": "s"}) == ("x",)
    assert inhibitor.holds_back({"severity": "warning", "host": "b", "service": "s"}) == ()


def test_a_missing_label_equals_an_empty_one() -> None:
    inhibitor = Inhibitor(RULES[:1])
    inhibitor.put("x", {"severity": "critical", "host": "a"})
    assert inhibitor.holds_back({"severity": "info", "host": "a", "service": ""}) == ("x",)


def test_what_fires_no_more_holds_nothing_back() -> None:
    inhibitor = Inhibitor(RULES[:1])
    inhibitor.put("x", {"severity": "critical"})
    inhibitor.drop("x")
    assert inhibitor.holds_back({"severity": "warning"}) == ()


def test_nothing_inhibits_itself_nor_two_alerts_each_other() -> None:
    inhibitor = Inhibitor(RULES[1:])
    inhibitor.put("x", {"alertname": "Down", "host": "a"})
    inhibitor.put("y", {"alertname": "Down", "host": "a"})
    assert inhibitor.holds_back({"alertname": "Down", "host": "a"}) == ()
    assert inhibitor.holds_back({"alertname": "Slow", "host": "a"}) == ("x",)


@given(st.lists(LABELS, max_size=8), LABELS)
def test_it_agrees_with_looking_at_every_alert(firing: list[dict[str, str]], asked: dict[str, str]) -> None:
    inhibitor = Inhibitor(RULES)
    for number, labels in enumerate(firing):
        inhibitor.put(str(number), labels)
    assert bool(inhibitor.holds_back(asked)) == any(_slowly(rule, asked, labels) for rule in RULES for labels in firing)


def _slowly(rule: Inhibition, target: dict[str, str], source: dict[str, str]) -> bool:
    def meets(side: str, labels: dict[str, str]) -> bool:
        return all(matcher.test(labels.get(matcher.name, "")) for matcher in getattr(rule, side))

    both_sided = meets("source", target) and meets("target", source)
    same = all(source.get(name, "") == target.get(name, "") for name in rule.equal)
    return meets("source", source) and meets("target", target) and same and not both_sided
