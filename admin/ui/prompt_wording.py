"""What callers hear of a prompt, in words, and how a recording looks."""

from dataclasses import dataclass

from admin.views import PromptView
from models.prompt import PromptAudio, PromptKind
from prompts import phrases, referral, waveform
from routing.decision import Refer
from routing.numbers import PhoneNumber
from routing.route import SpokenPrompt

LANGUAGES = {"en": "English", "es": "Spanish", "fr": "French", "de": "German"}
"""Those that there is wording in; a test holds them against `phrases`."""
SAMPLE_NAME, SAMPLE_NUMBER = "Bay Bakery", PhoneNumber("+14155550190")
"""The business of the examples."""
_BARS = 200


@dataclass(frozen=True, slots=True)
class Heard:
    """What is said, in which language, and of which business."""

    words: str
    language: str
    business_name: str
    business_number: PhoneNumber


def heard(language: str, text: str | None) -> Heard:
    """What callers of the example's business would hear."""
    said = referral.words(Refer(SAMPLE_NAME, SAMPLE_NUMBER, SpokenPrompt(language, None, text)))
    return Heard(said, phrases.of(language).language, SAMPLE_NAME, SAMPLE_NUMBER)


def heard_of(prompt: PromptView) -> Heard | None:
    """None for a recording."""
    return None if prompt.kind is PromptKind.RECORDING else heard(prompt.language, prompt.text)


def language(code: str) -> str:
    """Such as `Spanish`, and `Spanish (es-MX)` where it says more than the language."""
    name = LANGUAGES.get(phrases.of(code).language, code)
    return name if code in LANGUAGES else f"{name} ({code})"


def drawn(audio: PromptAudio | None) -> str:
    """The recording as an SVG path in a box of 200 by 100; empty where it cannot be drawn."""
    if audio is None:
        return ""
    loud = waveform.peaks(audio.data, _BARS)
    return "".join(
        f"M{bar}.5 {50 - 49 * peak:.1f}V{50 + 49 * max(peak, 0.02):.1f}" for bar, peak in enumerate(loud)
    )
