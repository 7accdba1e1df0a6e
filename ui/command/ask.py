"""One question to a collector over its stream, and its answer: what the short-lived commands are made of."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from monitor.wire.codec import MAX_FROM_SERVER, MSGPACK, Codec, DecodeError
from monitor.wire.messages import Hello, Message, Reply, Request, Resume
from ui.command.exits import NO_COLLECTOR, REFUSED, CommandError

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

_HINT = "Start one with 'lightship up' or 'lightship collector', or name another with --url."


def with_scheme(url: str) -> str:
    """`host:7070` is `http://host:7070`."""
    return url if "://" in url else f"http://{url}"


def stream_url(url: str, timeout: float = 5.0) -> str:
    """The stream's ws:// address for an address a person gives. Raises `CommandError` when nothing answers there."""
    url = with_scheme(url)
    scheme = urlsplit(url).scheme
    if scheme in ("ws", "wss"):
        return url
    if scheme not in ("http", "https"):
        raise CommandError(f"{url!r} is not an address; write http://host:7070 or ws://host:7071", 2)
    import urllib.error
    import urllib.request

    try:
        with urllib.request.urlopen(url.rstrip("/") + "/-/lightship", timeout=timeout) as answer:
            found = json.loads(answer.read(65536))["stream"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = getattr(error, "reason", None) or error
        raise CommandError(f"No collector answers at {url} ({reason}). {_HINT}", NO_COLLECTOR) from None
    return str(found)


class Conversation:
    """A connection that has been greeted. `hello` is the collector's greeting, `timeout` the patience in seconds."""

    def __init__(self, socket: ClientConnection, timeout: float) -> None:
        self._socket = socket
        self.timeout = timeout
        self._codec = Codec(MSGPACK)
        self._numbers = itertools.count(1)
        hello = self.receive()
        if not isinstance(hello, Hello):
            raise CommandError("What answers there is not a Lightship collector of this version.", NO_COLLECTOR)
        self.hello = hello

    def number(self) -> int:
        """A request number that was not used yet."""
        return next(self._numbers)

    def send(self, request: Request) -> None:
        self._socket.send(self._codec.encode(request))

    def receive(self, timeout: float | None = None) -> Message:
        """The next message. Raises `CommandError` when none comes in time."""
        try:
            return self._codec.decode(self._socket.recv(timeout=timeout or self.timeout))
        except TimeoutError:
            raise CommandError(f"The collector has not answered for {timeout or self.timeout:g} s.", NO_COLLECTOR) from None
        except DecodeError as error:
            raise CommandError(f"The collector's answer cannot be read: {error}") from None
        except Exception as error:
            raise CommandError(f"The connection to the collector broke: {error}", NO_COLLECTOR) from None

    def ask(self, request: Request) -> Any:
        """The result of a request. Raises `CommandError` with the collector's own words when it refuses."""
        self.send(request)
        while True:
            message = self.receive()
            if isinstance(message, Reply) and message.id == request.id:
                if message.error:
                    raise CommandError(message.error, REFUSED)
                return message.result

    def resume(self, who: str = "") -> None:
        """Ask for the lists (alerts, rules, events), but not for the series table."""
        self.send(Resume(id=self.number(), client="command", who=who, series_wanted=False))


@contextmanager
def conversation(url: str, timeout: float = 5.0) -> Iterator[Conversation]:
    """Connect, greet, and hang up at the end."""
    from websockets.exceptions import WebSocketException
    from websockets.sync.client import connect
    from websockets.typing import Subprotocol

    address = stream_url(url, timeout)
    try:
        socket = connect(
            address,
            subprotocols=[Subprotocol(MSGPACK)],
            compression=None,
            max_size=MAX_FROM_SERVER,
            open_timeout=timeout,
            close_timeout=1,
            proxy=None,
        )
    except (OSError, WebSocketException, ValueError) as error:
        raise CommandError(f"No collector answers at {address} ({error}). {_HINT}", NO_COLLECTOR) from None
    with socket:
        yield Conversation(socket, timeout)
