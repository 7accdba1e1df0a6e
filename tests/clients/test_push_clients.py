"""Senders against our routes: prometheus_client's pushes, Debian's Prometheus by remote write 1.0 (2.42 has no other), our own
writer by 2.0; and the same pushes at a real Pushgateway.
"""

from __future__ import annotations

import asyncio
import itertools
import math
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Summary, delete_from_gateway
from prometheus_client import push_to_gateway as put
from prometheus_client import pushadd_to_gateway as add
from prometheus_client.parser import text_string_to_metric_families

from collector.exporters.formats import Format
from collector.receivers.prometheus.protobuf import ProtobufParser
from collector.receivers.pushgateway import PushReceiver
from collector.receivers.remote_write import RemoteWriteReceiver
from collector.storage.remote.settings import RemoteSettings
from collector.storage.remote.target import RemoteTarget
from collector.storage.remote.writer import RemoteWriter
from monitor.model.series import Kind, series_key
from monitor.windows.bins import middles_of
from tests.clients.stores import until
from tests.collector.receivers.prometheus.protobufs import GAUGE, HISTOGRAM, family, histogram, metric, native, value
from tests.collector.receivers.remote_write.recording import Recording, serving
from tests.differential.peer import prometheus, running
from tests.peers import need
from tests.running import free_port

pytestmark = pytest.mark.peer

ODD = {"empty": "", "path": "/var/log/x y", "text": "ä&=?#%2F+", "plain": "web01:9090"}
Known = dict[str, float]


def registry(done: float) -> CollectorRegistry:
    """What a nightly job tells."""
    found = CollectorRegistry()
    Gauge("job_last_success_seconds", "When it ended well.", registry=found).set(done)
    counter = Counter("job_rows", "Rows it read.", ["table"], registry=found)
    counter.labels('users "old"').inc(done)
    counter.labels("orders\n2024").inc(2)
    Histogram("job_step_seconds", "How long steps took.", buckets=(1, 5), registry=found).observe(3)
    Summary("job_bytes", "Sizes.", registry=found).observe(7)
    return found


def one(name: str, value: float) -> CollectorRegistry:
    found = CollectorRegistry()
    Gauge(name, "One.", registry=found).set(value)
    return found


def script(gateway: str) -> None:
    """A day of pushes."""
    put(gateway, "nightly", registry(5), grouping_key=ODD)
    put(gateway, "nightly", registry(6), grouping_key={**ODD, "plain": "web02:9090"})
    add(gateway, "nightly", one("job_last_success_seconds", 9), grouping_key=ODD)
    put(gateway, "a/b c", one("alone", 1))
    put(gateway, "gone", one("alone", 2))
    delete_from_gateway(gateway, "gone")
    put(gateway, "replaced", registry(1))
    put(gateway, "replaced", one("alone", 3))


def without_times(known: Known) -> Known:
    return {name: value for name, value in known.items() if not name.startswith("push_") and "_created" not in name}


def last(accept: Recording) -> Known:
    points = {name: values[-1][1] for name, values in accept.kept().items()}
    return {name: value for name, value in points.items() if not math.isnan(value)}


async def pushed() -> tuple[Known, PushReceiver]:
    """What we know after the script."""
    accept = Recording()
    receiver = PushReceiver(accept, time.time)
    async with serving(receiver.routes()) as url:
        await asyncio.to_thread(script, url)
    return last(accept), receiver


async def test_pushes_of_prometheus_client_arrive_under_their_grouping_keys() -> None:
    known, receiver = await pushed()
    name = series_key("job_last_success_seconds", [(k, v) for k, v in {**ODD, "job": "nightly"}.items() if v]).label()
    assert known[name] == 9, sorted(known)
    rows = [series for series in known if series.startswith("job_rows_total") and "web02" in series]
    assert sorted(known[series] for series in rows) == [2, 6]
    assert {value for series, value in known.items() if series.startswith("alone")} == {1, 3}
    assert not any('job="replaced"' in series and series.startswith("job_") for series in known)
    assert receiver.notes() == []
    assert receiver.figures()["pushgateway_groups"] == 4


async def test_a_real_pushgateway_knows_the_same_after_the_same_pushes() -> None:
    program = need("prometheus-pushgateway", "prometheus-pushgateway")
    port = free_port()
    command = [program, "--persistence.file=", f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]

    def shown(url: str) -> Known:
        with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        found: Known = {}
        for told in text_string_to_metric_families(text):
            for sample in told.samples:
                if sample.labels.get("job"):
                    bound = sample.labels.get("le", "+Inf")
                    if bound != "+Inf":  # it writes bounds anew, we keep them as they were sent
                        sample.labels["le"] = str(float(bound))
                    found[series_key(sample.name, [(k, v) for k, v in sample.labels.items() if v]).label()] = sample.value
        return without_times(found)

    def theirs(wanted: Known) -> Known:
        with running(command, f"http://127.0.0.1:{port}", "/-/ready") as url:
            script(url)
            end = time.monotonic() + 5.0  # a deletion is answered before it is done
            while (found := shown(url)) != wanted and time.monotonic() < end:
                time.sleep(0.05)
            return found

    known, _ = await pushed()
    wanted = without_times(known)
    assert await asyncio.to_thread(theirs, wanted) == wanted


