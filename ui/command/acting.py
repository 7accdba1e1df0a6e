"""`lightship ack`, `silence` and `unsilence`."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable
from typing import Any

from monitor.alerting.durations import DurationError, parse_duration
from monitor.alerting.model import AckUntil, Alert, Schedule, Silence
from monitor.model.matchers import Matcher, Selector, SelectorError, parse_matchers
from monitor.wire.messages import Acknowledge, AddSilence, Assign, EditSilence, ExpireSilence, Release
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
    if arguments.assign is not None:
        result = talk.ask(Assign(id=talk.number(), alerts=ids, person=arguments.assign, who=arguments.who))
        done, word = result["assigned"], "Assigned" if arguments.assign else "Taken back:"
    elif arguments.release:
        result = talk.ask(Release(id=talk.number(), alerts=ids, who=arguments.who))
        done, word = result["released"], "Released"
    else:
        expires = time.time() + _seconds(arguments.duration, "--for") if arguments.duration else None
        until: AckUntil = "change" if arguments.until_change else "resolved"
        request = Acknowledge(id=talk.number(), alerts=ids, who=arguments.who, note=arguments.note, expires=expires, until=until)
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
    recurs = bool(arguments.times or arguments.weekdays)
    seconds = _seconds(arguments.duration or ("365d" if recurs else "1h"), "--for")
    if arguments.preview:
        return _preview(Selector(matchers), lists, arguments.json)
    if arguments.edit:
        return _edit(talk, lists, arguments, matchers)
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
        schedule=Schedule(tuple(arguments.times), tuple(arguments.weekdays), time_zone=arguments.time_zone) if recurs else None,
        end_when_idle=_seconds(arguments.end_when_idle, "--end-when-idle") if arguments.end_when_idle else 0.0,
        warn_before=_seconds(arguments.warn, "--warn"),
        guard=not arguments.yes,
    )
    result = _guarded(talk, request)
    if arguments.json:
        print_json(result)
    else:
        until = time.strftime("%a %H:%M", time.localtime(now + seconds))
        print(f"Silence {short_id(result['silence'])} until {until}: {plural(len(result['matched']), 'alert')} silenced now.")
    return OK


def _edit(talk: Conversation, lists: Lists, arguments: argparse.Namespace, matchers: tuple[Matcher, ...]) -> int:
    silence = _one_silence(arguments.edit, lists)
    request = EditSilence(
        id=talk.number(),
        silence=silence.id,
        who=arguments.who,
        matchers=matchers,
        ends=time.time() + _seconds(arguments.duration, "--for") if arguments.duration else None,
        comment=arguments.because or None,
        guard=not arguments.yes,
    )
    result = _guarded(talk, request)
    same = result["silence"] == silence.id
    print_json(result) if arguments.json else print(
        f"Silence {short_id(silence.id)} changed." if same else f"Silence {short_id(result['silence'])} holds now instead."
    )
    return OK


def _guarded(talk: Conversation, request: AddSilence | EditSilence) -> Any:
    try:
        return talk.ask(request)
    except CommandError as error:
        if "confirm that you mean it" in str(error):
            raise CommandError(f"{error} To confirm, add --yes.", error.code) from None
        raise


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
    silence = _one_silence(arguments.silence, lists)
    result = talk.ask(ExpireSilence(id=talk.number(), silence=silence.id, who=arguments.who))
    print_json(result) if arguments.json else print(f"Silence {short_id(silence.id)} ended.")
    return OK


def _one_silence(name: str, lists: Lists) -> Silence:
    found = [silence for silence in lists.silences.values() if is_called(silence.id, name)]
    if len(found) != 1:
        count = "No silence begins" if not found else f"{len(found)} silences begin"
        raise CommandError(f"{count} with {name!r}; see 'lightship alerts --silences'.", NOTHING)
    return found[0]


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
