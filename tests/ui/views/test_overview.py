from __future__ import annotations

import re

import numpy as np

from tests.ui.views.conftest import Stage, words
from ui.client.fake import FakeCollector
from ui.views.session import PHONE, TERMINAL
from ui.views.view import OverviewView


def view(stage: Stage) -> OverviewView:
    stage.session.go("overview")
    overview = stage.session.picture().overview
    assert overview is not None
    return overview


def test_the_figures_of_this_machine_with_what_they_were(demo: Stage) -> None:
    demo.tick()
    stats = {s.label: s for s in view(demo).stats}
    assert list(stats) == ["CPU", "Memory", "Load", "Network", "Disk", "Series"]
    assert stats["CPU"].value.unit == "%"
    assert 30 < float(stats["CPU"].value.number) < 70
    assert re.fullmatch(r"was \d\d(\.\d)? % 15 min ago", stats["CPU"].comparison.replace("\u202f", " "))
    assert str(stats["Disk"].value) == "91.3 %"
    assert stats["Disk"].comparison == "full: /var/lib/db"
    assert all(len(s.spark) <= 60 for s in stats.values())


def test_another_hosts_figures_are_not_this_machines(demo: Stage) -> None:
    busy = next(line for line in view(demo).charts[0].lines if line.name == "busy")
    assert busy.full_name == "host.cpu.busy"


def test_four_charts_each_with_a_sentence(demo: Stage) -> None:
    assert view(demo).charts[3].title == "Busiest series"
    demo.tick()
    charts = view(demo).charts
    assert [c.title for c in charts] == ["CPU", "Memory", "Network", "shop.requests"]
    assert all(words(c.sentence) for c in charts)
    assert words(charts[1].sentence).startswith("9.8")
    assert " of 16 GiB in use" in words(charts[1].sentence)
    assert charts[1].y_ticks[-1].label == "16 GiB"
    assert charts[2].y_ticks[-1].label.endswith("Mbit/s")


def test_a_painter_gets_as_much_as_it_has_room_for(demo: Stage) -> None:
    demo.session.resize(PHONE)
    assert (len(view(demo).charts), len(view(demo).stats)) == (2, 4)
    demo.session.resize(TERMINAL)
    assert all(len(line.times) <= 260 for c in view(demo).charts for line in c.lines)
    assert "\u202f" not in "".join(t.text for c in view(demo).charts for t in c.sentence)


def test_the_busiest_series_are_those_of_programs_and_keep_their_place(demo: Stage) -> None:
    rows = view(demo).busiest
    assert not any(r.name.startswith(("host.", "lightship")) for r in rows)
    rates = [demo.session.overview._busiest_feed().value(r.row, "rate") for r in rows]
    assert rates == sorted(rates, reverse=True)
    demo.session.hovering = True
    before = [r.row for r in rows]
    demo.tick(15)
    after = [r.row for r in view(demo).busiest]
    assert [row for row in after if row in before] == [row for row in before if row in after]


def test_cores_processes_events_and_the_collectors_health_are_there(demo: Stage) -> None:
    demo.tick(3)
    overview = view(demo)
    assert len(overview.cores) == 4
    assert words(overview.cores_title).startswith("Core ")
    assert overview.processes[0].name == "postgres"
    assert overview.processes[0].memory.unit == "GiB"
    assert [row.kind for row in overview.events][:2] == ["firing", "note"]
    health = dict(overview.collector)
    assert str(health["Tick"]) == "4 ms"
    assert str(health["Dropped"]) == "0"
    assert health["Lines"].unit == "/s"


def test_nothing_sent_yet_is_said_with_the_shortest_way() -> None:
    fake = FakeCollector()
    fake.gauge("host.cpu.busy", lambda t: np.full(len(t), 30.0), unit="percent")
    stage = Stage(fake).start()
    empty = view(stage).empty
    assert empty is not None
    assert empty.title == "Listening. This machine is already here."
    assert empty.commands[0] == ("StatsD", 'echo "demo.hits:1|c" | nc -u -w0 127.0.0.1 8125')
    assert empty.working == "1 series of this machine arriving."
    assert [c.title for c in view(stage).charts] == ["CPU", "Memory", "Network", "Disks"]
    fake.counter("demo.hits", lambda t: np.ones(len(t)))
    stage.tick(2)
    assert view(stage).empty is None


def test_the_time_bar_has_a_day_of_half_hours(demo: Stage) -> None:
    strip = demo.session.picture().frame.time.strip
    assert len(strip) == 48
    assert strip[-1][0] == "critical"
    assert all(load == -1.0 or 0.0 <= load <= 1.0 for _, load in strip)


def test_the_status_bar_says_pace_size_and_losses(demo: Stage) -> None:
    items = [item.text for item in demo.session.picture().frame.status]
    assert items[:3] == ["harbour-1", "1 Hz", "175 series"]
    assert "late 3" in items
    assert "dropped 0" in items
    assert "stale 1" in items


def test_a_paused_page_stands_still_while_alerts_go_on(demo: Stage) -> None:
    demo.tick(3)
    view(demo)
    demo.press("space")
    before = view(demo)
    demo.tick(25)
    after = view(demo)
    assert after.busiest is before.busiest
    assert after.processes is before.processes
    assert after.collector is before.collector
    assert after.stats is before.stats
    assert after.charts is before.charts
    demo.press("space")
    demo.tick(3)
    assert view(demo).processes is not before.processes
