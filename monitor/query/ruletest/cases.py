"""A file of unit tests as a tree of values, read into what is to be run. Every mistake is told at its line."""

from __future__ import annotations

from dataclasses import dataclass, field

from monitor.query.durations import DurationError, parse_duration
from monitor.query.histogram import Histogram
from monitor.query.history import Labels
from monitor.query.ruletest.notation import NotationError, Points, histogram_of, labels_of, number, points_of
from monitor.text.tree import Node

DEFAULT_INTERVAL = 60_000
Pairs = tuple[tuple[str, str], ...]


class TestFileError(ValueError):
    """A file that holds no unit tests; the message has file and line."""

    __test__ = False


@dataclass(frozen=True, slots=True)
class AlertTest:
    """At `at` (ms) the alerts of this name that fire are these: labels and annotations of each."""

    line: int
    at: int
    alert: str
    expected: tuple[tuple[Pairs, Pairs], ...]


@dataclass(frozen=True, slots=True)
class QueryTest:
    """At `at` (ms) the expression gives these samples."""

    line: int
    at: int
    expr: str
    expected: tuple[tuple[Labels, float | Histogram], ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One group of tests over series of its own; `interval` in ms between samples."""

    name: str
    line: int
    interval: int
    series: tuple[tuple[Labels, Points], ...]
    alerts: tuple[AlertTest, ...]
    queries: tuple[QueryTest, ...]
    external_labels: Pairs = ()
    external_url: str = ""


@dataclass(frozen=True, slots=True)
class TestFile:
    """`rule_files` are patterns relative to the file; `order` the groups' order; `interval` (ms) between judgements."""

    __test__ = False

    file: str
    rule_files: tuple[str, ...]
    interval: int
    order: tuple[str, ...]
    cases: tuple[Case, ...]
    fuzzy: bool = False


@dataclass
class _Reader:
    file: str
    cases: list[Case] = field(default_factory=list)

    def fail(self, node: Node, why: str) -> TestFileError:
        return TestFileError(f"{self.file}, line {node.line}: {why}")

    def fields(self, node: Node, known: tuple[str, ...], what: str) -> dict[str, Node]:
        if node.kind == "scalar" and not node.text and not node.quoted:
            return {}
        if node.kind != "map":
            raise self.fail(node, f"{what} must be keys and values")
        found: dict[str, Node] = {}
        for key, value in node.pairs:
            if key.text not in known:
                raise self.fail(key, f"{what} has no {key.text[:60]!r}; known are {', '.join(known)}")
            if key.text in found:
                raise self.fail(key, f"{key.text} stands twice in {what}")
            found[key.text] = value
        return found

    def items(self, node: Node | None) -> tuple[Node, ...]:
        if node is None or (node.kind == "scalar" and not node.text):
            return ()
        if node.kind != "list":
            raise self.fail(node, "expected a list")
        return node.items

    def pairs(self, node: Node | None) -> Pairs:
        if node is None or (node.kind == "scalar" and not node.text):
            return ()
        if node.kind != "map":
            raise self.fail(node, "expected keys and values")
        return tuple(sorted({key.text: value.text for key, value in node.pairs}.items()))

    def duration(self, node: Node | None, default: int) -> int:
        if node is None or not node.text:
            return default
        try:
            return 0 if node.text == "0" else parse_duration(node.text)
        except DurationError as error:
            raise self.fail(node, str(error)) from None

    def whole(self, root: Node) -> TestFile:
        found = self.fields(
            root,
            ("rule_files", "evaluation_interval", "group_eval_order", "tests", "fuzzy_compare"),
            "a test file",
        )
        interval = self.duration(found.get("evaluation_interval"), 0) or DEFAULT_INTERVAL
        order = tuple(node.text for node in self.items(found.get("group_eval_order")))
        for place, name in enumerate(order):
            if name in order[:place]:
                raise self.fail(found["group_eval_order"], f"group name repeated in evaluation order: {name}")
        cases = tuple(self.case(node, interval) for node in self.items(found.get("tests")))
        files = tuple(node.text for node in self.items(found.get("rule_files")))
        return TestFile(
            self.file, files, interval, order, cases, "fuzzy_compare" in found and found["fuzzy_compare"].text == "true"
        )

    def case(self, node: Node, interval: int) -> Case:
        known = (
            "name",
            "interval",
            "input_series",
            "alert_rule_test",
            "promql_expr_test",
            "external_labels",
            "external_url",
        )
        found = self.fields(node, known, "a test")
        return Case(
            found["name"].text if "name" in found else "",
            node.line,
            self.duration(found.get("interval"), 0) or interval,
            tuple(self.series(each) for each in self.items(found.get("input_series"))),
            tuple(self.alert(each) for each in self.items(found.get("alert_rule_test"))),
            tuple(self.query(each) for each in self.items(found.get("promql_expr_test"))),
            self.pairs(found.get("external_labels")),
            found["external_url"].text if "external_url" in found else "",
        )

    def series(self, node: Node) -> tuple[Labels, Points]:
        found = self.fields(node, ("series", "values"), "an input series")
        try:
            labels = labels_of(found["series"].text if "series" in found else "")
            return labels, points_of(found["values"].text if "values" in found else "")
        except NotationError as error:
            raise self.fail(node, str(error)) from None

    def alert(self, node: Node) -> AlertTest:
        found = self.fields(node, ("eval_time", "alertname", "exp_alerts"), "an alert_rule_test")
        if "alertname" not in found or not found["alertname"].text:
            raise self.fail(node, "an item under alert_rule_test misses required attribute alertname")
        name = found["alertname"].text
        expected = []
        for each in self.items(found.get("exp_alerts")):
            told = self.fields(each, ("exp_labels", "exp_annotations"), "an expected alert")
            labels = dict(self.pairs(told.get("exp_labels"))) | {"alertname": name}
            expected.append((tuple(sorted(labels.items())), self.pairs(told.get("exp_annotations"))))
        return AlertTest(node.line, self.duration(found.get("eval_time"), 0), name, tuple(expected))

    def query(self, node: Node) -> QueryTest:
        found = self.fields(node, ("expr", "eval_time", "exp_samples"), "a promql_expr_test")
        expected: list[tuple[Labels, float | Histogram]] = []
        for each in self.items(found.get("exp_samples")):
            told = self.fields(each, ("labels", "value", "histogram"), "an expected sample")
            try:
                labels = labels_of(told["labels"].text if "labels" in told else "")
                given = histogram_of(told["histogram"].text) if "histogram" in told else None
                expected.append((labels, number(told["value"].text) if given is None and "value" in told else given or 0.0))
            except NotationError as error:
                raise self.fail(each, str(error)) from None
        return QueryTest(
            node.line, self.duration(found.get("eval_time"), 0), found["expr"].text if "expr" in found else "", tuple(expected)
        )


def read_tests(root: Node | None, file: str) -> TestFile:
    """The tests of a file. Raises `TestFileError`."""
    if root is None:
        return TestFile(file, (), DEFAULT_INTERVAL, (), ())
    return _Reader(file).whole(root)
