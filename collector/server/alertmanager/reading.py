"""What is posted to Alertmanager's API: alerts and silences out of JSON, with what is wrong said as there.

Source: Alertmanager, api/v2/openapi.yaml (postableAlert, postableSilence); the codes are those of go-openapi.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from collector.server.alertmanager.moments import read_moment
from collector.server.alertmanager.names import silence_name
from collector.server.alertmanager.standing import NewSilence
from monitor.model.matchers import Matcher, Operator

T = TypeVar("T")
_REQUIRED, _TOO_FEW = 602, 612
_OPERATORS: dict[tuple[bool, bool], Operator] = {
    (True, False): "=",
    (False, False): "!=",
    (True, True): "=~",
    (False, True): "!~",
}


class PostedError(Exception):
    """What cannot be read: `status` of the answer, and its `code` within."""

    def __init__(self, status: int, code: int, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class PostedAlert:
    """As it was posted; times are seconds since the epoch, None: not said."""

    labels: dict[str, str]
    annotations: dict[str, str]
    starts: float | None
    ends: float | None
    generator: str


class _Alert(msgspec.Struct):
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    startsAt: str | None = None  # noqa: N815 - the name on the wire
    endsAt: str | None = None  # noqa: N815 - the name on the wire
    generatorURL: str | None = None  # noqa: N815 - the name on the wire


class _Matcher(msgspec.Struct):
    name: str | None = None
    value: str | None = None
    isRegex: bool = False  # noqa: N815 - the name on the wire
    isEqual: bool = True  # noqa: N815 - the name on the wire


class _Silence(msgspec.Struct):
    id: str | None = None
    matchers: list[_Matcher] | None = None
    startsAt: str | None = None  # noqa: N815 - the name on the wire
    endsAt: str | None = None  # noqa: N815 - the name on the wire
    createdBy: str | None = None  # noqa: N815 - the name on the wire
    comment: str | None = None


_alerts: msgspec.json.Decoder[list[_Alert]] = msgspec.json.Decoder(list[_Alert])
_silence = msgspec.json.Decoder(_Silence)


def read_alerts(body: bytes) -> list[PostedAlert]:
    """Raises `PostedError`: nothing of the body is taken then."""
    if not body.strip():
        raise _missing("alerts in body")
    found = []
    decoded = _decoded(_alerts, body, "alerts")
    for number, alert in enumerate(decoded):
        if alert.labels is None:
            raise _missing(f"{number}.labels in body")
        starts, ends = _moment(alert.startsAt, "alerts"), _moment(alert.endsAt, "alerts")
        found.append(PostedAlert(alert.labels, alert.annotations or {}, starts, ends, alert.generatorURL or ""))
    return found


def read_silence(body: bytes) -> NewSilence:
    """Raises `PostedError`."""
    if not body.strip():
        raise _missing("silence in body")
    posted = _decoded(_silence, body, "silence")
    for name in ("comment", "createdBy", "endsAt", "matchers", "startsAt"):
        if getattr(posted, name) is None:
            raise _missing(f"{name} in body")
    assert posted.matchers is not None
    if not posted.matchers:
        raise PostedError(422, _TOO_FEW, "matchers in body should have at least 1 items")
    starts, ends = _moment(posted.startsAt, "silence"), _moment(posted.endsAt, "silence")
    return NewSilence(
        silence_name(posted.id or ""),
        tuple(_matcher(number, matcher) for number, matcher in enumerate(posted.matchers)),
        starts or 0.0,
        ends or 0.0,
        posted.comment or "",
        posted.createdBy or "",
    )


def _matcher(number: int, posted: _Matcher) -> Matcher:
    if posted.name is None or posted.value is None:
        raise _missing(f"matchers.{number}.{'name' if posted.name is None else 'value'} in body")
    return Matcher(posted.name, _OPERATORS[posted.isEqual, posted.isRegex], posted.value)


def _decoded(decoder: msgspec.json.Decoder[T], body: bytes, what: str) -> T:
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _broken(what, str(error)) from None


def _moment(text: Any, what: str) -> float | None:
    try:
        return read_moment(text or "")
    except ValueError as error:
        raise _broken(what, str(error)) from None


def _broken(what: str, why: str) -> PostedError:
    return PostedError(400, 400, f'parsing {what} body from "" failed, because {why}'[:500])


def _missing(what: str) -> PostedError:
    return PostedError(422, _REQUIRED, f"{what} is required")
