"""`python -m ui.demoshop`: run the simulated shop until it is told to end."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence

from ui.demoshop.sending import Addresses, Sending
from ui.demoshop.shop import Shop

TICK = 0.5
"""Seconds between two looks at what happened."""
OK, USAGE = 0, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit codes: 0 ended as it was told to, 2 wrong flags."""
    flags = _parser().parse_args(arguments)
    logging.basicConfig(format="lightship demo: %(message)s", level=logging.WARNING)
    stop = threading.Event()
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if (number := getattr(signal, name, None)) is not None:
            signal.signal(number, lambda *_: stop.set())
    if flags.while_stdin:
        threading.Thread(target=_watch_stdin, args=(stop, flags.ends), name="demo parent", daemon=True).start()
    began = time.time()
    try:
        sending = Sending(Addresses(flags.statsd, flags.otlp, flags.datadog, flags.http), began)
    except (OSError, ValueError) as error:
        print(f"lightship demo: --statsd {flags.statsd}: {error}. Write it as 127.0.0.1:8125.", file=sys.stderr)
        return USAGE
    run(Shop(flags.seed, began), sending, stop)
    return OK


def run(shop: Shop, sending: Sending, stop: threading.Event, clock: Callable[[], float] = time.time, tick: float = TICK) -> None:
    """Send what happens until `stop` is set."""
    sending.start()
    try:
        while not stop.is_set():
            now = clock()
            sending.send(shop.advance(now), now)
            stop.wait(tick)
    finally:
        sending.stop()


def _parser() -> argparse.ArgumentParser:
    usual = Addresses()
    parser = argparse.ArgumentParser(
        prog="python -m ui.demoshop",
        description="A simulated shop: sends what its services would to a collector, until Ctrl C or SIGTERM.",
    )
    parser.add_argument("--statsd", default=usual.statsd, metavar="HOST:PORT", help=f"where StatsD is received ({usual.statsd})")
    parser.add_argument(
        "--otlp", default=usual.otlp, metavar="URL", help=f"OTLP over HTTP; --http where that fails ({usual.otlp})"
    )
    parser.add_argument("--datadog", default=usual.datadog, metavar="URL", help=f"Datadog traces ({usual.datadog})")
    parser.add_argument("--http", default=usual.http, metavar="URL", help=f"the collector's HTTP side ({usual.http})")
    parser.add_argument("--seed", type=int, default=7, help="what happens, and when: the same for the same number (7)")
    parser.add_argument("--while-stdin", action="store_true", help="end when standard input is closed: when the parent is gone")
    parser.add_argument("--ends", type=int, default=0, metavar="PID", help="a process that is told to end then, too")
    return parser


def _watch_stdin(stop: threading.Event, ends: int) -> None:
    """The other end of the pipe is closed by the parent, or by the system when the parent is killed."""
    handle = _process(ends)
    while os.read(0, 4096):
        pass
    if not stop.is_set():
        _end(ends, handle)
    stop.set()


def _process(number: int) -> int | None:
    """A handle that means this process and none that may get its number later; None where there is no such thing."""
    if not number or not hasattr(os, "pidfd_open"):
        return None
    try:
        return os.pidfd_open(number)
    except OSError:
        return None


def _end(number: int, handle: int | None) -> None:
    """SIGTERM to the process, if it is still there."""
    try:
        if handle is not None:
            signal.pidfd_send_signal(handle, signal.SIGTERM)
        elif number and sys.platform != "linux":
            os.kill(number, signal.SIGTERM)
    except OSError:
        return
