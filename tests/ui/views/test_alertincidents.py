"""Incidents head the list of alerts: their line stands for all their alerts, and can be folded."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.alerting.incidents import Incident
from monitor.wire import messages as m
from tests.ui.views.conftest import Stage
from ui.views.alertbook import WITHIN
from ui.views.view import AlertRow, AlertsView


def view(stage: Stage) -> AlertsView:
    alerts = stage.session.picture().alerts
    assert alerts is not None
    return alerts


def incident_of(stage: Stage, *alerts: str, name: str = "incident-1", **more: Any) -> Incident:
    begun = min(stage.fake.book.alerts[alert].since for alert in alerts)
    fields: dict[str, Any] = {"state": "open", "joined_at": begun, "cause": alerts[-1], "cause_rule": "slow_latency"} | more
    return Incident(id=name, begun=begun, alerts=alerts, severity="critical", labels=(), **fields)


@pytest.fixture
def storm(demo: Stage) -> Stage:
    """The console with an incident of the second, third and fourth alert, the fourth its probable cause."""
    demo.press("4")
    demo.tick(2)
    names = [row.id for row in view(demo).rows[1:4]]
    demo.fake.book.incidents = {"incident-1": incident_of(demo, *names)}
    demo.tick(15)
    demo.settle()
    return demo


def names(stage: Stage) -> list[str]:
    return [row.name for row in view(stage).rows]


def first(stage: Stage) -> AlertRow:
    return view(stage).rows[0]


def test_an_incident_heads_its_alerts_with_the_probable_cause_first(storm: Stage) -> None:
    rows = view(storm).rows
    cause = storm.fake.book.incidents["incident-1"].cause
    assert [row.incident for row in rows] == [True] + [False] * 7
    assert rows[1].id == cause
    assert rows[0].name == f"[-] 3 alerts: {rows[1].name.removeprefix(WITHIN)}"
    assert [row.name.startswith(WITHIN) for row in rows] == [False, True, True, True, *[False] * 4]
    assert (rows[0].where, rows[0].age) == (rows[1].where, "15 min")
    assert {row.id for row in rows[1:4]} == set(storm.fake.book.incidents["incident-1"].alerts)
    assert dict(view(storm).groups)["Firing"] == 7


def test_an_incident_is_folded_and_unfolded_from_its_line_and_from_its_alerts(storm: Stage) -> None:
    storm.press("home", "enter")
    assert len(names(storm)) == 5
    assert names(storm)[0].startswith("[+] 3 alerts: ")
    storm.press("f")
    assert len(names(storm)) == 8
    storm.press("j", "f")
    assert len(names(storm)) == 5
    assert view(storm).cursor == 0


def test_the_line_of_an_incident_shows_its_cause(storm: Stage) -> None:
    storm.press("home")
    detail = view(storm).detail
    assert detail is not None
    assert detail.id == storm.fake.book.incidents["incident-1"].cause


def test_acknowledging_an_incident_takes_all_its_alerts(storm: Stage) -> None:
    storm.press("home", "a")
    storm.tick()
    alerts = storm.fake.book.incidents["incident-1"].alerts
    assert all(storm.mirror.alerts[alert].ack is not None for alert in alerts)
    assert storm.toast.startswith("3 alerts acknowledged until ")
    assert first(storm).acked_by == "Mira"


def test_silencing_an_incident_is_a_draft_for_all_its_alerts(storm: Stage) -> None:
    storm.press("home", "s")
    draft = storm.session.ctx.desk.silence
    assert draft is not None
    assert set(draft.alerts) == set(storm.fake.book.incidents["incident-1"].alerts)


def test_a_mark_on_an_incident_marks_all_its_alerts(storm: Stage) -> None:
    storm.session.mark(0)
    assert view(storm).marked == 3
    assert first(storm).marked
    storm.session.mark(0)
    assert view(storm).marked == 0


def test_an_alert_of_no_incident_cannot_be_folded(storm: Stage) -> None:
    storm.press("end")
    assert storm.session.enabled("incident.fold") == (False, "This alert stands under no incident.")


def test_a_folded_incident_is_unfolded_for_the_alert_that_is_sought(storm: Stage) -> None:
    storm.press("home", "f")
    alert = storm.mirror.alerts[storm.fake.book.incidents["incident-1"].alerts[0]]
    storm.session.alerts.seek(alert)
    storm.settle()
    assert len(names(storm)) == 8
    assert view(storm).rows[view(storm).cursor].id == alert.id


@pytest.mark.parametrize("change", [{"state": "resolved"}, {"merged_into": "incident-0"}])
def test_one_that_is_over_or_merged_heads_nothing(storm: Stage, change: dict[str, Any]) -> None:
    alerts = storm.fake.book.incidents["incident-1"].alerts
    storm.fake.book.incidents = {"incident-1": incident_of(storm, *alerts, **change)}
    storm.tick(15)
    storm.settle()
    assert not any(row.incident for row in view(storm).rows)


def test_an_incident_of_one_alert_has_no_line(storm: Stage) -> None:
    alerts = storm.fake.book.incidents["incident-1"].alerts
    storm.fake.book.incidents = {"incident-1": incident_of(storm, alerts[0])}
    storm.tick(15)
    storm.settle()
    assert not any(row.incident for row in view(storm).rows)


def test_rows_do_not_change_their_incident_while_somebody_reads(storm: Stage) -> None:
    storm.press("j")
    before = [row.id for row in view(storm).rows]
    others = [row.id for row in view(storm).rows[4:7]]
    storm.fake.book.incidents["incident-2"] = incident_of(storm, *others, name="incident-2")
    storm.fake.book.fire(others[0])
    storm.tick(5)
    assert [row.id for row in view(storm).rows if row.id in before] == before
    storm.tick(15)
    assert sum(row.incident for row in view(storm).rows) == 2


def test_incidents_are_asked_for_when_alerts_change_and_at_most_every_two_seconds(storm: Stage) -> None:
    before = sum(isinstance(request, m.GetIncidents) for request in storm.asked)
    for _ in range(10):
        storm.fake.book.fire(view(storm).rows[-1].id)
        storm.tick()
    asked = sum(isinstance(request, m.GetIncidents) for request in storm.asked) - before
    assert 2 <= asked <= 6


@pytest.mark.parametrize("result", [None, {"incidents": None}, {"incidents": [{"id": 1}]}, {"incidents": "x"}])
def test_an_answer_that_cannot_be_read_heads_nothing(storm: Stage, monkeypatch: pytest.MonkeyPatch, result: object) -> None:
    monkeypatch.setattr(storm.fake.book, "command", lambda request: result)
    storm.tick(15)
    storm.settle()
    assert len(names(storm)) == 7
