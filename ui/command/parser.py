"""Flags and help of every command."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from ui.command import client_options as options

_TEXT = {
    "up": """Start a collector, or attach to the one that runs, and open the best interface:
the desktop where there is a display, else the terminal, else the collector's log.""",
    "desktop": "Open the desktop window on a running collector.",
    "tui": "Open the terminal interface on a running collector.",
    "status": "How the collector is doing: what comes in, what was lost, what is wrong.",
    "get": """Values of series now.

  lightship get host.cpu.busy
  lightship get 'shop.latency{service="cart"}' --window 5m --field p99""",
    "watch": "Values of series, a line a series at each tick, until Ctrl C.",
    "query": """PromQL over all that is kept: now, or over a stretch of time.

  lightship query 'sum by (mode) (rate(host_cpu_seconds[5m]))'
  lightship query 'histogram_quantile(0.99, rate(shop_latency[5m]))' --last 24h --csv""",
    "alerts": """Alerts, or silences with --silences.

  lightship alerts incidents       alerts that belong together, and the probable cause
  lightship alerts noise           how noisy each rule was over a week, and what might be changed""",
    "ack": """Acknowledge alerts: the others see that you have them.

  lightship ack high_error_rate --note 'rolling back' --for 1h""",
    "silence": """Tell nobody about alerts that match, for a time.

  lightship silence 'service="cart"' --for 2h --because 'moving the database'
  lightship silence 'host="db1"' --times 02:00-04:00 --weekdays sunday --because backup""",
    "unsilence": "End a silence now.",
    "why": "Why somebody was, or was not, told of an alert: the decisions in order.",
    "rules": "The rules in force, or a check of rule files.",
    "notify": """Try out who is told of alerts.

  lightship notify test oncall
  lightship notify preview 'severity="critical", team="shop"'""",
    "send": """Send one StatsD value, to try things out.

  lightship send shop.orders 1 --tag service:cart""",
    "event": """Tell a deploy, a change or an incident: it is marked on every chart.

  lightship event "deploy api 1.4" --tag service:api""",
    "push": """Push what a job has to say before it ends, as to a Pushgateway:
values, or an exposition from a file or standard input.

  lightship push backup backup_bytes=1024 'backup_files_total{kind="new"}=7'
  make-metrics | lightship push nightly --grouping instance=db1 --replace --to http://pushgateway:9091
  lightship push nightly --grouping instance=db1 --delete""",
    "doctor": "Look for what is wrong here: ports, fonts, versions, permissions; each finding with its mend.",
}

_Commands = argparse._SubParsersAction  # the only name that argparse gives to what add_subparsers returns


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands but the collector's own."""
    parser = argparse.ArgumentParser(prog="lightship", usage="lightship [COMMAND] [OPTIONS]", add_help=False)
    parser.add_argument("-h", "--help", action="help", help="show this help")
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, prog="lightship")
    for add in (_add_interfaces, _add_questions, _add_alerting, _add_notify, _add_rules, _add_tools):
        add(commands)
    return parser


def command_names(parser: argparse.ArgumentParser) -> tuple[str, ...]:
    """The names of the commands of `build_parser()`."""
    return tuple(next(action.choices for action in parser._actions if isinstance(action, _Commands)))