async def test_a_real_pushgateway_has_the_same_native_histograms_after_the_same_pushes_in_protobuf() -> None:
    program = need("prometheus-pushgateway", "prometheus-pushgateway")
    port = free_port()
    command = [program, "--persistence.file=", f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]
    body = histogram(9, 7.5, {}, native(3, 2, [(-3, 2), (2, 1)], [1, 3, -1]))
    pushes = [
        family("run_seconds", HISTOGRAM, metric(HISTOGRAM, body, {"step": "a"})) + family("one", GAUGE, metric(GAUGE, value(3))),
        family("run_seconds", HISTOGRAM, metric(HISTOGRAM, histogram(4, 1.0, {0.5: 1, 2.0: 3}), {"step": "b"})),
    ]

    def post(url: str) -> None:
        for number, push in enumerate(pushes):
            address, headers = f"{url}/metrics/job/native/n/{number}", {"Content-Type": Format("protobuf").content_type}
            with urllib.request.urlopen(urllib.request.Request(address, push, headers, method="POST"), timeout=10) as answer:
                assert answer.status in (200, 202)

    def shown(url: str) -> tuple[Known, list[tuple[str, float, list[int], list[float], float]]]:
        """Values and native histograms, as a scraper gets them."""
        asked = urllib.request.Request(f"{url}/metrics", headers={"Accept": Format("protobuf").content_type})
        with urllib.request.urlopen(asked, timeout=10) as answer:
            parser = ProtobufParser()
            samples = parser.parse(answer.read())
        known: Known = {}
        for number, held in zip(samples.ids.tolist(), samples.values.tolist(), strict=True):
            one = parser.series[number]
            if dict(one.labels).get("job") == "native":
                known[series_key(one.name, one.labels).label()] = held
        found = []
        for sample in samples.native:
            one, side = parser.series[sample.series], sample.histogram.positive
            filled = side.counts > 0
            name = series_key(one.name, one.labels).label()
            found.append(
                (
                    name,
                    sample.histogram.zero_count,
                    side.indices[filled].tolist(),
                    side.counts[filled].tolist(),
                    sample.histogram.sum,
                )
            )
        return without_times(known), found

    def theirs() -> tuple[Known, list[tuple[str, float, list[int], list[float], float]]]:
        with running(command, f"http://127.0.0.1:{port}", "/-/ready") as url:
            post(url)
            return shown(url)

    accept = Recording()
    receiver = PushReceiver(accept, time.time)
    async with serving(receiver.routes()) as url:
        await asyncio.to_thread(post, url)
    known, drawn = await asyncio.to_thread(theirs)
    assert without_times(last(accept)) == known
    [(name, zero, indices, counts, total)] = drawn
    [batch] = accept.histograms
    assert (batch.space.keys[batch.ids[0]].label(), batch.sums.tolist()) == (name, [total])
    assert batch.counts.sum() == zero + sum(counts)
    edges = [(2 ** ((index - 1) / 8), 2 ** (index / 8), count) for index, count in zip(indices, counts, strict=True)]
    middles = middles_of(batch.bins)
    for low, high, count in edges:
        assert batch.counts[(middles > low) & (middles < high)].sum() == pytest.approx(count)


async def test_prometheus_writes_to_us_what_it_knows_itself() -> None:
    accept = Recording()
    receiver = RemoteWriteReceiver(accept)
    port = free_port()
    async with serving(receiver.routes()) as url:
        config = f"""
global: {{scrape_interval: 1s}}
scrape_configs: [{{job_name: self, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}]
remote_write:
  - url: {url}/api/v1/write
    metadata_config: {{send_interval: 1s}}
    queue_config: {{batch_send_deadline: 200ms}}
"""
        counted = "prometheus_tsdb_head_samples_appended_total"
        with prometheus(config, port=port) as peer:
            await until(lambda: sum(name.startswith("up{") and len(v) > 3 for name, v in accept.kept().items()) == 1)
            asked = await asyncio.to_thread(lambda: peer.ask("query", query=f'{counted}{{type="float"}}[1m]'))
    kept = accept.kept()
    [name] = [series for series in kept if series.startswith(counted) and 'type="float"' in series]
    ours = dict(kept[name])
    theirs = {at: float(value) for at, value in asked["data"]["result"][0]["values"]}
    both = ours.keys() & theirs.keys()
    assert len(both) >= 3
    assert {at: ours[at] for at in both} == {at: theirs[at] for at in both}
    increments = dict(accept.seen()[name])
    times = sorted(ours)
    assert increments == {at: ours[at] - ours[before] for before, at in itertools.pairwise(times)}
    assert receiver.notes() == []
    assert receiver.counters.failed == 0


async def test_our_own_writer_speaks_2_0_to_us(tmp_path: Path) -> None:
    accept = Recording()
    receiver = RemoteWriteReceiver(accept)
    now = int(time.time()) * 1000
    async with serving(receiver.routes()) as url:
        writer = RemoteWriter(tmp_path, RemoteTarget(f"{url}/api/v1/write", url), RemoteSettings(batch_age=0.01))
        sending = asyncio.create_task(writer.run())
        names = [(("__name__", "jobs_total"), ("job", "x")), (("__name__", "depth_total"), ("job", "x"))]
        refs = writer.intern(names, [int(Kind.COUNTER), int(Kind.GAUGE)])
        for step in range(3):
            writer.append(refs, np.full(2, now + 1000 * step), np.array([10.0 * step, 5.0 - step]))
            assert writer.commit()
        await until(lambda: writer.idle)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        assert writer.sender.version == "2.0"
        assert writer.figures()["remote_written_total"] == 6, writer.notes()
        writer.close()
    at = [now / 1000 + step for step in range(3)]
    assert accept.kept() == {
        'depth_total{job="x"}': [(at[0], 5.0), (at[1], 4.0), (at[2], 3.0)],
        'jobs_total{job="x"}': [(at[0], 0.0), (at[1], 10.0), (at[2], 20.0)],
    }
    assert accept.seen()['jobs_total{job="x"}'] == [(at[1], 10.0), (at[2], 10.0)]
    assert accept.seen()['depth_total{job="x"}'] == accept.kept()['depth_total{job="x"}'], "its metadata says that it is a gauge"
