"""What is kept of spans: whole traces only, and what was answered outlives the process that took it."""

from __future__ import annotations

import contextlib
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.held import HeldJournal
from collector.receivers.accept import NotAcceptedError
from collector.sampling import Sampling
from monitor.model.spans import Spans, joined_spans
from monitor.pipeline.fates import Fate
from monitor.settings.load import load_settings
from tests.monitor.pipeline.made import made_spans

TAIL = "tail = true\ntail_share = 0\n"


class House:
    """A sampling whose store keeps what was committed, and loses the rest in a kill."""

    def __init__(self, folder: Path, text: str = TAIL) -> None:
        self.folder, self.text = folder, text
        self.now = 1000.0
        self.stored: list[Spans] = []
        self.full = self.refuses = False
        self.start()

    def start(self) -> None:
        self.pending: list[Spans] = []
        self.sampling = Sampling(load_settings(self.text, "x.toml", {}), self.folder, self._keep, lambda: self.now)

    def kill(self, text: str | None = None) -> None:
        """As a kill does: nothing is closed or committed."""
        self.text = self.text if text is None else text
        self.sampling.close()  # file descriptors only: nothing waits in buffers
        self.now = 5.0  # a clock that counts from the start
        self.start()

    def _keep(self, spans: Spans) -> bool:
        if not self.full:
            self.pending.append(spans)
        return not self.full

    def _commit(self) -> bool:
        if not self.refuses:
            self.stored += self.pending
            self.pending = []
        return not self.refuses

    def take(self, each: Sequence[tuple[int, str, str]], errors: Sequence[int] = ()) -> None:
        self.sampling.take(made_spans(each, errors))
        assert self.commit()

    def commit(self) -> bool:
        return self.sampling.commit(self._commit)

    def tick(self, seconds: float = 1.0) -> None:
        self.now += seconds
        self.sampling.tick()
        if self.sampling.unsettled:
            self.commit()

    def traces(self) -> list[int]:
        return sorted(joined_spans(self.stored).traces[:, 1].tolist())

    def segments(self) -> list[str]:
        return sorted(path.name for path in (self.folder / "held").glob("*.spans"))


WEB, SHOP = (1, "web", "GET /"), (1, "shop", "pay")
FINE = (2, "web", "GET /")


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Callable[[str], House]]:
    with contextlib.ExitStack() as stack:

        def begun(text: str) -> House:
            house = House(tmp_path, text)
            stack.callback(lambda: house.sampling.close())
            return house

        yield begun


@pytest.fixture
def house(build: Callable[[str], House]) -> House:
    return build(TAIL)


def test_without_settings_all_spans_go_to_the_store_and_no_journal_is_made(build: Callable[[str], House]) -> None:
    house = build("")
    house.take([WEB, FINE])
    assert house.traces() == [1, 2]
    assert not (house.folder / "held").exists()


def test_a_share_of_traces_is_kept_and_the_rest_counted(build: Callable[[str], House]) -> None:
    house = build("trace_share = 0.5\n")
    house.take([(0xF0 << 48, "web", "a"), (0x10 << 48, "web", "a"), (0xF0 << 48, "shop", "b")])
    assert house.traces() == [0xF0 << 48] * 2
    assert house.sampling.figures()["head_dropped_spans_total"] == 1


def test_until_a_trace_is_decided_nobody_finds_a_part_of_it(house: House) -> None:
    house.take([WEB], errors=[0])
    house.tick(9.9)
    assert house.stored == house.pending == []
    house.take([SHOP])
    house.tick(0.6)
    assert house.traces() == [1, 1]
    assert len(house.stored) == 1, "in one piece"


def test_what_was_answered_and_held_outlives_a_kill(house: House) -> None:
    house.take([WEB, FINE])
    house.tick(5)
    house.kill()
    house.take([SHOP], errors=[0])
    house.tick(10)
    house.tick(1)
    assert house.traces() == [1, 1], "the error came after the kill, and made the part from before it be kept"


def test_what_was_decided_and_not_stored_outlives_a_kill(house: House) -> None:
    house.take([WEB, SHOP], errors=[1])
    house.refuses = True
    house.tick(11)
    assert house.stored == []
    house.kill()
    house.refuses = False
    assert house.commit()
    assert house.traces() == [1, 1]


def test_what_was_stored_before_a_kill_is_not_stored_again(house: House) -> None:
    house.take([WEB, SHOP], errors=[1])
    house.tick(11)
    house.kill()
    house.tick(12)
    house.tick(12)
    assert house.traces() == [1, 1]


def test_a_span_that_comes_after_a_kill_shares_the_fate_of_its_trace(house: House) -> None:
    house.take([WEB, FINE], errors=[0])
    house.tick(11)
    house.kill()
    house.take([SHOP, (2, "shop", "pay")], errors=[1])
    assert house.traces() == [1, 1]


def test_the_journal_lets_go_of_what_is_decided_and_stored(house: House) -> None:
    for second in range(60):
        house.take([(100 + second, "web", "GET /")], errors=[0] if second % 2 else [])
        house.tick()
    assert len(house.segments()) <= 4
    house.tick(20)
    house.tick()
    assert house.segments() == []
    assert house.sampling.figures()["tail_held_bytes"] == 0
    assert len(house.traces()) == 30


def test_the_journal_keeps_what_the_store_does_not_take(house: House) -> None:
    house.take([WEB], errors=[0])
    house.refuses = True
    for _ in range(30):
        house.tick()
    assert len(house.segments()) == 1
    house.refuses = False
    house.tick()
    house.tick()
    assert house.segments() == []
    assert house.traces() == [1]


