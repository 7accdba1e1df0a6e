"""The examples of `docs/protocol.md`: `python -m tests.monitor.wire.protocol_examples` writes them, and the tables, anew."""

from __future__ import annotations

import json
import re
import types
import typing
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from monitor.alerting import model
from monitor.alerting.model import Acknowledgement, Alert, Condition, Event, Firing, Rule, RuleFile, Silence, State
from monitor.model.matchers import Matcher, parse_selector
from monitor.model.series import SeriesKey
from monitor.wire import messages as m
from monitor.wire.codec import JSON, Codec
from monitor.wire.messages import F64, I32, Message

PAGE = Path(__file__).parents[3] / "docs" / "protocol.md"
T = 1_792_506_096.0
BLOCK = re.compile(r"```(hex|json) (\w+)\n(.*?)\n```", re.DOTALL)
TABLE = re.compile(r"<!-- fields (\w+) -->\n(?:\|.*\n)*")


def _f(*values: float) -> F64:
    return np.array(values, np.float64).view(F64)


def _i(*values: int) -> I32:
    return np.array(values, np.int32).view(I32)


RULE = Rule(
    "cpu_busy", parse_selector("host.cpu.busy"), Condition("gt", 90.0, 300.0, "mean"), "warning", file="system.toml", line=1
)
ALERT = Alert(
    "a1",
    "cpu_busy",
    (("__name__", "host.cpu.busy"), ("alertname", "cpu_busy"), ("severity", "warning")),
    "warning",
    State.FIRING,
    T - 60,
    93.5,
    90.0,
    fired_at=T - 60,
    ack=Acknowledgement("Mira", T - 30, "mine"),
    firings=(Firing(T - 60, None, "warning"),),
    revision=7,
    series=SeriesKey("host.cpu.busy", ()),
)
SILENCE = Silence("s1", (Matcher("service", "=~", "api.*"),), T, T + 3600, "deploy", "Mira", T, revision=8)

GROUP_RULE = m.GroupRule("shop.yml", 4, "shop", "job:requests:rate5m", "sum by (job) (rate(requests_total[5m]))")
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
EXAMPLES: dict[str, Message] = {
    "hello": m.Hello(
        "0.1.0", "harbour-1", "8f2c", T, 1.0, (60.0, 300.0, 900.0, 3600.0), 3600.0, "http://127.0.0.1:7070", "127.0.0.1:8125"
    ),
    "series": m.Series(
        12,
        0,
        (
            m.SeriesEntry(0, "host.cpu.busy", (), 0, "percent"),
            m.SeriesEntry(3, "shop.requests", (("env", "prod"), ("service", "api")), 1, ""),
        ),
    ),
    "frame": m.Frame(1, T, (_f(41.5, float("nan")),), _i(0, 3)),
    "history": m.History(1, _f(T - 2, T - 1), _i(0, 3), (_f(40.0, 41.0, float("nan"), 2.0),), 1.0),
    "alerts": m.Alerts(8, 6, T, (ALERT,), (SILENCE,), ("a0",)),
    "rules": m.Rules(2, (RULE,), (RuleFile("system.toml", "[[rule]]\n…", 2),), (GROUP_RULE,)),
    "events": m.Events((Event(T, "acknowledged", "Mira acknowledged cpu_busy", "Mira", "a1", "cpu_busy", "warning", 41),)),
    "health": m.Health(T, {"series": 90.0, "tick_seconds": 0.004}, ("pick-07:9100 does not answer",)),
    "reply": m.Reply(4, "", {"acknowledged": ["a1"]}),
    "resume": m.Resume(1, "8f2c", 12, 6, 2, 40, "lightship tui", "Mira"),
    "subscribe": m.Subscribe(2, 'shop.latency{service="api"}', ("p50", "p99"), 300.0, since=-3600.0, step=10.0),
    "unsubscribe": m.Unsubscribe(3, 2),
    "get": m.Get(5, "host.cpu.busy", ("value", "max")),
    "history_query": m.HistoryQuery(6, "host.cpu.busy", ("mean",), T - 600, T, step=10.0),
    "query_result": m.QueryResult(
        16, "matrix", ((("__name__", "up"), ("job", "node")),), _f(T - 15, T), _f(1.0, float("nan")), 15.0
    ),
    "query": m.Query(16, "sum by (job) (rate(shop_requests[5m]))", T - 3600, T, 15.0),
    "find": m.Find(17, "values", "job", "shop_requests", "ap"),
    "find_traces": m.FindTraces(20, "api", shortest=0.5, error=True, tags=(Matcher("http.route", "=", "/cart"),)),
    "traces_found": m.TracesFound(20, (m.TraceSummary(TRACE, "web", "GET /cart", T, 0.82, 12, 1, ("api", "web")),)),
    "get_trace": m.GetTrace(21, TRACE),
    "trace_found": m.TraceFound(
        21,
        TRACE,
        (m.SpanInfo("00f067aa0ba902b7", "", "web", "GET /cart", "server", "error", T, 0.82, int(T) * 10**9, "timeout"),),
        (m.LogInfo(T + 0.8, 17, "ERROR", "web", "no answer from api", TRACE, "00f067aa0ba902b7"),),
    ),
    "find_logs": m.FindLogs(22, "web", 13, "timeout", after=41),
    "logs_found": m.LogsFound(22, (m.LogInfo(T, 17, "ERROR", "web", "no answer from api"),), 42),
    "get_services": m.GetServices(23, "we"),
    "services_found": m.ServicesFound(23, (m.ServiceOperations("web", ("GET /cart",), 1200, 30),)),
    "get_exemplars": m.GetExemplars(24, ("rate(shop_checkout_seconds_bucket[5m])",), T - 3600, T),
    "exemplars_found": m.ExemplarsFound(
        24, (m.ExemplarInfo(0, T - 30, 1.2, TRACE, "00f067aa0ba902b7", (("customer", "17"),)),), 412
    ),
    "seek": m.Seek(18, T - 7200, 2.0),
    "status": m.Status(7),
    "acknowledge": m.Acknowledge(4, ("a1",), "Mira", "mine", T + 3600),
    "release": m.Release(8, ("a1",), "Mira"),
    "add_silence": m.AddSilence(9, (Matcher("service", "=~", "api.*"),), T, T + 3600, "deploy", "Mira", True),
    "expire_silence": m.ExpireSilence(10, "s1", "Mira"),
    "edit_silence": m.EditSilence(11, "s1", "Mira", ends=T + 7200),
    "assign": m.Assign(12, ("a1",), "Ada", "Mira"),
    "why_paged": m.WhyPaged(13, "a1"),
    "get_incidents": m.GetIncidents(14),
    "get_noise": m.GetNoise(15, 86400.0),
    "add_note": m.AddNote(11, "a1", "rolling back", "Mira"),
    "add_event": m.AddEvent(19, "api 1.4", "Mira", "deploy", 0.0, (("service", "api"),)),
    "backtest_rule": m.BacktestRule(22, 1_209_600.0, "cpu_busy"),
    "check_rules": m.CheckRules(12, "system.toml", "[[rule]]\nid = 1"),
    "save_rules": m.SaveRules(13, "system.toml", "[[rule]]\n…", 2, "Mira"),
    "enable_rule": m.EnableRule(14, "cpu_busy", False, "Mira"),
    "delete_rule": m.DeleteRule(15, "cpu_busy", "Mira"),
    "try_receiver": m.TryReceiver(16, "oncall", "Mira"),
    "preview_routes": m.PreviewRoutes(17, (("alertname", "cpu_busy"), ("severity", "critical"))),
}


