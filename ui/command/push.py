"""`lightship push`: what a job that is about to end has to say, to a Pushgateway or to a collector, which takes the same."""

from __future__ import annotations

import argparse
import base64
import http.client
import os
import random
import ssl
import sys
import time
from typing import Literal, NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from monitor.wire.push import MOST_BYTES, PushError, content_type_of, exposition, group_url
from ui.command.client_options import DEFAULT_URL
from ui.command.exits import FAILED, NO_COLLECTOR, OK, REFUSED, USAGE, CommandError

ATTEMPTS = 4
_LONGEST_WAIT = 30.0
"""Seconds between two attempts, also where a server asks for more."""
_MOST_ANSWER = 4096
Method = Literal["POST", "PUT", "DELETE"]


class _Answer(NamedTuple):
    """A status, the first of what was said, and the seconds it asks to wait; status 0: nobody answered, and why."""

    status: int
    said: str
    wait: float = 0.0


def run(arguments: argparse.Namespace) -> int:
    method: Method = "DELETE" if arguments.delete else "PUT" if arguments.replace else "POST"
    address = _address(arguments.to or os.environ.get("LIGHTSHIP_URL") or DEFAULT_URL)
    try:
        url = group_url(_bare(address), arguments.job, _grouping(arguments.grouping))
        body = b"" if method == "DELETE" else _body(arguments.what)
    except PushError as error:
        raise CommandError(f"{error}.", USAGE) from None
    if method == "DELETE" and arguments.what:
        raise CommandError("--delete ends the whole group; leave the values or the file out.", USAGE)
    _push(method, address, urlsplit(url).path, body, arguments.timeout)
    return OK


def _address(told: str) -> SplitResult:
    try:
        parts = urlsplit(told)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        sound = False
    if not sound:
        raise CommandError(f"--to {told[:200]!r} is not an address to push to; write http://host:9091.", USAGE)
    return parts


def _bare(address: SplitResult) -> str:
    """Without user and password, and without what is behind a question mark."""
    return f"{address.scheme}://{address.netloc.rpartition('@')[2]}{address.path}"


def _grouping(told: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in told:
        name, equals, value = pair.partition("=")
        if not equals or name == "job" or name in found:
            raise PushError(f"--grouping {pair[:60]!r}: write it as name=value, each name once; the job stands before it")
        found[name] = value
    return found


def _body(what: list[str]) -> bytes:
    """The exposition of values given by name, of a file, or of standard input."""
    if what and all(_is_value(one) for one in what):
        return exposition(what)
    if len(what) > 1:
        raise PushError(f"{next(one for one in what if not _is_value(one))[:60]!r} is no name=value; give values, or one file")
    if not what and sys.stdin.isatty():
        raise PushError("there is nothing to push; give name=value, a file, or - for standard input")
    try:
        if not what or what[0] == "-":
            body = sys.stdin.buffer.read(MOST_BYTES + 1)
        else:
            with open(what[0], "rb") as file:
                body = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise PushError(f"{what[0][:200]} cannot be read: {error.strerror or error}; to give a value, write name=value") from None
    if len(body) > MOST_BYTES:
        raise PushError(f"the exposition has more than {MOST_BYTES} bytes, which is the most of one push; push fewer metrics")
    if not body.strip():
        raise PushError("the exposition is empty; give metrics, or --delete to end the group")
    return body if body.endswith(b"\n") else body + b"\n"


def _is_value(one: str) -> bool:
    name = one.partition("=")[0].partition("{")[0]
    return "=" in one and "/" not in name and os.sep not in name


def _push(method: Method, address: SplitResult, path: str, body: bytes, timeout: float) -> None:
    """Returns when it is there; tries again while nobody answers or the server asks for it. Raises `CommandError`."""
    where = _bare(address)
    answer = _Answer(0, "")
    for attempt in range(ATTEMPTS):
        answer = _asked(method, address, path, body, timeout)
        if 200 <= answer.status < 300:
            return
        if answer.status and answer.status != 429 and answer.status < 500:
            break
        if attempt + 1 < ATTEMPTS:
            time.sleep(min(_LONGEST_WAIT, max(answer.wait, 0.5 * 2**attempt * random.uniform(0.5, 1.0))))
    said = f"status {answer.status}{f': {answer.said}' if answer.said else ''}"
    if not answer.status:
        raise CommandError(
            f"Nothing takes pushes at {where} ({answer.said}). Is a Pushgateway or a collector there?", NO_COLLECTOR
        )
    if 300 <= answer.status < 400:
        raise CommandError(f"{where} is elsewhere ({said}). Nothing was sent there; give that address with --to.", REFUSED)
    if answer.status == 404:
        raise CommandError(f"{where} knows no pushes (status 404). Give the address of a Pushgateway or a collector.", REFUSED)
    if answer.status == 429 or answer.status >= 500:
        raise CommandError(f"{where} did not take the push in {ATTEMPTS} attempts ({said}). Try again later.", FAILED)
    raise CommandError(f"{where} refused the push ({said}). Nothing of it was taken.", REFUSED)


def _asked(method: Method, address: SplitResult, path: str, body: bytes, timeout: float) -> _Answer:
    headers = {"User-Agent": "Lightship"} | ({"Content-Type": content_type_of(body)} if body else {})
    if address.username:
        pair = f"{unquote(address.username)}:{unquote(address.password or '')}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    host = address.hostname or ""
    if address.scheme == "https":
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(host, address.port, timeout=timeout)
    else:
        connection = http.client.HTTPConnection(host, address.port, timeout=timeout)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        said = answer.headers.get("Location", "") if 300 <= answer.status < 400 else ""
        return _Answer(
            answer.status, _plain(said or answer.read(_MOST_ANSWER).decode("utf-8", "replace")), _seconds(answer.headers)
        )
    except TimeoutError:
        return _Answer(0, f"no answer within {timeout:g} s")
    except ssl.SSLError as error:
        return _Answer(0, _plain(f"no TLS: {error.reason or error}"))
    except (OSError, http.client.HTTPException, ValueError) as error:
        return _Answer(0, _plain((error.strerror if isinstance(error, OSError) else None) or str(error)) or type(error).__name__)
    finally:
        connection.close()


def _seconds(headers: http.client.HTTPMessage) -> float:
    told = headers.get("Retry-After", "").strip()
    return float(told) if told.isdecimal() and len(told) < 10 else 0.0


def _plain(text: str) -> str:
    """One line that is safe to show: what a server says is never a terminal's orders."""
    return " ".join("".join(c if c.isprintable() else " " for c in text[:1000]).split())[:200]
