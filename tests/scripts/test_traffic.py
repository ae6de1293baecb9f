"""What an answered call leaves behind: one line in the log, and its marks in the metrics."""

import json
import os
from pathlib import Path

import pytest

from routing.arrival import Arrival, Source
from routing.call import InboundCall
from routing.decision import Decision
from scripts import traffic
from scripts.call_lines import writer_of
from scripts.log_stream import LogStream
from scripts.metrics import Metrics
from scripts.traffic import Traffic
from tests.routing.facts import a_call, a_route

CALL_SID = "CA" + "1" * 32


def arrived(source: Source = Source.INDEX, call: InboundCall | None = None) -> tuple[Arrival, Decision]:
    arrival = Arrival(call or a_call(call_sid=CALL_SID), a_route(), source)
    return arrival, arrival.decision


def page(metrics: Metrics) -> dict[str, float]:
    lines = [line.rsplit(" ", 1) for line in metrics.collect()[0].decode().splitlines() if line[0] != "#"]
    return {name: float(value) for name, value in lines}


class Log:
    """A file that a stream writes to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self.stream = LogStream(self._descriptor)

    def text(self) -> str:
        self.stream.close(10)
        os.close(self._descriptor)
        return self.path.read_text()


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "log")


def test_a_call_is_one_json_line_with_what_was_decided_why_on_what_and_how_fast(log: Log) -> None:
    traffic = Traffic(Metrics(), log.stream, writer_of("json"))
    traffic.answered(*arrived(), 0.00123)
    traffic.close()
    (line,) = log.text().splitlines()
    event = json.loads(line)
    assert event.pop("timestamp").endswith("Z")
    assert event == {
        "event": "call.answered",
        "level": "info",
        "call_sid": CALL_SID,
        "number": "+1415•••0100",
        "caller": "+1303•••0142",
        "decision": "connect",
        "reason": "live",
        "source": "index",
        "milliseconds": 1.23,
    }


def test_a_withheld_caller_and_a_number_that_is_none_are_null(log: Log) -> None:
    traffic = Traffic(Metrics(), log.stream, writer_of("json"))
    traffic.answered(*arrived(call=a_call(None, CALL_SID, caller=None)), 0.001)
    traffic.close()
    event = json.loads(log.text())
    assert (event["number"], event["caller"]) == (None, None)


def test_the_console_form_is_for_people(log: Log) -> None:
    traffic = Traffic(Metrics(), log.stream, writer_of("console"))
    traffic.answered(*arrived(Source.DATABASE), 0.5)
    traffic.close()
    text = log.text()
    assert "[info     ] call.answered" in text
    assert f"call_sid={CALL_SID} number=+1415•••0100 caller=+1303•••0142 decision=connect" in text
    assert text.endswith("source=database milliseconds=500.00\n")


def test_without_words_for_them_calls_are_counted_and_not_written(log: Log) -> None:
    metrics = Metrics()
    traffic = Traffic(metrics, log.stream, None)
    traffic.answered(*arrived(), 0.001)
    traffic.close()
    labels = 'decision="connect",reason="live",source="index"'
    assert page(metrics)[f"hookswitch_calls_answered_total{{{labels}}}"] == 1
    assert log.text() == ""


def test_calls_are_counted_by_decision_reason_and_source_of_the_facts() -> None:
    metrics = Metrics()
    traffic = Traffic(metrics)
    for source in (Source.INDEX, Source.INDEX, Source.SNAPSHOT):
        traffic.answered(*arrived(source), 0.001)
    traffic.close()
    counted = page(metrics)
    of = 'hookswitch_calls_answered_total{decision="connect",reason="live",source="%s"}'
    assert [counted[of % source] for source in ("index", "snapshot")] == [2, 1]


@pytest.mark.parametrize(
    ("seconds", "bucket", "below"), [(0.0009, 1, 0), (0.001, 1, 0), (0.0011, 0, 0), (0.0005, 1, 1)]
)
def test_how_long_answers_took_goes_into_buckets_whose_bounds_belong_to_them(
    seconds: float, bucket: int, below: int
) -> None:
    metrics = Metrics()
    traffic = Traffic(metrics)
    traffic.answered(*arrived(), seconds)
    traffic.close()
    counted = page(metrics)
    assert counted['hookswitch_voice_answer_seconds_bucket{le="0.001"}'] == bucket
    assert counted['hookswitch_voice_answer_seconds_bucket{le="0.0005"}'] == below
    assert counted["hookswitch_voice_answer_seconds_count"] == 1
    assert counted["hookswitch_voice_answer_seconds_sum"] == pytest.approx(seconds)


def test_an_answer_slower_than_every_bound_is_counted_too() -> None:
    metrics = Metrics()
    traffic = Traffic(metrics)
    traffic.answered(*arrived(), 9.0)
    traffic.close()
    counted = page(metrics)
    assert counted['hookswitch_voice_answer_seconds_bucket{le="4.0"}'] == 0
    assert counted['hookswitch_voice_answer_seconds_bucket{le="+Inf"}'] == 1


def test_it_writes_by_itself_a_moment_later(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traffic, "_EVERY", 0.005)
    running = Traffic(Metrics(), log.stream, writer_of("json"))
    running.answered(*arrived(), 0.001)
    for _ in range(2000):
        if log.path.read_text():
            break
        running._stop.wait(0.005)
    assert json.loads(log.path.read_text())["call_sid"] == CALL_SID
    running.close()
    log.text()


def test_lines_that_nobody_took_are_counted(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    stream = LogStream(writing)
    metrics = Metrics()
    running = Traffic(metrics, stream, writer_of("json"))
    running.answered(*arrived(), 0.001)
    running.carry()
    while stream.waiting:
        running._stop.wait(0.005)
    running.close()
    assert page(metrics)["hookswitch_log_lines_dropped_total"] == 1
    stream.close(5)
    os.close(writing)
