"""What is due for Alertmanagers: at once when it begins or ends, again every minute, its end for a quarter of an hour."""

from __future__ import annotations

from msgspec.structs import replace

from collector.actions.outgoing import Outgoing, Resending
from collector.server.alertmanager.names import fingerprint_of
from collector.server.alertmanager.said import Said
from monitor.alerting.model import Alert, State

NOW = 1_700_000_000.0


class World:
    def __init__(self) -> None:
        self.alerts: dict[str, Alert] = {}
        self.relayed = False
        self._revision = 0
        self._resending = Resending()

    def fires(self, name: str = "1", at: float = NOW, room: str = "", dotted: str = "", scored: str = "") -> None:
        self._revision += 1
        labels = {"alertname": "hot", "room": room, "a.b": dotted, "a_b": scored}
        shown = tuple(sorted(pair for pair in labels.items() if pair[1]))
        self.alerts[name] = Alert(name, "hot", shown, "warning", State.FIRING, at, 1.0, 0.0, fired_at=at, revision=self._revision)

    def ends(self, name: str = "1", at: float = NOW) -> None:
        self._revision += 1
        self.alerts[name] = replace(self.alerts[name], state=State.RESOLVED, resolved_at=at, since=at, revision=self._revision)

    def due(self, now: float) -> list[Outgoing]:
        return self._resending.due(now, self._revision, self.alerts, self._said)

    def _said(self, alert: Alert) -> Said:
        return Said((("summary", "s"),), alert.fired_at or 0.0, relayed=self.relayed)


def test_what_fires_is_sent_at_once_and_then_every_minute() -> None:
    world = World()
    world.fires(room="attic")
    (sent,) = world.due(NOW)
    assert (sent.labels, sent.starts, sent.ended) == ((("alertname", "hot"), ("room", "attic")), NOW, None)
    assert sent.fingerprint == fingerprint_of(sent.labels)
    assert [len(world.due(NOW + second)) for second in (1, 30, 59, 60, 61, 119, 120)] == [0, 0, 0, 1, 0, 0, 1]


def test_an_end_is_sent_at_once_and_for_fifteen_minutes() -> None:
    world = World()
    world.fires()
    world.due(NOW)
    world.ends(at=NOW + 10)
    (sent,) = world.due(NOW + 10)
    assert sent.ended == NOW + 10
    again = [second for second in range(11, 2000) if world.due(NOW + second)]
    assert again == [70 + 60 * turn for turn in range(14)]


def test_after_a_restart_what_ended_lately_is_told_once_more_and_what_ended_long_ago_is_not() -> None:
    world = World()
    world.fires("1")
    world.ends("1", NOW - 60)
    world.fires("2", room="roof")
    world.ends("2", NOW - 1000)
    assert [sent.ended for sent in world.due(NOW)] == [NOW - 60]


def test_an_alert_that_fires_again_is_sent_as_firing() -> None:
    world = World()
    world.fires()
    world.due(NOW)
    world.ends(at=NOW + 5)
    world.due(NOW + 5)
    world.fires(at=NOW + 8)
    (sent,) = world.due(NOW + 8)
    assert (sent.ended, sent.starts) == (None, NOW + 8)


def test_the_end_of_one_of_two_that_look_alike_there_is_not_told() -> None:
    world = World()
    world.fires("1", dotted="x")
    world.fires("2", scored="x")
    first, second = world.due(NOW)
    assert first.fingerprint == second.fingerprint
    world.ends("1", NOW + 1)
    assert world.due(NOW + 1) == []
    world.ends("2", NOW + 2)
    assert [sent.ended for sent in world.due(NOW + 2)] == [NOW + 2]


def test_what_another_lightship_posted_goes_no_further_unless_its_source_posts_it_too() -> None:
    world = World()
    world.relayed = True
    world.fires()
    assert world.due(NOW) == []
    assert world.due(NOW + 60) == []
    world.relayed = False
    assert len(world.due(NOW + 120)) == 1


def test_nothing_of_an_alert_is_kept_when_its_end_has_been_told_for_long_enough() -> None:
    world = World()
    world.fires()
    world.due(NOW)
    world.ends(at=NOW + 1)
    world.due(NOW + 1)
    for second in range(60, 1200, 60):
        world.due(NOW + second)
    assert len(world._resending) == 0
