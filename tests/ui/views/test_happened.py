"""Deploys, changes and incidents are marked on every chart."""

from __future__ import annotations

from monitor.alerting.model import Event
from monitor.wire import messages as m
from ui.client.mirror import Mirror
from ui.views.chart import Chart, Charts
from ui.views.format import Words
from ui.views.happened import MOST, Happened


def told(*events: Event) -> Mirror:
    mirror = Mirror()
    mirror.apply(m.Events(events))
    return mirror


def chart() -> Chart:
    return Chart("c", "Title", (), (100.0, 200.0), Words())


def test_an_event_within_the_range_is_marked_with_its_words() -> None:
    mirror = told(Event(150.0, "deploy", "api 1.4", id=1), Event(90.0, "deploy", "api 1.3", id=2))
    view = Charts(Happened(mirror)).get("c", 1, chart)
    assert [(marker.at, marker.label) for marker in view.markers] == [(150.0, "api 1.4")]


def test_a_chart_that_stands_gets_the_mark_of_what_happens_next() -> None:
    mirror = told(Event(150.0, "deploy", "api 1.4", id=1))
    charts = Charts(Happened(mirror))
    before = charts.get("c", 1, chart)
    assert charts.get("c", 1, chart) is before
    mirror.apply(m.Events((Event(160.0, "incident", "payments down", id=2),)))
    assert [marker.label for marker in charts.get("c", 1, chart).markers] == ["api 1.4", "payments down"]


def test_what_people_do_to_alerts_is_no_mark_of_every_chart() -> None:
    mirror = told(
        Event(150.0, "acknowledged", "Mira acknowledged", "Mira", "a1", id=1), Event(151.0, "note", "n", alert="a1", id=2)
    )
    assert Charts(Happened(mirror)).get("c", 1, chart).markers == ()


def test_only_the_newest_of_many_are_marked_and_none_brings_control_characters() -> None:
    mirror = told(*(Event(100.0 + number, "event", f"e{number}\x1b[31m", id=number + 1) for number in range(50)))
    labels = [marker.label for marker in Charts(Happened(mirror)).get("c", 1, chart).markers]
    assert len(labels) == MOST
    assert not any("\x1b" in label for label in labels)
    assert labels[-1].startswith("e49")
