"""Whatever is pressed, typed, lost or sent, there is a picture."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ui.views.conftest import Stage
from ui.client.fake import FakeCollector
from ui.views.actions import ACTIONS
from ui.views.session import DESKTOP, PHONE, TERMINAL

FIELDS = ("filter", "search", "palette", "silence.matchers", "silence.duration", "silence.reason", "note", "rule", "goto")
LISTS = ("alerts", "explore", "rules", "palette", "overview", "group", "silences", "firing", "busiest", "picked", "results")
TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["service=orders", "shop", "2h", "until 15:06", "@14:03", "-10m", "[[rule]]\nid = 3", 'x=~"(', "severity:critical"]
    ),
)
STEPS = st.one_of(
    st.tuples(st.just("act"), st.sampled_from([a.name for a in ACTIONS])),
    st.tuples(st.just("key"), st.sampled_from(sorted({k for a in ACTIONS for k in a.keys}))),
    st.tuples(st.just("text"), st.sampled_from(FIELDS), TEXTS),
    st.tuples(st.just("submit"), st.sampled_from(FIELDS)),
    st.tuples(st.just("open"), st.sampled_from(LISTS), st.integers(-2, 20)),
    st.tuples(st.just("point"), st.sampled_from(LISTS), st.integers(-2, 20)),
    st.tuples(
        st.just("choose"),
        st.sampled_from(["range", "window", "field", "sort", "group", "theme"]),
        st.sampled_from(["5 m", "p95", "Silences", "name", "x"]),
    ),
    st.tuples(st.just("zoom"), st.floats(-4000, 100), st.floats(-4000, 100)),
    st.tuples(st.just("crosshair"), st.floats(-4000, 100)),
    st.tuples(st.just("link"), st.sampled_from(["lost", "back", "restart"])),
    st.tuples(st.just("tick"), st.integers(1, 4)),
    st.tuples(st.just("resize"), st.sampled_from([DESKTOP, TERMINAL, PHONE])),
    st.tuples(st.just("hover"), st.booleans()),
)


def small() -> Stage:
    fake = FakeCollector(who="Mira")
    fake.gauge("host.cpu.busy", lambda t: 30 + 10 * np.sin(t / 60), unit="percent")
    fake.gauge("host.memory.used", lambda t: np.full(len(t), math.nan), unit="bytes")
    fake.counter("shop.requests", lambda t: np.full(len(t), 12.0), {"service": "orders", "x\x1b": "\u202ey"})
    fake.distribution(
        "shop.latency", lambda t: np.full(len(t), 40.0), lambda t: np.full(len(t), 9.0), {"service": "orders"}, "ms"
    )
    fake.book.load(
        "a.toml",
        '[[rule]]\nid = "busy"\nmetric = "host.cpu.busy"\n'
        'condition = { type = "threshold", operator = "gt", value = 20, window = "1m" }\n',
    )
    return Stage(fake).start()


def perform(stage: Stage, step: tuple[object, ...]) -> None:
    session, now = stage.session, stage.fake.now
    match step:
        case ("act", str(name)):
            session.perform(name)
        case ("key", str(key)):
            session.key(key)
        case ("text", str(what), str(text)):
            session.set_text(what, text, len(text))
        case ("submit", str(what)):
            session.submit(what)
        case ("open", str(what), int(index)):
            session.open(what, index)
        case ("point", str(what), int(index)):
            session.point(what, index)
        case ("choose", str(what), str(value)):
            session.choose(what, value)
        case ("zoom", float(a), float(b)):
            session.zoom(now + a, now + b)
        case ("crosshair", float(at)):
            session.crosshair(now + at)
        case ("link", str(how)):
            {"lost": stage.fake.disconnect, "back": stage.fake.reconnect, "restart": stage.fake.restart}[how]()
        case ("tick", int(seconds)):
            stage.tick(seconds)
        case ("resize", profile):
            session.resize(profile)  # type: ignore[arg-type]
        case ("hover", bool(on)):
            session.hovering = on


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEPS, min_size=1, max_size=25))
def test_any_order_of_anything_leaves_a_picture(steps: list[tuple[object, ...]]) -> None:
    stage = small()
    for step in steps:
        perform(stage, step)
        picture = stage.settle()
        assert picture.frame.page == stage.session.page
    stage.session.key("escape")
    stage.tick(2)
