"""What the stream and the HTTP side ask of the collector, answered from its parts; and people's commands, carried out."""

from __future__ import annotations

import asyncio
import importlib.metadata
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from collector.actions import trial
from collector.exemplar_answer import answer_exemplars
from collector.exporters.exposition import Metric
from collector.finding import check_query, find
from collector.health import FIGURES, PREFIX
from collector.rules.backtesting import Backtesting
from collector.rules.store import RuleFileError
from collector.server.backend import CommandError
from monitor.alerting.model import Alert, Event, HappeningError, Silence, happening
from monitor.alerting.outcome import CommandError as Refused
from monitor.alerting.outcome import Outcome
from monitor.alerting.rules import RulesError
from monitor.engine import Engine
from monitor.model.series import Kind
from monitor.query.history import QueryError
from monitor.wire import messages as m
from monitor.wire.answers import query_result, refusal
from monitor.wire.source import Archive

if TYPE_CHECKING:
    from collector.service import Service

RECENT = 3600.0


class CollectorBackend:
    """Stands between a running `Service` and its clients."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._backtesting = Backtesting(service.past.history)
        self._boot = secrets.token_hex(8)
        self._version = importlib.metadata.version("lightship")
        self._commands: dict[type[m.Request], Callable[[Any, str], Awaitable[Any]]] = {
            m.Acknowledge: self._acknowledge,
            m.Release: self._release,
            m.AddSilence: self._add_silence,
            m.EditSilence: self._edit_silence,
            m.ExpireSilence: self._expire_silence,
            m.Assign: self._assign,
            m.WhyPaged: self._why_paged,
            m.GetIncidents: self._incidents,
            m.GetNoise: self._noise,
            m.AddNote: self._add_note,
            m.AddEvent: self._add_event,
            m.BacktestRule: self._backtest_rule,
            m.CheckRules: self._check_rules,
            m.SaveRules: self._save_rules,
            m.EnableRule: self._enable_rule,
            m.DeleteRule: self._delete_rule,
            m.TryReceiver: self._try_receiver,
            m.PreviewRoutes: self._preview_routes,
            m.Query: self._query,
            m.Find: self._find,
            m.FindTraces: self._ask_tracing,
            m.GetTrace: self._ask_tracing,
            m.FindLogs: self._ask_tracing,
            m.GetServices: self._ask_tracing,
            m.GetExemplars: self._exemplars,
        }

    # ------------------------------------------------------------ what there is

    @property
    def engine(self) -> Engine:
        return self._service.engine

    @property
    def archive(self) -> Archive | None:
        return self._service.past.archive

    @property
    def stream_url(self) -> str:
        return self._service.stream_url

    def hello(self) -> m.Hello:
        settings, now = self._service.settings, time.time()
        since = min(self._service.past.since(), max(now - RECENT, self._service.started - self._service.restored_seconds))
        return m.Hello(
            version=self._version,
            name=self._service.name,
            boot=self._boot,
            time=now,
            interval=settings["interval"],
            windows=settings["windows"],
            recent=max(RECENT, now - since),
            since=since,
            http=self._service.http.url,
            statsd=self._service.receivers.statsd_address,
        )

    def alerts_since(self, revision: int) -> tuple[int, Iterable[Alert], Iterable[Silence], Iterable[str]]:
        changes = self._service.desk.book.changes_since(revision)
        return changes.revision, changes.alerts, changes.silences, changes.removed

    def rules(self) -> m.Rules:
        rules, told, received = self._service.rules, self._service.told, self._service.alertmanaging.received
        revision = rules.revision + told.groups.revision + received.revision
        return m.Rules(revision, tuple(rules.rules), tuple(rules.files), told.groups.told(), (*told.rules, *received.rules))

    def events_since(self, event: int) -> list[Event]:
        return self._service.desk.events_since(event)

    def health(self) -> m.Health:
        health = self._service.health
        return m.Health(time=self.engine.now, values=health.values, notes=health.notes)

    def metrics(self) -> list[Metric]:
        """The collector's own figures for `/metrics`."""
        values = self._service.health.values
        return [
            Metric(
                PREFIX + figure.name,
                "counter" if figure.kind is Kind.COUNTER else "gauge",
                figure.help,
                values.get(figure.name, 0.0),
            )
            for figure in FIGURES
        ]

    def ready(self) -> str:
        """ "" when it takes in and judges, else why not."""
        late = time.time() - self.engine.now
        return "" if late < 10 else f"the last tick was {late:.0f} s ago"

    # ------------------------------------------------------------ what people do

    async def command(self, request: m.Request, who: str) -> Any:
        """Carry out one command and send everybody what changed. Raises `CommandError` with a sentence for its sender."""
        act = self._commands.get(type(request))
        if act is None:
            raise CommandError("This collector does not know that request; it may be older than you.")
        try:
            return await act(request, getattr(request, "who", "") or who)
        except (Refused, RuleFileError) as error:
            raise CommandError(str(error)) from None

    async def _query(self, request: m.Query, who: str) -> Any:
        check_query(request)
        queries, end = self._service.past.queries, round(request.end * 1000)
        try:
            if request.step:
                answer = await queries.range(request.expr, round(request.start * 1000), end, round(request.step * 1000))
            else:
                answer = await queries.instant(request.expr, end)
            return query_result(request, answer)
        except QueryError as error:
            text, result = refusal(error)
            raise CommandError(text, result) from None

    async def _find(self, request: m.Find, who: str) -> Any:
        return await find(self._service.past.queries, request)

    async def _ask_tracing(self, request: m.FindTraces | m.GetTrace | m.FindLogs | m.GetServices, who: str) -> Any:
        return await asyncio.to_thread(self._service.tracing.answer, request)

    async def _exemplars(self, request: m.GetExemplars, who: str) -> Any:
        return await answer_exemplars(self._service.exemplars, request)

    async def _acknowledge(self, request: m.Acknowledge, who: str) -> Any:
        book = self._service.desk.book
        outcome = book.acknowledge(request.alerts, who, time.time(), request.note, request.expires, request.until)
        return {"acknowledged": self._settle(outcome)}

    async def _release(self, request: m.Release, who: str) -> Any:
        return {"released": self._settle(self._service.desk.book.release(request.alerts, who, time.time()))}

    async def _add_silence(self, request: m.AddSilence, who: str) -> Any:
        outcome = self._service.desk.book.add_silence(
            request.matchers,
            request.starts,
            request.ends,
            request.comment,
            who,
            time.time(),
            request.end_when_resolved,
            request.schedule,
            request.end_when_idle,
            request.warn_before,
            request.guard,
        )
        silence, *matched = self._settle(outcome)
        return {"silence": silence, "matched": matched}

    async def _edit_silence(self, request: m.EditSilence, who: str) -> Any:
        outcome = self._service.desk.book.edit_silence(
            request.silence, who, time.time(), request.matchers, request.ends, request.comment, request.guard
        )
        return {"silence": self._settle(outcome)[0]}

    async def _assign(self, request: m.Assign, who: str) -> Any:
        return {"assigned": self._settle(self._service.desk.book.assign(request.alerts, request.person, who, time.time()))}

    async def _why_paged(self, request: m.WhyPaged, who: str) -> Any:
        return {"steps": msgspec.to_builtins(self._service.desk.why(request.alert, time.time()))}

    async def _incidents(self, request: m.GetIncidents, who: str) -> Any:
        return {"incidents": msgspec.to_builtins(self._service.desk.incidents())}

    async def _noise(self, request: m.GetNoise, who: str) -> Any:
        found = await asyncio.to_thread(self._service.desk.noise, time.time(), request.seconds)
        return {"rules": msgspec.to_builtins(found)}

    async def _expire_silence(self, request: m.ExpireSilence, who: str) -> Any:
        self._settle(self._service.desk.book.expire_silence(request.silence, who, time.time()))
        return {"expired": request.silence}

    async def _add_note(self, request: m.AddNote, who: str) -> Any:
        self._settle(self._service.desk.book.add_note(request.alert, request.text, who, time.time()))
        return {}

    async def _add_event(self, request: m.AddEvent, who: str) -> Any:
        try:
            event = happening(request.at or time.time(), request.kind, request.text, who, request.tags)
        except HappeningError as error:
            raise CommandError(f"{str(error).capitalize()}.") from None
        self._service.remember([event])
        return {}

    def _settle(self, outcome: Outcome) -> list[str]:
        """Store and send an outcome; ids it took effect on."""
        desk = self._service.desk
        self._service.publish(desk.settle(outcome, time.time()))
        if desk.unsaved:
            raise CommandError(f"It holds for now, but could not be stored and would be lost at a restart: {desk.unsaved}")
        return list(outcome.accepted)

    async def _check_rules(self, request: m.CheckRules, who: str) -> Any:
        return {"problems": msgspec.to_builtins(self._service.rules.check(request.file, request.text))}

    async def _backtest_rule(self, request: m.BacktestRule, who: str) -> Any:
        return await self._backtesting.answer(request, (*self._service.rules.rules, *self._service.told.rules))

    async def _save_rules(self, request: m.SaveRules, who: str) -> Any:
        try:
            revision, events = self._service.rules.save(request.file, request.text, request.base, who)
        except RulesError as error:
            raise CommandError(f"{error.problems[0]} Nothing was written.") from None
        return self._edited(revision, events)

    async def _enable_rule(self, request: m.EnableRule, who: str) -> Any:
        return self._edited(*self._service.rules.set_enabled(request.rule, request.enabled, who))

    async def _delete_rule(self, request: m.DeleteRule, who: str) -> Any:
        return self._edited(*self._service.rules.delete(request.rule, who))

    async def _try_receiver(self, request: m.TryReceiver, who: str) -> Any:
        return await trial.tell_test(self._service.desk, request.receiver, who, time.time())

    async def _preview_routes(self, request: m.PreviewRoutes, who: str) -> Any:
        return trial.preview(self._service.desk, request.labels, time.time())

    def _edited(self, revision: int, events: Iterable[Event]) -> Any:
        self._service.desk.remember(events, time.time())
        self._service.publish({"rules", "events"})
        return {"revision": revision}
