"""Uploads: what is accepted, what is refused and why, and what comes out."""

import hashlib
import io
import struct

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from prompts import recording
from prompts.recording import Recording, RecordingRefused, convert

Signal = NDArray[np.float64]


def tone(hertz: float, seconds: float = 1.0, rate: int = 44_100, level: float = 0.5) -> Signal:
    return level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def encoded(signal: Signal, rate: int = 44_100, kind: str = "WAV", subtype: str | None = None) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, signal, rate, format=kind, subtype=subtype)
    return file.getvalue()


def heard(result: Recording) -> Signal:
    signal, rate = soundfile.read(io.BytesIO(result.data))
    assert rate == 8_000
    return np.asarray(signal)


def loudness(signal: Signal) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(signal**2)))


def pitch(signal: Signal) -> float:
    """Hertz of the strongest component of a signal at 8 kHz."""
    spectrum = np.abs(np.fft.rfft(signal * np.hanning(len(signal))))
    return float(np.argmax(spectrum) * 8_000 / len(signal))


FORMATS = [
    ("WAV", "PCM_U8", 8_000),
    ("WAV", "PCM_16", 44_100),
    ("WAV", "PCM_24", 48_000),
    ("WAV", "FLOAT", 96_000),
    ("WAV", "ULAW", 8_000),
    ("WAV", "IMA_ADPCM", 22_050),
    ("WAVEX", "PCM_16", 11_025),
    ("MP3", "MPEG_LAYER_III", 44_100),
    ("MP3", "MPEG_LAYER_III", 16_000),
    ("OGG", "VORBIS", 44_100),
    ("OGG", "OPUS", 48_000),
    ("FLAC", "PCM_16", 44_100),
    ("FLAC", "PCM_24", 192_000),
    ("WAV", "PCM_16", 7_000),
    ("WAV", "PCM_16", 44_057),
]


@pytest.mark.parametrize(("kind", "subtype", "rate"), FORMATS)
def test_every_accepted_format_becomes_telephone_audio(kind: str, subtype: str, rate: int) -> None:
    result = convert(encoded(tone(1_000, 2.0, rate), rate, kind, subtype))
    info = soundfile.info(io.BytesIO(result.data))
    assert (info.format, info.subtype, info.samplerate, info.channels) == ("WAV", "ULAW", 8_000, 1)
    assert (result.media_type, result.extension) == ("audio/wav", "wav")
    assert result.digest == hashlib.sha256(result.data).hexdigest()
    assert result.seconds == pytest.approx(2.0, abs=0.1)
    assert info.duration == pytest.approx(result.seconds)
    signal = heard(result)
    assert pitch(signal) == pytest.approx(1_000, abs=2)
    assert loudness(signal[2_000:-2_000]) == pytest.approx(0.5 / np.sqrt(2), rel=0.05)


def test_the_same_upload_always_gets_the_same_digest() -> None:
    upload = encoded(tone(440), kind="FLAC")
    assert convert(upload) == convert(upload)


def test_a_converted_recording_can_be_uploaded_again_and_sounds_the_same() -> None:
    result = convert(encoded(tone(440)))
    assert np.array_equal(heard(convert(result.data)), heard(result))


@pytest.mark.parametrize(("kind", "subtype", "rate"), FORMATS)
def test_decoding_bit_by_bit_leaves_no_seams(kind: str, subtype: str, rate: int) -> None:
    upload = encoded(tone(1_000, 4.0, rate), rate, kind, subtype)
    with soundfile.SoundFile(io.BytesIO(upload)) as sound:
        joined = np.concatenate(list(recording._one_channel(sound)))
    whole, _ = soundfile.read(io.BytesIO(upload), dtype="float32")
    assert np.max(np.abs(joined - whole)) < 1e-6


def test_the_bytes_stay_out_of_the_printed_form() -> None:
    assert len(repr(convert(encoded(tone(440))))) < 250


# The band


@pytest.mark.parametrize("hertz", [300, 1_000, 3_000])
def test_speech_passes_at_its_level(hertz: float) -> None:
    signal = heard(convert(encoded(tone(hertz))))
    assert loudness(signal[1_000:-1_000]) == pytest.approx(0.5 / np.sqrt(2), rel=0.02)
    assert pitch(signal) == pytest.approx(hertz, abs=2)


