"""Asks a remote store over Prometheus' API: bounded answers, within the query's time, and never a password in an error."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from collector.query.job import Job, timed_out
from collector.query.remote.answers import ListJson, refusal
from collector.storage.remote.target import RemoteTarget, bare, shown
from monitor.query.history import Labels, Metadata, QueryError

if TYPE_CHECKING:
    import aiohttp

Fields = Sequence[tuple[str, str]]
MAX_ANSWER = 256 << 20
"""Bytes of one answer."""


_CONNECT = 5.0
"""Seconds that a connection may take."""
_AWAY = frozenset((401, 403, 404, 429, 502, 503, 504))
"""What a store, or what stands before it, says that cannot answer now or will not answer us."""


class RemoteUnavailableError(QueryError):
    """The remote store cannot be reached, or says that it cannot answer now."""

    kind = "unavailable"


class RemoteClient:
    """One store. The session is opened by the first request and closed by `close`."""

    def __init__(self, target: RemoteTarget, max_answer: int = MAX_ANSWER) -> None:
        self._target = target
        self._max_answer = max_answer
        self._session: aiohttp.ClientSession | None = None
        self.where = shown(target.query_url)
        """The store's address as it may be shown."""
        self.requests = 0
        self.failures = 0
        self.failing = ""
        """Why the store did not answer the last time, "" when it did."""

    async def post(self, path: str, fields: Fields, job: Job) -> bytes:
        """The body of `/api/v1/<path>`, whatever its status, when it is JSON. Raises `QueryError`."""
        return await self._ask("POST", path, fields, job)

    async def listed(self, method: str, path: str, fields: Fields, job: Job) -> bytes:
        """`data` of an answer of series or labels, as JSON. Raises `QueryError`."""
        body = await self._ask(method, path, fields, job)
        try:
            envelope = msgspec.json.decode(body, type=ListJson)
        except msgspec.DecodeError as error:
            raise QueryError(f"the remote store's answer cannot be read: {error}") from None
        if envelope.status != "success":
            raise refusal(envelope.error_type, envelope.error)
        return bytes(envelope.data)

    async def series(self, fields: Fields, job: Job) -> list[Labels]:
        found = msgspec.json.decode(await self.listed("POST", "series", fields, job), type=list[dict[str, str]])
        return [tuple(sorted((name, value) for name, value in each.items() if value)) for each in found]

    async def texts(self, method: str, path: str, fields: Fields, job: Job) -> list[str]:
        return msgspec.json.decode(await self.listed(method, path, fields, job), type=list[str])

    async def metadata(self, job: Job) -> dict[str, Metadata]:
        found = msgspec.json.decode(await self.listed("GET", "metadata", (), job), type=dict[str, list[Metadata]])
        return {name: known[0] for name, known in found.items() if known}

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _ask(self, method: str, path: str, fields: Fields, job: Job) -> bytes:
        import aiohttp

        if self._session is None:
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        where = self.where
        self.requests += 1
        url = f"{bare(self._target.query_url).rstrip('/')}/api/v1/{path}"
        sent: dict[str, object] = {"data": list(fields)} if method == "POST" else {"params": list(fields)}
        # Before the query's own time is up, so that the part at hand can still be shown.
        limit = aiohttp.ClientTimeout(total=max(0.001, job.left - min(1.0, job.left / 10)), sock_connect=_CONNECT)
        headers = self._target.all_headers(self._target.query_url)
        try:
            # A redirect is not followed: it would take the password elsewhere.
            async with self._session.request(
                method,
                url,
                headers=headers,
                timeout=limit,
                allow_redirects=False,
                **sent,  # type: ignore[arg-type]
            ) as answer:
                body = await self._read(answer)
                status, kind = answer.status, answer.content_type
        except aiohttp.ConnectionTimeoutError:
            self._failed("no connection in time")
            raise RemoteUnavailableError(
                f"the remote store {where} cannot be reached: no connection within {_CONNECT:g} s"
            ) from None
        except TimeoutError:
            self._failed("no answer in time")
            raise timed_out(job.timeout) from None
        except (aiohttp.ClientError, OSError) as error:
            self._failed(type(error).__name__)
            raise RemoteUnavailableError(f"the remote store {where} cannot be reached: {_said(error)}") from None
        if status >= 300 and (kind != "application/json" or status in _AWAY):
            self._failed(f"status {status}")
            raise _error(status, where, body if kind == "application/json" else b"")
        self.failing = ""
        return body

    async def _read(self, answer: aiohttp.ClientResponse) -> bytes:
        parts: list[bytes] = []
        size = 0
        async for part in answer.content.iter_chunked(1 << 18):
            size += len(part)
            if size > self._max_answer:
                longest = f"{self._max_answer >> 20} MiB"
                raise QueryError(f"the remote store's answer is longer than {longest}; raise the step or select fewer series")
            parts.append(part)
        return b"".join(parts)

    def _failed(self, why: str) -> None:
        self.failures += 1
        self.failing = why


def _error(status: int, where: str, body: bytes) -> QueryError:
    """`body`: JSON, or nothing."""
    if status in (401, 403):
        return RemoteUnavailableError(
            f"the remote store {where} refuses us (status {status}); check its password, token or tenant"
        )
    said = ""
    with contextlib.suppress(msgspec.DecodeError):
        told = msgspec.json.decode(body, type=ListJson)
        if told.error_type in ("timeout", "canceled"):
            return refusal(told.error_type, told.error)
        said = f": {told.error[:300]}"
    if status == 404:
        return RemoteUnavailableError(f"the remote store {where} has no /api/v1 below that address (status 404)")
    return RemoteUnavailableError(f"the remote store {where} answered with status {status}{said}")


def _said(error: BaseException) -> str:
    """What went wrong without the address, which may hold a password."""
    reason = getattr(error, "os_error", error)
    return (getattr(reason, "strerror", None) or type(error).__name__)[:200]


def cancelled_with(job: Job) -> None:
    """Ends this task when its query is cancelled: nobody would read the answer."""
    task = asyncio.current_task()
    if task is not None:
        job.on_cancel(task.cancel)


def seconds(millis: int) -> str:
    """A time or duration as the API takes it."""
    return f"{millis / 1000:.3f}"
