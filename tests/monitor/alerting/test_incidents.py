"""Alerts that belong together are one incident, with the probable cause first."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from monitor.alerting.causes import probable_cause
from monitor.alerting.incidents import Incident, Incidents
from monitor.alerting.model import Acknowledgement, Alert, State
from tests.monitor.alerting.routing.alerts import alert_of

CALLS = {"web": ["cart"], "cart": ["db"], "mail": ["smtp"]}


class Scene:
    """`fire("cart", 5)` at second 5; `kept` is what was stored."""

    def __init__(self) -> None:
        self.incidents = Incidents()
        self.alerts: dict[str, Alert] = {}
        self.kept: dict[str, Incident] = {}

    def put(self, alert: Alert, at: float) -> None:
        self.alerts[alert.id] = alert
        changed, gone = self.incidents.step(at, [alert], self.alerts, CALLS)
        self.kept.update((one.id, one) for one in changed)
        for name in gone:
            del self.kept[name]

    def fire(self, service: str, at: float, **labels: str) -> str:
        alert = alert_of({"service": service, **labels}, at=at)
        self.put(alert, at)
        return alert.id

    def end(self, name: str, at: float) -> None:
        self.put(replace(self.alerts[name], state=State.RESOLVED, resolved_at=at, ack=None), at)

    def acknowledge(self, name: str, at: float) -> None:
        self.put(replace(self.alerts[name], ack=Acknowledgement("Ana", at)), at)

    def restart(self) -> None:
        self.incidents = Incidents()
        self.incidents.restore(self.kept.values(), self.alerts)

    @property
    def live(self) -> list[Incident]:
        return [one for one in self.incidents.by_id.values() if one.state != "resolved"]


def test_alerts_of_services_that_call_each_other_are_one_incident_whose_cause_is_the_most_upstream() -> None:
    scene = Scene()
    web = scene.fire("web", 0)
    cart = scene.fire("cart", 20)
    assert scene.live[0].cause == cart, "web fails because cart does, though it was seen first"
    db = scene.fire("db", 40)
    (incident,) = scene.live
    assert (incident.alerts, incident.cause) == ((web, cart, db), db)
    scene.fire("mail", 50)
    assert len(scene.live) == 2, "nothing relates it"


def test_equal_labels_relate_alerts_and_only_those_in_common_are_the_incidents() -> None:
    scene = Scene()
    scene.fire("x", 0, host="h1", alertname="cpu")
    scene.fire("y", 5000, host="h1", alertname="disk")
    (incident,) = scene.live
    assert incident.labels == (("host", "h1"), ("severity", "warning"))


def test_calls_relate_only_what_begins_near_in_time() -> None:
    scene = Scene()
    scene.fire("db", 0)
    scene.fire("cart", 700)
    assert len(scene.live) == 2


def test_two_incidents_that_turn_out_to_be_one_go_on_under_the_older_id() -> None:
    scene = Scene()
    web, db = scene.fire("web", 0), scene.fire("db", 10)
    older, younger = sorted(scene.live, key=lambda one: one.begun)
    cart = scene.fire("cart", 20)
    (incident,) = scene.live
    assert (incident.id, set(incident.alerts), incident.cause) == (older.id, {web, db, cart}, db)
    assert scene.kept[younger.id].merged_into == older.id
    assert scene.incidents.of_alert(db) == incident


def test_its_life_from_open_over_acknowledged_to_resolved_and_open_again() -> None:
    scene = Scene()
    web, cart = scene.fire("web", 0), scene.fire("cart", 10)
    name = scene.live[0].id
    scene.acknowledge(cart, 20)
    states = [scene.live[0].state]
    scene.acknowledge(web, 30)
    states.append(scene.live[0].state)
    assert states == ["open", "acknowledged"]
    scene.end(web, 40)
    scene.end(cart, 50)
    assert (scene.kept[name].state, scene.kept[name].resolved_at) == ("resolved", 50)
    scene.fire("cart", 200)
    assert [(one.id, one.state) for one in scene.live] == [(name, "open")]
    scene.end(cart, 210)
    scene.fire("cart", 900)
    assert scene.live[0].id != name, "after five minutes it is another incident"


def test_services_in_a_circle_the_earliest_is_the_cause() -> None:
    first, second = alert_of({"service": "a"}, at=5), alert_of({"service": "b"}, at=1)
    assert probable_cause([first, second], {"a": ["b"], "b": ["a"]}) == second
    assert probable_cause([first, second], {"b": ["a"]}) == first
    assert probable_cause([replace(second, severity="info"), replace(first, fired_at=1.0)], {}).severity == "warning"


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("fear"), st.sampled_from(["web", "cart", "db", "mail", "x"])), max_size=40))
def test_a_restart_changes_nothing_and_every_firing_alert_is_in_one_open_incident(acts: list[tuple[str, str]]) -> None:
    straight, broken = Scene(), Scene()
    for step, (act, service) in enumerate(acts):
        at = step * 90.0
        for scene in (straight, broken):
            name = alert_of({"service": service}).id
            known = scene.alerts.get(name)
            firing = known is not None and known.state is State.FIRING
            if act == "f" and not firing:
                scene.fire(service, at)
            elif act == "e" and firing:
                scene.end(name, at)
            elif act == "a" and firing:
                scene.acknowledge(name, at)
        if act == "r":
            broken.restart()
        assert {one.id: one for one in straight.incidents.by_id.values()} == broken.incidents.by_id == broken.kept
        listed = sorted(name for one in straight.live for name in one.alerts if straight.alerts[name].state is State.FIRING)
        assert listed == sorted(alert.id for alert in straight.alerts.values() if alert.state is State.FIRING)
