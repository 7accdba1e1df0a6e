"""The second line: what it says first, what it passes over, and that each moment begins with nothing of another."""

from __future__ import annotations

from monitor.wire import messages as m
from ui.client.fake import FakeCollector
from ui.client.mirror import Link, LinkChanged, Mirror
from ui.client.past import Past, PastMirror

NOW = 1_000_000.0


def collector() -> FakeCollector:
    fake = FakeCollector(now=NOW)
    fake.gauge("room.warmth", lambda times: times * 1.0)
    fake.keep(NOW - 86_400)
    return fake


def looking(fake: FakeCollector, at: float, speed: float = 0.0) -> Past:
    past = Past(fake.another)
    past.go(at, speed)
    past.pump()
    return past


def hello(boot: str, rewound: float) -> m.Hello:
    return m.Hello("1", "x", boot, rewound or NOW, 1.0, (60.0,), 3600.0, rewound=rewound)


def test_it_asks_for_its_moment_and_speed_when_it_connects() -> None:
    mirror = PastMirror(NOW - 100, 2.0)
    (resume,) = mirror.opening("Mira", "desktop")
    assert isinstance(resume, m.Resume)
    assert (resume.at, resume.speed, resume.who) == (NOW - 100, 2.0, "Mira")


def test_after_a_lost_link_it_goes_on_from_where_it_had_come() -> None:
    mirror = PastMirror(NOW - 100)
    mirror.opening()
    mirror.apply(hello("a", NOW - 100))
    mirror.apply(m.Health(NOW - 40, {}))
    (resume,) = mirror.opening()
    assert isinstance(resume, m.Resume)
    assert resume.at == NOW - 40


def test_what_is_told_of_the_present_is_passed_over() -> None:
    mirror = PastMirror(NOW - 100)
    assert mirror.apply(hello("live", 0.0)) == set()
    assert mirror.hello is None
    mirror.apply(m.Health(NOW, {"rewind_progress": 0.25}))
    assert (mirror.progress, mirror.time) == (0.25, 0.0)
    mirror.apply(hello("past", NOW - 100))
    assert (mirror.progress, mirror.generation, mirror.time) == (None, 1, NOW - 100)


def test_a_refusal_is_kept_for_who_asked() -> None:
    mirror = PastMirror(NOW - 100)
    (resume,) = mirror.opening()
    mirror.apply(m.Reply(resume.id, "this collector keeps no history"))
    assert mirror.error == "this collector keeps no history"
    assert mirror.progress is None


def test_a_moment_is_told_whole_and_stands() -> None:
    fake = collector()
    past = looking(fake, NOW - 5000)
    assert past.mirror is not None
    wish = past.mirror.subscribe("room.warmth", ("last",), backfill=600.0, track=True)
    past.pump()
    assert wish.time == NOW - 5000
    times, values = wish.track(int(wish.rows[0]), "last")
    assert times[-1] == NOW - 5000
    assert times[0] <= NOW - 5500
    fake.advance(10)
    past.pump()
    assert past.mirror.time == NOW - 5000
    assert values[-1] == NOW - 5001


def test_a_jump_leaves_nothing_of_the_moment_before() -> None:
    fake = collector()
    past = looking(fake, NOW - 5000)
    assert past.mirror is not None
    past.mirror.subscribe("room.warmth", ("last",), track=True)
    past.pump()
    past.go(NOW - 9000)
    past.pump()
    assert past.mirror.generation == 2
    assert past.mirror.time == NOW - 9000
    assert not past.mirror.subscriptions
    assert past.mirror.hello is not None
    assert past.mirror.hello.rewound == NOW - 9000


def test_it_plays_with_points_as_far_apart_as_frames_come() -> None:
    fake = collector()
    past = looking(fake, NOW - 5000, 60.0)
    assert past.mirror is not None
    assert past.mirror.interval == 15.0
    wish = past.mirror.subscribe("room.warmth", ("last",), track=True)
    past.pump()
    for _ in range(5):
        fake.advance(1)
        past.pump()
    assert past.mirror.time == NOW - 5000 + 300
    assert not wish.gaps()
    past.play(0.0)
    past.pump()
    fake.advance(3)
    past.pump()
    assert past.mirror.time == NOW - 5000 + 300


def test_a_refused_jump_says_why_and_what_was_shown_stays() -> None:
    fake = collector()
    past = looking(fake, NOW - 5000)
    past.go(NOW - 200_000)
    past.pump()
    assert past.mirror is not None
    assert past.mirror.error == "nothing is kept of that moment"
    assert past.mirror.time == NOW - 5000


def test_one_that_was_let_go_says_so_and_is_not_opened_again() -> None:
    fake = collector()
    past = looking(fake, NOW - 5000)
    for line in fake.pasts:
        line.let_go("nobody had asked anything for 30 min")
    past.pump()
    assert past.ended.startswith("nobody had asked")
    past.end()
    assert past.mirror is None
    assert not fake.pasts


def test_without_a_way_there_is_no_past() -> None:
    past = Past(None)
    assert not past.possible
    past.go(NOW)
    assert past.pump() == set()
    assert past.mirror is None


def test_a_live_mirror_knows_nothing_of_it() -> None:
    mirror = Mirror()
    mirror.apply(LinkChanged(Link("connected", NOW)))
    mirror.apply(hello("live", 0.0))
    assert mirror.hello is not None