def test_while_the_store_is_full_kept_traces_wait_and_senders_are_asked_to_come_again(house: House) -> None:
    house.take([WEB], errors=[0])
    house.full = True
    house.tick(11)
    with pytest.raises(NotAcceptedError):
        house.take([FINE])
    house.tick(30)
    assert len(house.segments()) == 1
    house.full = False
    house.tick()
    house.take([FINE])
    assert house.traces() == [1]


def test_a_stop_decides_all_that_waits_and_leaves_nothing_behind(house: House) -> None:
    house.take([WEB, SHOP, FINE], errors=[0])
    house.sampling.stop()
    assert house.commit()
    house.sampling.close()
    assert house.traces() == [1, 1]
    assert house.segments() == []


def test_switched_off_what_waited_is_kept(house: House) -> None:
    house.take([WEB, FINE])
    house.kill("")
    assert house.commit()
    assert house.traces() == [1, 2]
    assert house.segments() == []


def test_what_is_shed_is_told_with_what_to_do(build: Callable[[str], House]) -> None:
    house = build(TAIL + "tail_max_spans = 50\n")
    house.take([(number, "web", "a") for number in range(1, 101)])
    house.tick()
    (note,) = house.sampling.notes()
    assert "Raise it, or shorten tail_wait" in note
    assert house.sampling.figures()["tail_shed_traces_total"] == 55
    house.tick(400)
    assert house.sampling.notes() == []


def test_a_journal_cut_in_the_middle_of_a_record_gives_all_before_it(house: House) -> None:
    house.take([WEB], errors=[0])
    house.take([SHOP])
    (name,) = house.segments()
    path = house.folder / "held" / name
    path.write_bytes(path.read_bytes()[:-5])
    house.kill()
    house.tick(11)
    assert house.traces() == [1]
    assert house.sampling.notes() == []


def test_a_damaged_journal_is_told_and_what_can_be_read_is_kept(house: House) -> None:
    house.take([WEB], errors=[0])
    house.take([SHOP])
    (name,) = house.segments()
    path = house.folder / "held" / name
    data = bytearray(path.read_bytes())
    data[-3] ^= 0xFF
    path.write_bytes(data)
    house.kill()
    house.tick(11)
    assert house.traces() == [1]
    assert any(name in note for note in house.sampling.notes())


def test_a_disk_that_refuses_is_told_to_the_sender_and_nothing_is_taken(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("collector.held._write", refuse)
        with pytest.raises(NotAcceptedError, match="No space left"):
            house.take([WEB])
        assert "No space left" in house.sampling.notes()[0]
    house.take([FINE], errors=[0])
    assert house.sampling.notes() == []
    house.tick(11)
    assert house.traces() == [2]


def test_all_of_a_span_comes_back_from_the_journal(tmp_path: Path) -> None:
    spans = made_spans([(5, "wéb", "GET /"), (6, "shop", "\udc80")], [1], details=[b"\x80", b"x" * 5_000_000])
    spans = replace(spans, counts=np.array([1.0, 4.0]), states=np.array([0, 1], np.int32))
    journal = HeldJournal(tmp_path)
    journal.append(spans, 0.0)
    journal.decide(Fate.CHOSEN, np.array([7], np.uint64))
    journal.close()
    again = HeldJournal(tmp_path)
    assert [(fate, keys.tolist()) for fate, keys in again.fates()] == [(1, [7])]
    back = joined_spans(list(again.spans(0.0)))
    again.close()
    assert again.problems == []
    for name in ("traces", "ids", "parents", "starts", "durations", "kinds", "statuses", "peer_kinds", "counts"):
        np.testing.assert_array_equal(getattr(back, name), getattr(spans, name))
    for name in ("services", "names", "peers", "states"):
        texts = [[one.texts[place] for place in getattr(one, name).tolist()] for one in (spans, back)]
        assert texts[0] == texts[1]
    assert list(back.details) == list(spans.details)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("take"), st.integers(1, 4), st.integers(0, 5).map(lambda die: die == 0)),
        st.tuples(st.just("tick"), st.sampled_from([1, 3, 6]), st.just(False)),
        st.tuples(st.sampled_from(["kill", "refuse", "allow"]), st.just(0), st.just(False)),
    ),
    max_size=40,
)


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_whatever_happens_of_the_answered_spans_of_a_trace_all_are_stored_or_none(
    steps: list[tuple[str, int, bool]],
) -> None:
    answered: dict[int, dict[int, bool]] = {}
    sent = Counter[int]()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        house = House(Path(folder), TAIL)
        stack.callback(lambda: house.sampling.close())
        for number, (what, amount, error) in enumerate(steps, 1):
            if what == "take":
                spans = replace(made_spans([(amount, "web", "a")], [0] if error else []), ids=np.array([number], np.uint64))
                house.sampling.take(spans)
                sent[amount] += 1
                if house.commit():
                    answered.setdefault(amount, {})[number] = error
            elif what == "tick":
                house.tick(amount)
            elif what == "kill":
                house.kill()
            else:
                house.refuses = what == "refuse"
        house.refuses = False
        for _ in range(4):
            house.tick(11)
        stored = joined_spans(house.stored)
        found = set(zip(stored.traces[:, 1].tolist(), stored.ids.tolist(), strict=True))
        for trace, spans_of in answered.items():
            mine = {number for number in spans_of if (trace, number) in found}
            assert mine in (set(), set(spans_of)), f"trace {trace} is halved"
            if sent[trace] == 1 and any(spans_of.values()):
                assert mine, f"trace {trace} had an error"
        assert house.segments() == []
