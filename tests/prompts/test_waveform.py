"""How a recording looks: its loudness over its time."""

import io
import math
import wave

import pytest

from prompts.recording import convert
from prompts.waveform import peaks


def a_sound(*loudness: float) -> bytes:
    """A tone of a second for each loudness, 0 to 1, as a WAV file of 8 kHz."""
    written = io.BytesIO()
    with wave.open(written, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        for loud in loudness:
            tone = (round(32_767 * loud * math.sin(at / 3)) for at in range(8000))
            sound.writeframes(b"".join(step.to_bytes(2, "little", signed=True) for step in tone))
    return written.getvalue()


def test_each_part_is_as_loud_as_its_loudest_moment() -> None:
    found = peaks(convert(a_sound(0.25, 1.0, 0.5, 0.0)).data, 4)
    assert found == [pytest.approx(loud, abs=0.03) for loud in (0.25, 1.0, 0.5, 0.0)]


@pytest.mark.parametrize("count", [1, 200, 20_000])
def test_there_are_as_many_parts_as_asked_for(count: int) -> None:
    assert len(peaks(convert(a_sound(0.5)).data, count)) == count


@pytest.mark.parametrize(
    "file",
    [b"", b"ID3 no WAV file", b"RIFF\0\0\0\0WAVE", b"RIFF\0\0\0\0WAVEfmt \xff\xff\xff\xff", a_sound(0.5)],
)
def test_what_is_no_recording_of_ours_is_not_drawn(file: bytes) -> None:
    assert peaks(file, 10) == []