def blocks(name: str, message: Message) -> dict[str, str]:
    """The two forms of a message as the page has them."""
    raw = Codec().encode(message).hex(" ")
    lines = [raw[i : i + 96].strip() for i in range(0, len(raw), 96)]
    text = json.dumps(json.loads(Codec(JSON).encode(message)), ensure_ascii=False)
    return {"hex": "\n".join(lines), "json": text}


def table(struct: Any) -> str:
    """The fields of a struct as a table."""
    rows = ["| field | type | left out means |", "|---|---|---|"]
    for field in msgspec.structs.fields(struct):
        default = "never left out" if field.required else f"`{json.dumps(field.default, default=str)}`"
        rows.append(f"| `{field.encode_name}` | {_type(field.type)} | {default} |")
    return "\n".join(rows)


def struct_of(name: str) -> Any:
    """The struct that a table is of: a message by its type, or a part of one by its class name."""
    return type(EXAMPLES[name]) if name in EXAMPLES else getattr(model, name, None) or getattr(m, name, None) or Matcher


def _type(kind: Any) -> str:
    plain = {
        F64: "float64 column",
        I32: "int32 column",
        str: "string",
        int: "integer",
        float: "number",
        bool: "boolean",
        type(None): "null",
        Any: "anything",
    }
    if kind in plain:
        return plain[kind]
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(map(_type, inner))
    if origin is typing.Literal:
        return " or ".join(f"`{value}`" for value in inner)
    if origin is tuple and inner[-1] is Ellipsis:
        return f"list of {_type(inner[0])}"
    if origin is tuple:
        return "[" + ", ".join(map(_type, inner)) + "]"
    if origin is dict:
        return f"map of string to {_type(inner[1])}"
    return str(kind.__name__)


def rewritten(page: str) -> str:
    """The page with its examples and tables as they should be."""

    def block(found: re.Match[str]) -> str:
        name = found[2]
        return f"```{found[1]} {name}\n{blocks(name, EXAMPLES[name])[found[1]]}\n```"

    page = TABLE.sub(lambda found: f"<!-- fields {found[1]} -->\n{table(struct_of(found[1]))}\n", page)
    return BLOCK.sub(block, page)


if __name__ == "__main__":
    PAGE.write_text(rewritten(PAGE.read_text()))
