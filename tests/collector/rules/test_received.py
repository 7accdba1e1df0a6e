"""Posted alerts are kept, merged and ended as an Alertmanager does, and fire in the book until they are over."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.rules import received as module
from collector.rules.received import RESOLVE_TIMEOUT, SUFFIX, Received, ReceivedAlerts, ReceivedError, merged, received
from monitor.alerting.book import AlertBook
from monitor.alerting.model import Alert, State
from monitor.alerting.outcome import Outcome
from monitor.engine import Engine, EngineSettings

NOW = 1_700_000_000.0


def posted(
    now: float = NOW, starts: float | None = None, ends: float | None = None, summary: str = "", **labels: str
) -> Received:
    said = {"summary": summary} if summary else {}
    return received(labels or {"alertname": "Leak", "house": "7"}, said, starts, ends, "http://prom/graph", now)[0]


class World:
    """A book that is told what is received, on a clock of its own."""

    def __init__(self, book: AlertBook | None = None) -> None:
        self.alerts = ReceivedAlerts()
        self.book = book or AlertBook()
        self._engine = Engine(EngineSettings())

    def judge(self, now: float) -> Outcome:
        self.alerts.look(now)
        return self.book.judge(now, self.alerts.rules, self._engine, self.alerts.answers)

    def states(self) -> list[tuple[str, State]]:
        return [(dict(alert.labels)["alertname"], alert.state) for alert in self.book.alerts.values()]

    def only(self) -> Alert:
        (alert,) = self.book.alerts.values()
        return alert


def test_a_posted_alert_fires_with_its_own_labels_start_and_summary() -> None:
    world = World()
    world.alerts.put(posted(starts=NOW - 60, summary="The cellar is wet", alertname="Leak", severity="page", house="7"))
    world.judge(NOW + 1)
    alert = world.only()
    assert alert.state is State.FIRING
    assert alert.labels == (("alertname", "Leak"), ("house", "7"), ("severity", "page"))
    assert (alert.severity, alert.detail, alert.active_at, alert.rule_id) == (
        "critical",
        "The cellar is wet",
        NOW - 60,
        "Leak" + SUFFIX,
    )


def test_it_is_over_when_its_end_is_posted() -> None:
    world = World()
    world.alerts.put(posted())
    world.judge(NOW + 1)
    world.alerts.put(posted(NOW + 2, NOW - 60, NOW + 2))
    world.judge(NOW + 3)
    assert world.only().state is State.RESOLVED
    assert len(world.alerts) == 0


def test_it_is_over_five_minutes_after_it_was_posted_last() -> None:
    world = World()
    world.alerts.put(posted())
    world.judge(NOW + 1)
    world.alerts.put(posted(NOW + 200))
    world.judge(NOW + 200 + RESOLVE_TIMEOUT - 1)
    assert world.only().state is State.FIRING
    world.judge(NOW + 200 + RESOLVE_TIMEOUT)
    assert world.only().state is State.RESOLVED


def test_the_end_of_what_nobody_has_heard_of_is_no_alert() -> None:
    world = World()
    world.alerts.put(posted(NOW, NOW - 60, NOW - 1))
    world.judge(NOW + 1)
    assert not world.book.alerts


def test_what_fires_goes_on_over_a_restart_and_is_not_told_as_new() -> None:
    world = World()
    world.alerts.put(posted())
    world.judge(NOW + 1)
    before = world.only()
    book = AlertBook()
    book.restore([before], [], world.book.revision, NOW + 30, 29.0)
    after = World(book)
    after.alerts.restore(book.alerts.values(), NOW + 30)
    outcome = after.judge(NOW + 31)
    assert (after.only().state, after.only().fired_at) == (State.FIRING, before.fired_at)
    assert not outcome.events
    after.alerts.put(posted(NOW + 60))
    after.judge(NOW + 61)
    assert after.only().fired_at == before.fired_at
    after.judge(NOW + 60 + RESOLVE_TIMEOUT)
    assert after.only().state is State.RESOLVED


def test_what_never_comes_again_after_a_restart_is_over_after_five_minutes() -> None:
    world = World()
    world.alerts.put(posted())
    world.judge(NOW + 1)
    book = AlertBook()
    book.restore([world.only()], [], world.book.revision, NOW + 30)
    after = World(book)
    after.alerts.restore(book.alerts.values(), NOW + 30)
    after.judge(NOW + 31)
    after.judge(NOW + 30 + RESOLVE_TIMEOUT)
    assert after.only().state is State.RESOLVED


@pytest.mark.parametrize(
    ("labels", "starts", "ends", "why"),
    [
        ({}, None, None, "at least one label pair required"),
        ({"alertname": ""}, None, None, "at least one label pair required"),
        ({"a": "b"}, NOW, NOW - 1, "start time must be before end time"),
        ({"": "b"}, None, None, "a label's name has 1 to"),
        ({"a": "x" * 1025}, None, None, "at most 1,024"),
        ({f"l{number}": "x" for number in range(65)}, None, None, "at most 64"),
    ],
)
def test_what_is_no_alert_is_refused_with_a_sentence(
    labels: dict[str, str], starts: float | None, ends: float | None, why: str
) -> None:
    with pytest.raises(ReceivedError, match=why):
        received(labels, {}, starts, ends, "", NOW)


def test_alerts_and_names_have_bounds_and_what_is_beyond_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ALERTS", 3)
    monkeypatch.setattr(module, "MAX_RULES", 2)
    world = World()
    world.alerts.put(posted(alertname="a"))
    world.alerts.put(posted(alertname="b"))
    with pytest.raises(ReceivedError, match="2 names") as refused:
        world.alerts.put(posted(alertname="c"))
    assert refused.value.full
    world.alerts.put(posted(alertname="a", house="7"))
    with pytest.raises(ReceivedError, match="3 alerts"):
        world.alerts.put(posted(alertname="a", house="8"))
    world.alerts.put(posted(alertname="a"))  # what is known is renewed whatever the bounds
    assert world.alerts.figures()["received_alerts_refused_total"] == 2


def test_a_name_without_alerts_makes_room_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_RULES", 1)
    world = World()
    world.alerts.put(posted(alertname="a"))
    world.judge(NOW + 1)
    world.judge(NOW + RESOLVE_TIMEOUT + 1)
    world.alerts.put(posted(NOW + 400, alertname="b"))
    world.judge(NOW + 401)
    assert world.states() == [("a", State.RESOLVED), ("b", State.FIRING)]


def test_texts_that_would_steer_a_terminal_reach_no_rule() -> None:
    world = World()
    world.alerts.put(posted(summary="a\x1b[2Jb\u202e", alertname="x\x1by"))
    world.judge(NOW + 1)
    assert world.alerts.rules[0].id == "x\ufffdy" + SUFFIX
    assert world.only().detail == "a\ufffd[2Jb\ufffd"


moments = st.integers(0, 20).map(lambda second: NOW + second)


@st.composite
def alerts(draw: st.DrawFn) -> Received:
    starts, updated = draw(moments), draw(moments)
    return Received((), (), starts, starts + draw(st.integers(0, 20)), updated, draw(st.booleans()))


def _as_there(old: Received, new: Received) -> tuple[float, float]:
    """Alertmanager's rule, step by step: (start, end) of what is kept."""
    overlap = (old.starts < new.ends < old.ends) or (old.starts < new.starts < old.ends)
    if not overlap:
        return new.starts, new.ends
    ends = new.ends
    if new.ends > new.updated and old.ends > new.ends and not old.open_ended:
        ends = old.ends
    return min(old.starts, new.starts), ends


@given(st.lists(alerts(), min_size=2, max_size=6))
def test_merging_follows_alertmanagers_rule(seen: Sequence[Received]) -> None:
    ordered = sorted(seen, key=lambda alert: alert.updated)
    kept = ordered[0]
    for new in ordered[1:]:
        wanted = _as_there(kept, new)
        kept = merged(kept, new)
        assert (kept.starts, kept.ends) == wanted
        assert kept.updated == new.updated
