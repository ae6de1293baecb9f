"""The telephone's audio band: samples of any rate brought to 8 kHz without aliases.

Imports numpy, so only `recording` imports this, and only while it converts.
"""

from collections.abc import Iterator
from itertools import chain

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
"""One channel, full scale ±1."""

RATE = 8_000
"""Samples per second on a telephone line (ITU-T G.711)."""
PASS = 3_400.0
STOP = 4_000.0
"""Hertz: kept up to the edge of the telephone band, gone at half the rate, a smooth slope between."""

_SECONDS_AT_ONCE = 8


def at_telephone_rate(blocks: Iterator[Samples], rate: int) -> Samples:
    """The signal of `blocks` at 8 kHz; `rate` is theirs, in whole samples per second.

    Works on stretches of eight seconds with a second of context on each side, so that memory does not
    grow with the input. A whole second of input is a whole second of output at any rate, so the
    stretches join exactly; the filter's ringing has died away long before a stretch's edge.
    """
    if rate == RATE:
        return np.concatenate([np.zeros(0, np.float32), *blocks])
    stretch = (_SECONDS_AT_ONCE + 2) * rate
    silence = np.zeros(stretch, np.float32)  # pushes the last sample through and lets it ring out
    pending = silence[:rate]
    taken = 0
    stretches: list[Samples] = []
    for block in chain(blocks, [silence]):
        taken += len(block)
        pending = np.concatenate([pending, block])
        while len(pending) >= stretch:
            stretches.append(_resampled(pending[:stretch], rate))
            pending = pending[_SECONDS_AT_ONCE * rate :]
    return np.concatenate(stretches)[: round((taken - stretch) * RATE / rate)]


def _resampled(stretch: Samples, rate: int) -> Samples:
    """The stretch without its first and last second, at 8 kHz."""
    spectrum = np.fft.rfft(stretch)
    frequencies = np.fft.rfftfreq(len(stretch), 1 / rate)
    slope = np.clip((STOP - frequencies) / (STOP - PASS), 0.0, 1.0)
    spectrum *= np.sin(slope * (np.pi / 2)) ** 2
    length = len(stretch) // rate * RATE
    samples = np.fft.irfft(spectrum, length) * (length / len(stretch))
    return samples[RATE:-RATE].astype(np.float32)
