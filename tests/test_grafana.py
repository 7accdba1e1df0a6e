"""The Grafana dashboards that come with the product: well formed, and every query in them finds series that there are."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from collector.exporters.exporter import FIGURES as EXPORT_FIGURES
from collector.health import FIGURES, PREFIX
from collector.receivers.host import HostReceiver, HostSettings
from monitor.model.matchers import NAME_TAG, promql_name
from monitor.query.ast import Expr, Selector
from monitor.query.parse import parse
from monitor.query.tree import children
from tests.collector.receivers.host.fake_root import FakeRoot

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "assets" / "grafana"
BOARDS = sorted(FOLDER.glob("*.json"))
SERVICES = {
    "traces_spanmetrics_calls_total": {"service", "span_name", "span_kind", "status_code"},
    "traces_spanmetrics_latency": {"service", "span_name", "span_kind", "status_code"},
    "traces_service_graph_request_total": {"client", "server", "connection_type"},
}
"""Series made of spans, and their labels."""
NOT_ON_EVERY_MACHINE = {
    "host.swap.used": set[str](), "host.pressure.some": {"resource"}, "host.process.cpu": {"pid", "process"},
    "host.process.memory": {"pid", "process"}, "host.disk.busy": {"device"},
    "host.fs.percent": {"device", "mount", "type"}, "host.fs.free": {"device", "mount", "type"},
}  # fmt: skip
"""Series of the host receiver that an imaginary machine does not have at its first readings."""
PANELS = {"row", "timeseries", "stat", "table"}


def board(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(path.read_bytes())
    return found


@pytest.fixture(params=BOARDS, ids=lambda path: path.stem)
def dashboard(request: pytest.FixtureRequest) -> dict[str, Any]:
    return board(request.param)


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Labels of every series by name in PromQL: what the host receiver makes, the collector's own, and what spans give."""
    machine = FakeRoot(tmp_path_factory.mktemp("machine"))
    receiver = HostReceiver(HostSettings(source="proc"), root=str(machine.folder))
    found = {promql_name(name): set(labels) for name, labels in {**SERVICES, **NOT_ON_EVERY_MACHINE}.items()}
    receiver.collect(1000.0)
    machine.processor(user=130, system=60, idle=860, switches=17)
    for batch in receiver.collect(1001.0):
        for key in batch.space.keys:
            found.setdefault(promql_name(key.name), set()).update(name for name, _ in key.tags)
    for name in [*(figure.name for figure in FIGURES), *EXPORT_FIGURES]:
        found[PREFIX + name] = set()
    return found


def test_there_is_one_for_the_host_one_for_services_and_one_for_the_collector() -> None:
    assert [path.stem for path in BOARDS] == ["collector", "host", "services"]
    assert len({board(path)["uid"] for path in BOARDS}) == 3


def test_series_that_the_imaginary_machine_lacks_are_in_the_receivers_own_words() -> None:
    source = "".join(path.read_text() for path in (ROOT / "collector" / "receivers" / "host").glob("*.py"))
    for name in NOT_ON_EVERY_MACHINE:
        assert f'"{name}"' in source or f'"{name.rpartition(".")[0]}.{{' in source, name


def test_a_dashboard_has_what_grafana_asks_of_one(dashboard: dict[str, Any]) -> None:
    required = {"title", "uid", "schemaVersion", "panels", "templating", "time", "tags", "annotations", "refresh", "timezone"}
    assert required <= set(dashboard)
    assert dashboard["id"] is None
    assert re.fullmatch(r"[a-z0-9-]{1,40}", dashboard["uid"])
    assert dashboard["schemaVersion"] >= 36
    assert "lightship" in dashboard["tags"]


def test_the_data_source_is_a_variable_and_nothing_names_another(dashboard: dict[str, Any]) -> None:
    first, *rest = dashboard["templating"]["list"]
    assert (first["name"], first["type"], first["query"]) == ("datasource", "datasource", "prometheus")
    wanted = {"type": "prometheus", "uid": "${datasource}"}
    for part in [*rest, *(p for p in dashboard["panels"] if p["type"] != "row"), *targets(dashboard)]:
        assert part["datasource"] == wanted


def test_panels_have_ids_of_their_own_and_do_not_overlap(dashboard: dict[str, Any]) -> None:
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [panel["gridPos"] for panel in panels]
    for place in places:
        assert place["x"] >= 0
        assert place["w"] >= 1
        assert place["x"] + place["w"] <= 24
        assert place["h"] >= 1
    for one, other in itertools.combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below, (one, other)


def test_every_panel_says_what_it_shows_and_in_which_unit(dashboard: dict[str, Any]) -> None:
    for panel in dashboard["panels"]:
        assert panel["type"] in PANELS
        assert panel["title"]
        if panel["type"] != "row":
            assert panel["description"].endswith(".")
            assert panel["fieldConfig"]["defaults"]["unit"]
            assert panel["targets"]
            refs = [target["refId"] for target in panel["targets"]]
            assert len(set(refs)) == len(refs)


def targets(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    return [target for panel in dashboard["panels"] for target in panel.get("targets", ())]


def expanded(expr: str, dashboard: dict[str, Any]) -> str:
    """With the variables that Grafana fills in; every other must be one of the dashboard's own."""
    names = {variable["name"] for variable in dashboard["templating"]["list"]}
    filled = re.sub(r"\$__(rate_interval|interval|range)\b", "5m", expr)
    for used in re.findall(r"\$\{?(\w+)", filled):
        assert used in names, used
    return re.sub(r"\$\{?\w+\}?", ".*", filled)


def selectors(expr: Expr) -> Iterator[Selector]:
    if isinstance(expr, Selector):
        yield expr
    for child in children(expr):
        yield from selectors(child)


def labels_named(text: str) -> set[str]:
    return {name for group in re.findall(r"\bby \(([^)]*)\)", text) for name in group.replace(" ", "").split(",") if name}


def test_every_query_can_be_read_and_names_series_and_labels_that_there_are(
    dashboard: dict[str, Any], known: dict[str, set[str]]
) -> None:
    for target in targets(dashboard):
        expr = expanded(target["expr"], dashboard)
        found = list(selectors(parse(expr)))
        assert found, expr
        there: set[str] = set()
        for selector in found:
            name = next(m.value for m in selector.matchers if m.name == NAME_TAG and m.op == "=")
            assert name in known, (name, expr)
            for matcher in selector.matchers:
                assert matcher.name == NAME_TAG or matcher.name in known[name], (matcher.name, expr)
            there |= known[name]
        shown = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
        assert labels_named(expr) | shown <= there, (expr, target["legendFormat"])


def test_every_variable_asks_for_labels_that_there_are(dashboard: dict[str, Any], known: dict[str, set[str]]) -> None:
    for variable in dashboard["templating"]["list"][1:]:
        read = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["definition"])
        assert read is not None
        assert variable["query"]["query"] == variable["definition"]
        assert read[2] in known[read[1]]
