"""`lightship ack`, `silence` and `unsilence`."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable

from monitor.alerting.durations import DurationError, parse_duration
from monitor.alerting.model import Alert
from monitor.model.matchers import Selector, SelectorError, parse_matchers
from monitor.wire.messages import Acknowledge, AddSilence, ExpireSilence, Release
from ui.command.alerts import Lists, fetch, is_called, short_id, where
from ui.command.ask import Conversation, conversation
from ui.command.exits import NOTHING, OK, USAGE, CommandError
from ui.command.show import print_json
from ui.views.format import plural, sanitise


def run(arguments: argparse.Namespace) -> int:
    acts = {"ack": _acknowledge, "silence": _silence, "unsilence": _unsilence}
    with conversation(arguments.url, arguments.timeout) as talk:
        return acts[arguments.command](talk, fetch(talk, arguments.who), arguments)


def _acknowledge(talk: Conversation, lists: Lists, arguments: argparse.Namespace) -> int:
    chosen = [alert for name in arguments.alerts for alert in _find(name, lists.alerts.values())]
    ids = tuple(dict.fromkeys(alert.id for alert in chosen))
    if arguments.release:
        result = talk.ask(Release(id=talk.number(), alerts=ids, who=arguments.who))
        done, word = result["released"], "Released"
    else:
        expires = time.time() + _seconds(arguments.duration, "--for") if arguments.duration else None
        request = Acknowledge(id=talk.number(), alerts=ids, who=arguments.who, note=arguments.note, expires=expires)
        result = talk.ask(request)
        done, word = result["acknowledged"], "Acknowledged"
    if arguments.json:
        print_json(result)
    for alert in chosen if not arguments.json else ():
        if alert.id in done:
            print(f"{word} {alert.rule_id} {sanitise(where(alert))}".rstrip())
    return OK


def _silence(talk: Conversation, lists: Lists, arguments: argparse.Namespace) -> int:
    try:
        matchers = parse_matchers(arguments.matchers)
    except SelectorError as error:
        raise CommandError(f"Matchers, column {error.column}: {error}", USAGE) from None
    seconds = _seconds(arguments.duration, "--for")
    if arguments.preview:
        return _preview(Selector(matchers), lists, arguments.json)
    if not arguments.because:
        raise CommandError("--because: say why, so that the others understand it.", USAGE)
    now = time.time()
    request = AddSilence(
        id=talk.number(),
        matchers=matchers,
        starts=now,
        ends=now + seconds,
        comment=arguments.because,
        who=arguments.who,
        end_when_resolved=arguments.end_when_resolved,
    )
    result = talk.ask(request)
    if arguments.json:
        print_json(result)
    else:
        until = time.strftime("%a %H:%M", time.localtime(now + seconds))
        print(f"Silence {short_id(result['silence'])} until {until}: {plural(len(result['matched']), 'alert')} silenced now.")
    return OK


def _preview(selector: Selector, lists: Lists, as_json: bool) -> int:
    matched = [a for a in lists.alerts.values() if a.state != "resolved" and selector.matches_tags(dict(a.labels))]
    if as_json:
        print_json([alert.id for alert in matched])
        return OK
    print(
        f"Would silence {plural(len(matched), 'alert')} now."
        if matched
        else "Matches nothing now. It would still hold for new alerts."
    )
    for alert in matched:
        print(f"  {alert.severity:8}  {alert.rule_id}  {sanitise(where(alert))}")
    return OK


def _unsilence(talk: Conversation, lists: Lists, arguments: argparse.Namespace) -> int:
    found = [silence for silence in lists.silences.values() if is_called(silence.id, arguments.silence)]
    if len(found) != 1:
        count = "No silence begins" if not found else f"{len(found)} silences begin"
        raise CommandError(f"{count} with {arguments.silence!r}; see 'lightship alerts --silences'.", NOTHING)
    result = talk.ask(ExpireSilence(id=talk.number(), silence=found[0].id, who=arguments.who))
    print_json(result) if arguments.json else print(f"Silence {short_id(found[0].id)} ended.")
    return OK


def _find(name: str, alerts: Iterable[Alert]) -> list[Alert]:
    found = [alert for alert in alerts if alert.id.startswith(name) or alert.rule_id == name]
    live = [alert for alert in found if alert.state != "resolved"]
    if not live:
        raise CommandError(f"No alert or rule that fires is called {name!r}; see 'lightship alerts'.", NOTHING)
    return live


def _seconds(text: str, flag: str) -> float:
    try:
        return parse_duration(text)
    except DurationError as error:
        raise CommandError(f"{flag}: {error}", USAGE) from None
