"""The line stream: each change of an alert is a whole line of plain text."""

from __future__ import annotations

from datetime import UTC

import msgspec

from tests.ui.terminal.test_cells import HOSTILE
from ui.client.fake import FakeCollector
from ui.client.mirror import Mirror
from ui.terminal.plain import Teller
from ui.views.format import Words


class Listener:
    """A teller on the demonstration."""

    def __init__(self) -> None:
        self.fake = FakeCollector.demo()
        self.mirror = Mirror()
        self.teller = Teller(self.mirror, Words(UTC))
        self.fake.start()

    def hear(self) -> list[str]:
        return self.teller.changes(self.fake.pump(self.mirror), self.fake.now)


def test_the_first_lines_say_who_is_heard_and_what_fires() -> None:
    lines = Listener().hear()
    assert lines[0] == "14:21:36 Connected: harbour-1."
    assert sum("FIRING" in line for line in lines) == 6
    assert "14:21:36 FIRING critical: Requests are slow, payments, prod: 1.15 s, limit above 1 s; for 11 min." in [
        line.replace(" 11 min 0 s", " 11 min") for line in lines
    ]
    assert not any("RESOLVED" in line for line in lines)


def test_what_did_not_change_is_not_said_again() -> None:
    listener = Listener()
    listener.hear()
    listener.fake.advance(5)
    assert listener.hear() == []


def test_a_change_of_owner_is_one_line() -> None:
    listener = Listener()
    listener.hear()
    held = next(a for a in listener.fake.book.alerts.values() if a.ack is not None)
    listener.fake.book.put(msgspec.structs.replace(held, ack=None))
    listener.fake.advance()
    lines = listener.hear()
    assert len(lines) == 1
    assert "Requests are slow, orders-db" in lines[0]


def test_a_lost_link_is_said_once_and_its_return_too() -> None:
    listener = Listener()
    listener.hear()
    listener.fake.disconnect("the line is cut")
    assert listener.hear() == ["14:21:36 Blind: the collector does not answer (the line is cut). Trying again."]
    assert "No connection" in listener.teller.summary(listener.fake.now)
    listener.fake.reconnect()
    assert listener.hear() == ["14:21:36 Back: harbour-1."]


def test_the_summary_counts_by_severity() -> None:
    listener = Listener()
    listener.hear()
    assert listener.teller.summary(listener.fake.now).startswith(
        "14:21:36 5 critical, 2 warning firing, 1 with an owner, 2 silenced."
    )


def test_outside_text_cannot_write_escapes_into_the_stream() -> None:
    listener = Listener()
    listener.hear()
    held = next(a for a in listener.fake.book.alerts.values() if a.ack is not None)
    assert held.ack is not None
    evil = msgspec.structs.replace(held.ack, who=HOSTILE, note=HOSTILE)
    listener.fake.book.put(msgspec.structs.replace(held, ack=evil))
    listener.fake.advance()
    (line,) = listener.hear()
    assert line.isprintable()