@pytest.mark.parametrize("hertz", [4_100, 5_000, 6_000, 7_000, 12_000, 15_000, 20_000])
@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_what_a_telephone_cannot_carry_is_silenced_not_folded_back(hertz: float, rate: int) -> None:
    signal = heard(convert(encoded(tone(hertz, 1.0, rate), rate)))
    assert loudness(signal[1_000:-1_000]) < 0.5 / np.sqrt(2) / 1_000


@pytest.mark.parametrize("seconds", [7.0, 7.9, 8.0, 8.1, 9.0, 9.5, 10.0, 16.0, 17.3])
def test_a_long_recording_has_no_seam_and_no_loss(seconds: float) -> None:
    rate = 11_025
    signal = heard(convert(encoded(tone(1_000, seconds, rate), rate)))
    assert len(signal) == round(round(seconds * rate) * 8_000 / rate)
    ideal = tone(1_000, len(signal) / 8_000, 8_000)
    # µ-law keeps about 38 dB; a seam would be as loud as the tone itself.
    assert np.max(np.abs(signal - ideal)[800:-800]) < 0.02


@settings(max_examples=25)
@given(rate=st.integers(4_000, 50_000), seconds=st.floats(0.25, 1.0))
def test_any_rate_keeps_pitch_and_length(rate: int, seconds: float) -> None:
    result = convert(encoded(tone(1_000, seconds, rate), rate))
    assert result.seconds == pytest.approx(round(seconds * rate) / rate, abs=1 / 8_000)
    assert pitch(heard(result)) == pytest.approx(1_000, abs=8)


