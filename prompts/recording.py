"""Recorded prompts: what operators upload, checked and converted to what a telephone line carries.

Decoding and arithmetic are imported while converting, so that the web process stays light.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from soundfile import SoundFile

    from prompts.telephone import Samples

LARGEST_UPLOAD = 10 * 1024 * 1024
"""Bytes."""
SHORTEST = 0.2
LONGEST = 300.0
"""Seconds."""

_FORMATS = frozenset({"WAV", "WAVEX", "MP3", "OGG", "FLAC"})
_ACCEPTED = "WAV, MP3, OGG and FLAC files work"
_LOWEST_RATE, _HIGHEST_RATE = 4_000, 192_000
_MOST_CHANNELS = 8
_LAYER = 0b110
_LAYER_3 = 0b010


class RecordingRefused(ValueError):
    """An upload that cannot become a prompt; the message tells the operator why."""


@dataclass(frozen=True, slots=True)
class Recording:
    """Audio as the carrier fetches it: one channel of 8 kHz µ-law (ITU-T G.711) in a WAV file."""

    data: bytes = field(repr=False)
    digest: str
    """SHA-256 of `data`, in hexadecimal; the same upload always gives the same one."""
    seconds: float
    media_type: str = "audio/wav"
    extension: str = "wav"


def convert(upload: bytes) -> Recording:
    """Check and convert an uploaded file, or raise `RecordingRefused`.

    Size and kind are judged before the file is opened, length, rate and channels by its header before a
    sample is read; what the samples then take is bounded by `LONGEST`, whatever the header claims.
    """
    if not upload:
        raise RecordingRefused("the file is empty")
    if len(upload) > LARGEST_UPLOAD:
        raise RecordingRefused(f"the file is larger than {LARGEST_UPLOAD // 1024**2} MB")
    _refuse_other_kinds(upload)

    import soundfile  # loads numpy and the decoders: 20 MB that only conversion needs

    from prompts import telephone

    try:
        with soundfile.SoundFile(io.BytesIO(upload)) as sound:
            _check_header(sound)
            samples = telephone.at_telephone_rate(_one_channel(sound), sound.samplerate)
    except soundfile.SoundFileError as error:
        raise RecordingRefused(
            f"the file is damaged or not what its beginning claims; {_ACCEPTED}"
        ) from error
    seconds = len(samples) / telephone.RATE
    _check_length(seconds)
    data = _mu_law(samples)
    return Recording(data, hashlib.sha256(data).hexdigest(), seconds)


def _refuse_other_kinds(upload: bytes) -> None:
    if upload[4:8] == b"ftyp" or _is_aac(upload):
        raise RecordingRefused(f"M4A and AAC files cannot be read; {_ACCEPTED}")
    known = (
        (upload[:4] == b"RIFF" and upload[8:12] == b"WAVE")
        or upload[:4] in {b"OggS", b"fLaC"}
        or upload[:3] == b"ID3"
        or (_is_mpeg_frame(upload) and upload[1] & _LAYER == _LAYER_3)
    )
    if not known:
        raise RecordingRefused(f"this is no audio file of a kind that can be read; {_ACCEPTED}")


def _is_mpeg_frame(upload: bytes) -> bool:
    return len(upload) > 1 and upload[0] == 0xFF and upload[1] & 0xE0 == 0xE0  # noqa: PLR2004 -- eleven set bits


def _is_aac(upload: bytes) -> bool:
    """ADTS frames look like MPEG frames of a layer that does not exist; ADIF names itself."""
    return upload[:4] == b"ADIF" or (_is_mpeg_frame(upload) and upload[1] & (0xF0 | _LAYER) == 0xF0)  # noqa: PLR2004


def _check_header(sound: SoundFile) -> None:
    if sound.format not in _FORMATS:
        raise RecordingRefused(f"{sound.format} files cannot be read; {_ACCEPTED}")
    if not _LOWEST_RATE <= sound.samplerate <= _HIGHEST_RATE:
        raise RecordingRefused(
            f"{sound.samplerate:,} samples per second; between {_LOWEST_RATE:,} and {_HIGHEST_RATE:,} work"
        )
    if sound.channels > _MOST_CHANNELS:
        raise RecordingRefused(f"the file has {sound.channels} channels; at most {_MOST_CHANNELS} work")
    _check_length(sound.frames / sound.samplerate)


def _check_length(seconds: float) -> None:
    if seconds < SHORTEST:
        raise RecordingRefused(f"the recording is shorter than {SHORTEST} seconds")
    if seconds > LONGEST:
        raise RecordingRefused(
            f"the recording is longer than {LONGEST / 60:.0f} minutes, or its header does not tell its length"
        )


def _one_channel(sound: SoundFile) -> Iterator[Samples]:
    """The mean of all channels, second by second, full scale at most.

    Floating-point files can hold anything: what is no number becomes silence, what is too loud is cut.
    """
    import numpy as np

    # After every read soundfile seeks to where it already is; in an MP3 that breaks the sound at each seam.
    sound.seekable = lambda: False
    left = int(LONGEST) * sound.samplerate + 1  # one sample too long shows that there was more
    while left > 0:
        block = sound.read(min(left, sound.samplerate), dtype="float32", always_2d=True)
        if not len(block):
            return
        left -= len(block)
        yield np.clip(np.nan_to_num(block, posinf=1.0, neginf=-1.0), -1.0, 1.0).mean(axis=1)


def _mu_law(samples: Samples) -> bytes:
    import numpy as np
    import soundfile

    from prompts import telephone

    # The filter may overshoot full scale, which the encoder's table does not reach.
    steps = np.clip(np.rint(samples * 32_768.0), -32_768, 32_767).astype(np.int16)
    file = io.BytesIO()
    soundfile.write(file, steps, telephone.RATE, format="WAV", subtype="ULAW")
    return file.getvalue()
