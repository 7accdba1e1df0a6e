"""Events of DogStatsD: `_e{4,6}:title|text|d:1656581400|h:web1|t:error|#tag:value`, lengths in bytes."""

from __future__ import annotations

import re

from collector.receivers.statsd.grammar import MalformedLineError, clean, read_timestamp
from monitor.alerting.model import Event

LEAD = b"_e{"
MAX_TITLE = 200
MAX_TEXT = 800
MAX_WORDS = 20
MAX_WORD = 100
_HEADER = re.compile(rb"_e\{([0-9]{1,5}),([0-9]{1,5})\}:")
_SEVERITY = {b"error": "critical", b"warning": "warning", b"info": "info", b"success": "info"}
_DEPLOYING = re.compile(r"\b(deploy(s|ed|ing|ment|ments)?|roll(ed|ing)?[ -]?(out|back)|released? v?\d)", re.IGNORECASE)
_DEPLOY_TAGS = frozenset({"deploy", "deployed", "deployment", "rollout", "rollback", "release"})


def read_event(line: bytes, now: float) -> Event:
    """The event as one line of safe text: `title: text`, then the tags as words.

    It happened at its `d:`, but never later than `now`. `kind` is "deploy" where the title or a tag says so (a tag that is
    the word, or whose value is), else "event". Raises `MalformedLineError`; optional fields that cannot be read are left
    out, as Datadog's own agent does.
    """
    header = _HEADER.match(line)
    if header is None:
        raise MalformedLineError("bad event")
    begin = header.end()
    middle = begin + int(header[1])
    end = middle + 1 + int(header[2])
    if middle == begin or len(line) < end or line[middle : middle + 1] != b"|" or line[end : end + 1] not in (b"", b"|"):
        raise MalformedLineError("bad event")
    title, text = shown(line[begin:middle], MAX_TITLE), shown(line[middle + 1 : end], MAX_TEXT)
    at, severity = now, "info"
    words: list[str] = []
    for field in line[end + 1 :].split(b"|"):
        lead, value = field[:2], field[2:]
        if lead == b"d:":
            at = _moment(value, now)
        elif lead == b"t:":
            severity = _SEVERITY.get(value, "info")
        elif lead == b"h:" and value:
            words.insert(0, f"host:{shown(value, MAX_WORD)}")
        elif field[:1] == b"#":
            words += [shown(tag, MAX_WORD) for tag in field[1:].split(b",") if tag]
    says_so = _DEPLOYING.search(title) or any(word.rpartition(":")[2].lower() in _DEPLOY_TAGS for word in words)
    said = f"{title}: {text}" if text else title
    return Event(at, "deploy" if says_so else "event", " ".join([said, *words[:MAX_WORDS]]), severity=severity)


def shown(raw: bytes, limit: int) -> str:
    """One line of at most `limit` characters; clients write a line's end as backslash and n."""
    text = clean(raw[: 4 * limit + 8].replace(b"\\n", b" ").strip())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _moment(text: bytes, now: float) -> float:
    try:
        return min(read_timestamp(text), now)
    except MalformedLineError:
        return now
