"""What the settings say is done with everything that comes in: steps over tags, and personal data taken out."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import replace

from monitor.model.batch import Batch, HistogramBatch
from monitor.model.exemplars import Exemplars, label_column
from monitor.model.logs import Logs
from monitor.model.spans import Spans
from monitor.pipeline.found import PiiKind
from monitor.pipeline.pii import PiiFilter, PiiPolicy
from monitor.pipeline.processors import Processors
from monitor.pipeline.records import RecordProcessors
from monitor.pipeline.steps import StepError, read_steps
from monitor.settings.load import Settings


class Pipeline:
    """In one thread. Where nothing is configured, what is given comes back as it is."""

    def __init__(self, settings: Settings) -> None:
        """Raises `OSError` with a sentence for the user where the settings make no sense."""
        try:
            pii = _filter(settings["pii"], settings["pii_key"])
            entries = [{key: said for key, said in entry.items() if said} for entry in settings.tables["pipeline"]]
            steps = read_steps(list(entries))
        except StepError as error:
            raise OSError(errno.EINVAL, f"[[pipeline]]: {error}") from None
        except ValueError as error:
            raise OSError(errno.EINVAL, str(error)) from None
        added = {name: text for entry in entries if "where" not in entry for name, text in entry.get("add", {}).items()}
        self._series, self._pii = Processors(steps, pii), pii
        self._records = RecordProcessors(added, pii=pii)

    def batches(self, batches: Sequence[Batch | HistogramBatch]) -> Sequence[Batch | HistogramBatch]:
        """What is left of a receiver's batches."""
        return self._series.batches(batches)

    def samples(self, batches: Sequence[Batch]) -> list[Batch]:
        """The same, of batches without histograms."""
        return [batch for batch in self._series.batches(batches) if isinstance(batch, Batch)]

    def exemplars(self, exemplars: Exemplars) -> Exemplars:
        """As their processed series have them; those of dropped series are gone, and their labels hold no personal data."""
        space, target = exemplars.space, self._series.target(exemplars.space)
        if target is space:
            return exemplars
        ids = self._series.space(space)[exemplars.ids]
        found = replace(exemplars, space=target, ids=ids).take(ids >= 0)
        if self._pii is None:
            return found
        cleaned = [[(name, self._pii.value(name, value)) for name, value in labels] for labels in found.labels]
        labels = label_column([tuple((name, value) for name, value in each if value is not None) for each in cleaned])
        return replace(found, labels=labels)

    def spans(self, spans: Spans) -> Spans:
        return self._records.spans(spans)

    def logs(self, logs: Logs) -> Logs:
        return self._records.logs(logs)

    def figures(self) -> dict[str, float]:
        """Health figures by name."""
        return self._series.figures() | self._records.figures()

    def notes(self) -> list[str]:
        """What is wrong, in sentences."""
        return self._series.notes()


def _filter(policies: object, key: str) -> PiiFilter | None:
    if not policies:
        return None
    if not isinstance(policies, dict):
        raise ValueError('pii: write what is done with each kind, as { email = "redact", card = "drop" }')
    found: dict[PiiKind, PiiPolicy] = {}
    for kind, policy in policies.items():
        if kind not in set(PiiKind) or policy not in set(PiiPolicy):
            raise ValueError(f"pii: {kind} = {policy!r} is none: kinds are {', '.join(PiiKind)}; each is {', '.join(PiiPolicy)}")
        found[PiiKind(kind)] = PiiPolicy(policy)
    return PiiFilter(found, key.encode())
