"""Broken inputs do no harm: a few hundred to every receiver here, a hundred thousand by `python -m tests.hostile`."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from collector.decompress import MOST_MEMBERS, DecompressionError, decompress
from collector.receivers.otlp.json_form import to_protobuf
from collector.receivers.otlp.schema import UnreadableError
from collector.receivers.otlp.signals import METRICS
from collector.receivers.pushgateway import PushReceiver
from collector.server import bodies
from tests.collector.receivers.remote_write.recording import Recording
from tests.hostile import crowds, grpc_bombs, streams
from tests.hostile.asking import Application, Asked
from tests.hostile.fuzz import fuzzed
from tests.hostile.subjects import SUBJECTS, Subject
from tests.hostile.wire import attacked
from tests.running import Collector

INPUTS = 60


@pytest.mark.parametrize("subject", SUBJECTS, ids=[subject.name.replace(" ", "-") for subject in SUBJECTS])
def test_nothing_but_the_declared_errors_comes_of_broken_inputs(subject: Subject) -> None:
    report = fuzzed(subject, INPUTS, seed=7)
    assert report.is_sound, report.line()
    assert sum(report.outcomes.values()) == INPUTS


def test_a_body_of_empty_gzip_members_is_refused_before_it_costs_anything() -> None:
    with pytest.raises(DecompressionError, match="pieces"):
        decompress(gzip.compress(b"") * 200_000, "gzip", 1 << 20)
    assert decompress(gzip.compress(b"ab") * MOST_MEMBERS, "gzip", 1 << 20) == b"ab" * MOST_MEMBERS


def test_large_requests_share_their_room_and_small_ones_always_have_their_own() -> None:
    room = bodies.Room(most=1 << 20)
    first, second, small = (bodies._Share(room) for _ in range(3))
    first.resize(bodies.SMALL + (1 << 20))
    with pytest.raises(bodies.BodyError, match="send it again") as refused:
        second.resize(bodies.SMALL + 1)
    assert refused.value.status == 503
    small.resize(bodies.SMALL)
    first.free()
    second.resize(bodies.SMALL + 1)
    second.free()
    small.free()
    assert room.held == 0
    assert room.refused == 1


def test_a_number_that_no_double_holds_is_no_otlp_json() -> None:
    point = b'{"asDouble": %s}' % (b"9" * 400)
    body = b'{"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "a", "gauge": {"dataPoints": [%s]}}]}]}]}' % point
    with pytest.raises(UnreadableError, match="not OTLP/JSON"):
        to_protobuf(body, METRICS.request)


async def test_a_group_whose_labels_are_over_the_bounds_keeps_no_other_from_being_told() -> None:
    receiver = PushReceiver(Recording(), lambda: 1.0)
    app = Application(receiver.routes())
    text = {"Content-Type": "text/plain"}
    wide = "/metrics/job/a" + "".join(f"/l{number}/v" for number in range(200))
    assert await app.ask(Asked("PUT", "/metrics/job/good", b"up 1\n", text)) == 200
    assert await app.ask(Asked("PUT", wide, b"up 1\n", text)) == 400
    told = {batch.space.keys[number].label() for batch in receiver.repeat(100.0) for number in batch.ids.tolist()}
    assert any(label.startswith("up{") for label in told), told
    assert await app.ask(Asked("DELETE", wide)) == 202


def test_others_are_served_while_a_collector_is_attacked(tmp_path: Path) -> None:
    def heavy(one: Collector) -> dict[str, object]:
        return {"statuses": crowds.heavy(one, 6, 4 << 20)}

    told = attacked(
        tmp_path,
        attacks={
            "grpc": lambda one: grpc_bombs.exploded(one, 1 << 20, grpc_bombs.PATHS[:1]),
            "stream": lambda one: streams.flooded(one, clients=20, seconds=0.2),
            "slow": lambda one: dict(crowds.slow(one, 20, 1.0)),
            "silent": lambda one: dict(crowds.silent(one, 100, 0.5)),
            "heavy": heavy,
        },
    )
    assert all(each["sound"] for each in told.values()), told
