"""Hypothesis strategies for what carriers report; few values each, so that they meet and tie."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from routing.disposition import Disposition, Witness, rank
from routing.events import CallEvent, CallUpdate, EventKind, LegWitness

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)

instants = st.one_of(
    st.integers(0, 4).map(lambda seconds: NOON + timedelta(seconds=seconds)),
    st.integers(0, 10**7).map(lambda microseconds: NOON + timedelta(microseconds=microseconds)),
    st.datetimes(datetime(1930, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
seconds = st.integers(0, 3) | st.integers(0, 999_999)
texts = st.sampled_from(["a", "B", "b", "é", "\U0001f642", "a-b", "ab"])

words = st.none() | st.tuples(st.sampled_from(Witness), st.sampled_from(Disposition))
legs = st.none() | st.tuples(st.sampled_from(LegWitness), texts)


@st.composite
def updates(draw: st.DrawFn) -> CallUpdate:
    """Any knowledge, also such as no single report holds."""

    def perhaps(values: st.SearchStrategy[object]) -> object:
        return draw(st.none() | values)

    word, leg = draw(words), draw(legs)
    known = {
        name: perhaps(instants)
        for name in ("started_at", "rang_at", "rang_until", "answered_at", "ended_at", "reconciled_at")
    }
    known |= {name: perhaps(seconds) for name in ("talk_seconds", "duration_seconds", "recording_seconds")}
    known |= {name: perhaps(texts) for name in ("recording_sid", "recording_url", "consent_version")}
    if word is not None:
        known |= {"disposition": word[1], "disposition_rank": rank(*word)}
    if leg is not None:
        known |= {"answering_leg": leg[1], "answering_leg_rank": int(leg[0])}
    return CallUpdate(**known)  # type: ignore[arg-type]


raw_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
events = st.builds(
    CallEvent,
    carrier=st.sampled_from(["twilio", "telnyx"]),
    call_sid=st.sampled_from(["CA1", "CA2", "ca1"]),
    kind=st.sampled_from(EventKind),
    key=st.sampled_from(["dial", "leg:1:answered", "call:completed", "é"]),
    occurred_at=st.none() | instants,
    received_at=instants,
    update=updates(),
    raw=st.dictionaries(raw_texts, raw_texts, max_size=3),
)