def test_channels_are_mixed() -> None:
    left, right = tone(500), tone(1_500)
    spectrum = np.abs(np.fft.rfft(heard(convert(encoded(np.stack([left, right], axis=1))))))
    peaks = set(np.argsort(spectrum)[-2:] * 8_000 // 8_000)
    assert peaks == {500, 1_500}


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
def test_floating_point_nonsense_is_tamed(value: float) -> None:
    signal = tone(1_000)
    signal[10_000:10_010] = value
    result = heard(convert(encoded(signal, subtype="FLOAT")))
    assert np.all(np.isfinite(result))
    assert pitch(result) == pytest.approx(1_000, abs=2)


def test_full_scale_does_not_wrap_around() -> None:
    square = np.sign(tone(400, level=1.0))
    assert loudness(heard(convert(encoded(square, subtype="FLOAT")))) > 0.85


# What is refused


def refusal(upload: bytes) -> str:
    with pytest.raises(RecordingRefused) as refused:
        convert(upload)
    return str(refused.value)


def test_an_empty_file_is_refused() -> None:
    assert "empty" in refusal(b"")


@pytest.mark.parametrize(("excess", "accepted"), [(-1, True), (0, True), (1, False)])
def test_the_size_is_judged_before_anything_is_decoded(excess: int, accepted: bool) -> None:  # noqa: FBT001
    wav = encoded(tone(440))
    padded = wav + bytes(recording.LARGEST_UPLOAD + excess - len(wav))
    if accepted:
        assert convert(padded).seconds == pytest.approx(1.0)
    else:
        assert "larger than 10 MB" in refusal(padded)


@pytest.mark.parametrize(
    "beginning",
    [
        b"\x00\x00\x00\x20ftypM4A \x00\x00",
        b"\x00\x00\x00\x18ftypmp42",
        b"\xff\xf1\x50\x80",
        b"\xff\xf9\x50\x80",
        b"ADIF",
    ],
)
def test_m4a_and_aac_are_refused_by_name(beginning: bytes) -> None:
    message = refusal(beginning + bytes(2_000))
    assert "M4A" in message
    assert "WAV, MP3, OGG and FLAC" in message


@pytest.mark.parametrize("kind", ["AIFF", "CAF", "AU", "RF64", "W64"])
def test_other_audio_is_refused_with_what_works(kind: str) -> None:
    assert "WAV, MP3, OGG and FLAC" in refusal(encoded(tone(440), kind=kind))


@pytest.mark.parametrize(
    "junk", [b"x", b"<html>", b"\x89PNG\r\n\x1a\n", b"%PDF-1.7", bytes(5_000), b"\xff", b"PK\x03\x04"]
)
def test_other_files_are_refused_with_what_works(junk: bytes) -> None:
    assert "WAV, MP3, OGG and FLAC" in refusal(junk)


@pytest.mark.parametrize(
    "beginning",
    [b"RIFF\x00\x00\x00\x00WAVE", b"OggS", b"fLaC", b"ID3\x04\x00\x00\x00\x00\x00\x00", b"\xff\xfb\x90\xc4"],
)
def test_a_damaged_file_is_refused(beginning: bytes) -> None:
    assert refusal(beginning)
    assert refusal(beginning + bytes(3_000))


@pytest.mark.parametrize(("seconds", "accepted"), [(0.19, False), (0.2, True), (0.21, True)])
def test_a_click_is_no_prompt(seconds: float, accepted: bool) -> None:  # noqa: FBT001
    upload = encoded(tone(440, seconds))
    if accepted:
        assert convert(upload).seconds == pytest.approx(seconds, abs=1e-3)
    else:
        assert "shorter than 0.2 seconds" in refusal(upload)


@pytest.mark.parametrize(("seconds", "accepted"), [(299, True), (300, True), (301, False)])
def test_five_minutes_is_the_longest(seconds: int, accepted: bool) -> None:  # noqa: FBT001
    upload = encoded(np.zeros(seconds * 8_000), 8_000, subtype="PCM_16")
    if accepted:
        assert convert(upload).seconds == seconds
    else:
        assert "longer than 5 minutes" in refusal(upload)


def test_a_small_file_that_unpacks_to_hours_is_refused_by_its_header(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = encoded(np.zeros(3_600 * 8_000), 8_000, "FLAC")
    assert len(bomb) < 100_000
    monkeypatch.setattr(soundfile.SoundFile, "read", None)  # reading a sample would fail the test
    assert "longer than 5 minutes" in refusal(bomb)


def test_a_header_without_a_length_is_refused() -> None:
    flac = bytearray(encoded(tone(440), kind="FLAC"))
    flac[21] &= 0xF0
    flac[22:26] = bytes(4)
    assert "does not tell its length" in refusal(bytes(flac))


def test_a_header_that_promises_more_than_there_is_gives_what_there_is() -> None:
    wav = bytearray(encoded(tone(440, 2.0, 8_000), 8_000))
    at = wav.index(b"data") + 4
    wav[at : at + 4] = struct.pack("<I", 4 * 8_000 * 2)
    assert convert(bytes(wav)).seconds == pytest.approx(2.0, abs=0.01)


def test_too_many_channels_are_refused() -> None:
    assert convert(encoded(np.zeros((8_000, 8)), 8_000)).seconds == 1.0
    assert "9 channels" in refusal(encoded(np.zeros((8_000, 9)), 8_000))


@pytest.mark.parametrize(
    ("rate", "accepted"), [(3_999, False), (4_000, True), (192_000, True), (192_001, False)]
)
def test_odd_rates_are_refused(rate: int, accepted: bool) -> None:  # noqa: FBT001
    upload = encoded(np.zeros(rate), rate)
    if accepted:
        assert convert(upload).seconds == 1.0
    else:
        assert "samples per second" in refusal(upload)


WHOLE = {kind: encoded(tone(440, 0.5), kind=kind) for kind in ("WAV", "MP3", "OGG", "FLAC")}


@settings(max_examples=150)
@given(data=st.data(), kind=st.sampled_from(sorted(WHOLE)))
def test_a_mangled_file_is_converted_or_refused_never_a_crash(data: st.DataObject, kind: str) -> None:
    upload = bytearray(WHOLE[kind])
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, min(len(upload) - 1, 200)) | st.integers(0, len(upload) - 1))
        upload[at] = data.draw(st.integers(0, 255))
    end = data.draw(st.just(len(upload)) | st.integers(0, len(upload)))
    try:
        result = convert(bytes(upload[:end]))
    except RecordingRefused:
        return
    assert recording.SHORTEST <= result.seconds <= recording.LONGEST
    assert len(result.data) < recording.LONGEST * 8_000 + 1_000
