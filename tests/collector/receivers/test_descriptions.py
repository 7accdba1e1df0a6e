"""What senders say of their metrics, whichever way it comes."""

from __future__ import annotations

import numpy as np
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality

from collector.protobuf.columns import SeriesColumns
from collector.protobuf.write import encode_write_v1, encode_write_v2
from collector.receivers.descriptions import LONGEST_HELP, Descriptions
from collector.receivers.otlp import OtlpReceiver
from collector.receivers.otlp.signals import METRICS
from collector.receivers.prometheus.exposition_parser import ExpositionParser
from collector.receivers.prometheus.protobuf import ProtobufParser
from collector.receivers.remote_write import RemoteWriteReceiver
from collector.receivers.remote_write.negotiation import Version
from monitor.query.history import Metadata
from tests.collector.receivers.prometheus.protobufs import COUNTER, family, metric, value
from tests.collector.receivers.remote_write.recording import Recording

TEXT = rb"""# HELP a_total Says "a",\n twice.
# TYPE a_total counter
a_total 1
# HELP 1 is a comment
# just words
b 2
"""


def told(descriptions: Descriptions) -> dict[str, Metadata]:
    return dict(descriptions._known)


def test_text_openmetrics_and_protobuf_say_type_help_and_unit_once() -> None:
    text, openmetrics, protobuf = ExpositionParser(False), ExpositionParser(True), ProtobufParser()
    text.parse(TEXT)
    assert text.take_described() == {"a_total": Metadata("counter", 'Says "a",\n twice.')}
    text.parse(TEXT)
    assert text.take_described() == {}
    said = b'# TYPE t_seconds counter\n# UNIT t_seconds seconds\n# HELP t_seconds How \\"long\\".\n'
    openmetrics.parse(said + b"t_seconds_total 1.0\n# EOF\n")
    assert openmetrics.take_described() == {"t_seconds": Metadata("counter", 'How "long".', "seconds")}
    body = family("c_seconds_total", COUNTER, metric(COUNTER, value(1)), unit="seconds")
    protobuf.parse(body)
    assert protobuf.take_described() == {"c_seconds_total": Metadata("counter", "help", "seconds")}
    protobuf.parse(body)
    assert protobuf.take_described() == {}


def test_a_help_that_changes_is_told_anew() -> None:
    parser = ExpositionParser(False)
    parser.parse(b"# HELP a one\na 1\n")
    parser.take_described()
    parser.parse(b"# HELP a two\na 1\n")
    assert parser.take_described() == {"a": Metadata("unknown", "two")}


def test_remote_write_of_both_versions_says_it() -> None:
    said = Metadata("histogram", "How long.", "seconds")
    for encode, version in ((encode_write_v1, Version.V1), (encode_write_v2, Version.V2)):
        descriptions = Descriptions()
        receiver = RemoteWriteReceiver(Recording(), lambda: 1000.0, descriptions=descriptions)
        columns = SeriesColumns(
            ((("__name__", "h_seconds"),),), np.array([0, 1]), np.array([1000]), np.array([1.0]), metadata={"h_seconds": said}
        )
        receiver.take(encode(columns), version)
        assert told(descriptions) == {"h_seconds": said}


async def test_otlp_says_it() -> None:
    request, descriptions = ExportMetricsServiceRequest(), Descriptions()
    scope = request.resource_metrics.add().scope_metrics.add()
    one = scope.metrics.add(name="http.server.duration", description="How long.", unit="ms")
    one.histogram.aggregation_temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
    receiver = OtlpReceiver(Recording(), descriptions=descriptions)
    await receiver.take(METRICS, request.SerializeToString())
    assert told(descriptions) == {"http.server.duration": Metadata("histogram", "How long.", "ms")}


def test_what_has_series_is_described_with_its_family() -> None:
    descriptions = Descriptions()
    descriptions.tell("h", Metadata("histogram", "How long."))
    descriptions.tell("gone", Metadata("gauge", "No series."))
    descriptions.tell("a_total", Metadata("unknown", "Counted."))
    known = {"h_bucket": Metadata("counter"), "h_sum": Metadata("counter", "own", "s"), "a_total": Metadata("counter", "", "s")}
    assert descriptions.added_to(known) == {
        "h": Metadata("histogram", "How long."),
        "h_bucket": Metadata("counter", "How long."),
        "h_sum": Metadata("counter", "own", "s"),
        "a_total": Metadata("counter", "Counted.", "s"),
    }


def test_what_is_remembered_is_bounded() -> None:
    descriptions = Descriptions(3)
    for number in range(5):
        descriptions.tell(f"m{number}", Metadata("gauge", "x" * 5000))
    descriptions.tell("n" * 600, Metadata("gauge"))
    assert descriptions.figures() == {"described_metrics": 3.0, "descriptions_dropped_total": 3.0}
    assert all(len(one.help) == LONGEST_HELP for one in told(descriptions).values())


def test_the_latest_holds_but_less_takes_nothing_away() -> None:
    descriptions = Descriptions()
    for said in (Metadata("gauge", "one"), Metadata("counter", "two", "s"), Metadata()):
        descriptions.tell("a", said)
    assert told(descriptions) == {"a": Metadata("counter", "two", "s")}