class _Version(argparse.Action):
    """Looks the version up only when it is asked for: reading package metadata is slow to load."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        print(f"lightship {_version()}")
        parser.exit()


def _version() -> str:
    import importlib.metadata

    try:
        return importlib.metadata.version("lightship")
    except importlib.metadata.PackageNotFoundError:
        return "(not installed)"


def _command(commands: _Commands[argparse.ArgumentParser], name: str, module: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, description=_TEXT[name], formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.set_defaults(module=f"ui.command.{module}", command=name)
    return parser


def _add_interfaces(commands: _Commands[argparse.ArgumentParser]) -> None:
    up = _command(commands, "up", "up")
    up.add_argument("--ui", choices=("auto", "desktop", "tui", "none"), default="auto", help="which interface to open (auto)")
    up.add_argument("--config", metavar="FILE", help="configuration file for a collector that is started")
    up.add_argument("--data", metavar="DIR", help="data folder for a collector that is started")
    up.add_argument("--rules", metavar="DIR", help="folder of rule files for a collector that is started")
    up.add_argument("--keep", action="store_true", help="leave a collector that was started running when the interface is closed")
    up.add_argument("--demo", action="store_true", help="look around: a simulated shop, and a collector with a folder of its own")
    for parser in (
        up,
        _command(commands, "desktop", "interfaces"),
        _command(commands, "tui", "interfaces"),
    ):
        options.add_url(parser)
        options.add_who(parser)
        options.add_theme(parser)
    parser.add_argument(
        "--plain", action="store_true", help="a line for each change of an alert instead: for pipes and screen readers"
    )


def _add_questions(commands: _Commands[argparse.ArgumentParser]) -> None:
    status = _command(commands, "status", "status")
    options.add_client(status)
    for name in ("get", "watch"):
        parser = _command(commands, name, "values")
        parser.add_argument("selector", metavar="SELECTOR", help='a name, or name{tag="value", other=~"a|b"}; {} is everything')
        parser.add_argument("--window", default="1m", metavar="TIME", help="over how long: 1m, 5m, 15m, 1h (1m)")
        parser.add_argument(
            "--field",
            action="append",
            metavar="FIELD",
            help="value, last, count, sum, min, max, mean, rate, per_minute, p50, p99.9 …, unique, age; again for more (value)",
        )
        parser.add_argument(
            "--limit", type=int, default=1000 if name == "get" else 50, metavar="N", help="at most so many series"
        )
        if name == "watch":
            parser.add_argument("--count", type=int, default=0, metavar="N", help="stop after so many ticks")
        options.add_client(parser)

    query = _command(commands, "query", "query")
    query.add_argument("expr", metavar="PROMQL")
    query.add_argument("--last", metavar="TIME", help="over so long up to now, or up to --end")
    query.add_argument("--start", metavar="WHEN", help="from then on: 2026-11-24T09:00 (UTC), seconds since 1970, or --start=-2h")
    query.add_argument("--end", metavar="WHEN", help="up to then; without a start: at that moment (now)")
    query.add_argument("--step", metavar="TIME", help="time between two points (about 250 of them)")
    query.add_argument("--limit", type=int, default=1000, metavar="N", help="at most so many series (1000)")
    query.add_argument("--csv", action="store_true", help="print CSV: a row a time, a column a series")
    options.add_client(query)


def _add_alerting(commands: _Commands[argparse.ArgumentParser]) -> None:
    alerts = _command(commands, "alerts", "alerts")
    alerts.add_argument("--state", choices=("firing", "pending", "resolved"), help="only these")
    alerts.add_argument("--silences", action="store_true", help="list silences instead")
    options.add_client(alerts)
    ack = _command(commands, "ack", "acting")
    ack.add_argument(
        "alerts", nargs="+", metavar="ALERT", help="an alert's id or its beginning, or a rule's id for all of its alerts"
    )
    ack.add_argument("--note", default="", help="what you want the others to know")
    ack.add_argument("--for", dest="duration", metavar="TIME", help="let it lapse after this time (until resolved)")
    ack.add_argument(
        "--until-change", action="store_true", help="let it lapse too when an alert gets worse, or another of its group begins"
    )
    ack.add_argument("--assign", metavar="PERSON", help="whose it is to see to, without acknowledging it; '' is nobody")
    ack.add_argument("--release", action="store_true", help="take an acknowledgement back")
    silence = _command(commands, "silence", "acting")
    silence.add_argument("matchers", metavar="MATCHERS", help='as service="cart", env=~"prod|stage"; alertname is the rule')
    silence.add_argument("--for", dest="duration", metavar="TIME", help="how long (1h; a maintenance window: 365d)")
    silence.add_argument("--because", default="", metavar="TEXT", help="the reason; required")
    silence.add_argument("--end-when-resolved", action="store_true", help="end it early once nothing it matches fires")
    silence.add_argument("--end-when-idle", metavar="TIME", help="end it once it has matched nothing for so long")
    silence.add_argument("--warn", default="10m", metavar="TIME", help="event so long before its end while alerts fire (10m)")
    silence.add_argument("--times", action="append", default=[], metavar="HH:MM-HH:MM", help="a maintenance window: only then")
    silence.add_argument("--weekdays", action="append", default=[], metavar="DAY:DAY", help="a maintenance window: only then")
    silence.add_argument("--time-zone", default="UTC", metavar="ZONE", help="of --times and --weekdays, as Europe/Berlin (UTC)")
    silence.add_argument("--edit", metavar="SILENCE", help="give this silence the matchers, --for and --because; or renew it")
    silence.add_argument("--yes", action="store_true", help="also where it keeps very many firing alerts quiet")
    silence.add_argument("--preview", action="store_true", help="only say what it would silence")
    unsilence = _command(commands, "unsilence", "acting")
    unsilence.add_argument(
        "silence", metavar="SILENCE", help="the silence's id or its beginning (see 'lightship alerts --silences')"
    )
    for parser in (ack, silence, unsilence):
        options.add_client(parser)
        options.add_who(parser)
    verbs = alerts.add_argument("what", nargs="?", choices=("incidents", "noise"), help="incidents, or how noisy each rule was")
    verbs.metavar = "incidents | noise"
    alerts.add_argument("--last", default="7d", metavar="TIME", help="noise: over so long up to now (7d)")
    reasons = _command(commands, "why", "why")
    reasons.add_argument("alert", metavar="ALERT", help="an alert's id or its beginning, or a rule's id for all of its alerts")
    options.add_client(reasons)


def _add_notify(commands: _Commands[argparse.ArgumentParser]) -> None:
    notify = _command(commands, "notify", "notify")
    trials = notify.add_subparsers(metavar="test | preview", required=True)
    test = trials.add_parser("test", description="Tell a receiver a notice that says it is a test, and say how that ended.")
    test.add_argument("receiver", metavar="RECEIVER", help="its name in the settings")
    test.set_defaults(verb="test")
    options.add_who(test)
    preview = trials.add_parser("preview", description="Who would be told of an alert with these labels now. Nobody is.")
    preview.add_argument("labels", nargs="+", metavar="LABEL", help='as severity="critical", team=shop; alertname is the rule')
    preview.set_defaults(verb="preview")
    for parser in (test, preview):
        options.add_client(parser)


def _add_rules(commands: _Commands[argparse.ArgumentParser]) -> None:
    rules = _command(commands, "rules", "rules")
    verbs = rules.add_subparsers(metavar="list | check | test | backtest", required=True)
    listing = verbs.add_parser("list", description="The rules in force.")
    listing.set_defaults(verb="list")
    options.add_client(listing)
    check = verbs.add_parser("check", description="Check rule files without a collector; exit code 2 when one would be refused.")
    check.add_argument("files", nargs="+", metavar="FILE")
    check.set_defaults(verb="check")
    options.add_json(check)
    test = verbs.add_parser("test", description="Run files of tests of rules: promtool's YAML, or TOML for rules of our own.")
    test.add_argument("files", nargs="+", metavar="FILE")
    test.set_defaults(verb="test")
    options.add_json(test)
    past = verbs.add_parser("backtest", description="When a rule would have fired, for how long, how noisily; nobody is told.")
    past.add_argument("what", metavar="RULE|FILE", help="the id of a rule in force, or a file of rules (.toml, .yml)")
    past.add_argument("--rule", default="", metavar="ID", help="only this rule of the file")
    past.add_argument("--last", default="14d", metavar="TIME", help="over so long up to now (14d)")
    past.add_argument("--step", metavar="TIME", help="time between two judgements (as fine as the bounds allow)")
    past.set_defaults(verb="backtest")
    options.add_client(past)


def _add_tools(commands: _Commands[argparse.ArgumentParser]) -> None:
    send = _command(commands, "send", "send")
    send.add_argument("name", metavar="NAME")
    send.add_argument("value", metavar="VALUE", help="a number; +N or -N changes a gauge; any text for a set")
    send.add_argument(
        "--type",
        choices=("c", "g", "ms", "h", "d", "s"),
        default="c",
        help="counter, gauge, timer, histogram, distribution, set (c)",
    )
    send.add_argument("--tag", action="append", default=[], metavar="KEY:VALUE")
    send.add_argument("--rate", type=float, metavar="R", help="sample rate between 0 and 1")
    send.add_argument("--times", type=int, default=1, metavar="N", help="send it so many times (1)")
    send.add_argument("--to", default="127.0.0.1:8125", metavar="HOST:PORT", help="where StatsD is received (127.0.0.1:8125)")
    event = _command(commands, "event", "event")
    event.add_argument("text", metavar="TEXT", help="what happened")
    event.add_argument(
        "--kind", choices=("deploy", "change", "incident", "event"), help="event, or deploy where the text begins so"
    )
    event.add_argument("--tag", action="append", default=[], metavar="KEY:VALUE")
    event.add_argument("--ago", metavar="TIME", help="so long before now")
    options.add_client(event)
    options.add_who(event)
    push = _command(commands, "push", "push")
    push.add_argument("job", metavar="JOB", help="the job, which names the group")
    push.add_argument(
        "what", nargs="*", metavar="FILE|NAME=VALUE", help="an exposition (- or nothing: standard input), or values by name"
    )
    push.add_argument("--to", metavar="URL", help=f"a Pushgateway or a collector (LIGHTSHIP_URL; {options.DEFAULT_URL})")
    push.add_argument(
        "--grouping", action="append", default=[], metavar="NAME=VALUE", help="a further label of the group; again for more"
    )
    how = push.add_mutually_exclusive_group()
    how.add_argument("--replace", action="store_true", help="replace the whole group, not only metrics of the same names")
    how.add_argument("--delete", action="store_true", help="end the whole group")
    options.add_timeout(push)
    doctor = _command(commands, "doctor", "doctor")
    options.add_client(doctor)
