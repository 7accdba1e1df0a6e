"""What the console asks the collector about alerts by itself, and what it says until that answers."""

from __future__ import annotations

import pytest

from monitor.alerting.why_routed import Routed
from monitor.wire import messages as m
from tests.monitor.alerting.routing.alerts import Stage as Routes
from tests.monitor.alerting.routing.alerts import route
from tests.ui.views.conftest import Stage
from ui.client.fake_alerts import CommandError
from ui.views.alertask import FRESH, MAX_LOSSES, REFUSED
from ui.views.view import AlertDetail


@pytest.fixture
def console(demo: Stage) -> Stage:
    demo.press("4")
    demo.tick(2)
    demo.settle()
    return demo


def detail(stage: Stage) -> AlertDetail:
    alerts = stage.session.picture().alerts
    assert alerts is not None
    assert alerts.detail is not None
    return alerts.detail


def asked(stage: Stage) -> list[str]:
    return [request.alert for request in stage.asked if isinstance(request, m.WhyPaged)]


def with_routes(stage: Stage, **waiting: str) -> None:
    """The collector has one route, which takes everything."""
    routes = Routes(route("ops"))
    routes.groups.take(list(stage.mirror.alerts.values()), (), stage.fake.now)
    stage.fake.book.routed = Routed(routes.groups, (), stage.fake.book.alerts, waiting)


def test_the_routes_groups_and_receivers_are_in_the_reasons(console: Stage) -> None:
    with_routes(console, ops="the server answered 500")
    console.tick(int(FRESH) + 1)
    console.settle()
    titles = [row.title for row in detail(console).why]
    assert "Route ops" in titles
    assert titles.index("Waiting with its group") > titles.index("Route ops")
    assert detail(console).why_title == "Who was told, and who was not?"


def test_an_alert_is_asked_about_when_it_is_opened(console: Stage) -> None:
    console.press("j")
    console.settle()
    assert asked(console)[-1] == detail(console).id
    assert detail(console).why


def test_the_steps_known_here_stand_until_the_answer_is_there(console: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console.fake, "pump", lambda mirror: set())
    console.press("j")
    assert asked(console)[-1] == detail(console).id
    assert len(detail(console).why) == 6


def test_a_question_is_not_put_again_before_its_answer_nor_within_two_seconds(console: Stage) -> None:
    before = len(asked(console))
    for _ in range(20):
        console.settle()
    assert len(asked(console)) == before
    console.tick(10)
    assert 1 <= len(asked(console)) - before <= 6


def test_a_collector_that_refuses_is_not_asked_again_for_a_while(console: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(request: m.Request) -> object:
        raise CommandError("this collector has no command WhyPaged")

    monkeypatch.setattr(console.fake.book, "command", refuse)
    console.press("j")
    before = len(asked(console))
    console.tick(int(REFUSED) - 5)
    assert len(asked(console)) == before
    assert detail(console).why
    assert console.toast == ""


def test_a_collector_that_hangs_up_at_the_question_is_soon_left_alone(console: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    talk = console.fake._dialogue
    send = talk._send

    def hang_up(request: m.Request) -> None:
        if isinstance(request, m.WhyPaged):
            console.fake.disconnect("it sent what cannot be read")
        else:
            send(request)

    monkeypatch.setattr(talk, "_send", hang_up)
    before = len(asked(console))
    for _ in range(5):
        console.press("j")
        console.fake.reconnect()
        console.tick(3)
    assert len(asked(console)) - before == MAX_LOSSES
    assert console.mirror.connected
    assert detail(console).why


@pytest.mark.parametrize("result", [None, [], {"steps": None}, {"steps": [{"title": 1}]}, {"steps": "x"}])
def test_an_answer_that_cannot_be_read_changes_nothing(console: Stage, monkeypatch: pytest.MonkeyPatch, result: object) -> None:
    monkeypatch.setattr(console.fake.book, "command", lambda request: result)
    console.press("j")
    console.settle()
    assert len(detail(console).why) == 6


def test_the_past_is_explained_without_the_collector(console: Stage) -> None:
    console.fake.keep(console.fake.now - 7200)
    console.tick(2)
    before = len(asked(console))
    console.session.rewind(console.fake.now - 60)
    console.tick(5)
    assert console.session.ctx.rewound
    assert len(asked(console)) == before
