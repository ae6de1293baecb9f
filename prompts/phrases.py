"""The wording: everything a caller hears that no operator wrote, in four languages.

A language is named by its two letters; `es-MX` is read as `es`, and an unknown one falls back to English.
"""

from dataclasses import dataclass

CONSENT_VERSION = "1"
"""Raised with every change of a `consent` text and stored with each recorded call."""


@dataclass(frozen=True, slots=True)
class Phrases:
    """The wording in one language. `{name}` is the business, `{number}` its digits as spoken."""

    language: str
    twiml_language: str
    """The carrier's code, as the `language` attribute of `<Say>` takes it."""
    plus: str
    """The word for the plus sign of an international number."""
    ended: str
    call_business: str
    call_number: str
    contact_business: str
    apology: str
    consent: str
    """Said before a recorded call is connected."""
    busy: str
    no_answer: str

    def referral(self, name: str = "", number: str = "") -> str:
        """The referral prompt, said once; `name` and `number` (digits as spoken) may be missing."""
        if name and number:
            advice = self.call_business.format(name=name, number=number)
        elif number:
            advice = self.call_number.format(number=number)
        elif name:
            advice = self.contact_business.format(name=name)
        else:
            return self.ended
        return f"{self.ended} {advice}"


_ENGLISH = Phrases(
    language="en",
    twiml_language="en-US",
    plus="plus",
    ended="The number you have called is no longer in service.",
    call_business="To reach {name}, please call {number}.",
    call_number="Please call {number} instead.",
    contact_business="Please contact {name} directly.",
    apology="We are sorry. We are temporarily unable to connect your call. Please try again later.",
    consent="This call may be recorded.",
    busy="The line is busy at the moment. Please try again later.",
    no_answer="Nobody is able to take your call at the moment. Please try again later.",
)

_SPANISH = Phrases(
    language="es",
    # The carrier's default voices are documented for es-ES; es-US exists only with certain named voices,
    # and a pair that does not exist would leave the caller in silence.
    twiml_language="es-ES",
    plus="más",
    ended="El número que ha marcado ya no está en servicio.",
    call_business="Para comunicarse con {name}, por favor, llame al siguiente número: {number}.",
    call_number="Por favor, llame al siguiente número: {number}.",
    contact_business="Por favor, póngase en contacto con {name} directamente.",
    apology="Lo sentimos. En este momento no podemos conectar su llamada. "
    "Por favor, inténtelo de nuevo más tarde.",
    consent="Le informamos de que esta llamada puede ser grabada.",
    busy="La línea está ocupada en este momento. Por favor, inténtelo de nuevo más tarde.",
    no_answer="En este momento nadie puede atender su llamada. Por favor, inténtelo de nuevo más tarde.",
)

_FRENCH = Phrases(
    language="fr",
    twiml_language="fr-FR",
    plus="plus",
    ended="Le numéro que vous avez composé n'est plus en service.",
    call_business="Pour joindre {name}, veuillez appeler le numéro suivant : {number}.",
    call_number="Veuillez appeler le numéro suivant : {number}.",
    contact_business="Veuillez contacter {name} directement.",
    apology="Nous sommes désolés. Nous ne pouvons pas établir votre appel pour le moment. "
    "Veuillez réessayer plus tard.",
    consent="Cet appel est susceptible d'être enregistré.",
    busy="La ligne est actuellement occupée. Veuillez réessayer plus tard.",
    no_answer="Personne ne peut prendre votre appel pour le moment. Veuillez réessayer plus tard.",
)

_GERMAN = Phrases(
    language="de",
    twiml_language="de-DE",
    plus="plus",
    ended="Die von Ihnen gewählte Rufnummer ist nicht mehr in Betrieb.",
    call_business="Um {name} zu erreichen, wählen Sie bitte die Nummer {number}.",
    call_number="Bitte wählen Sie stattdessen die Nummer {number}.",
    contact_business="Bitte nehmen Sie direkt mit {name} Kontakt auf.",
    apology="Es tut uns leid. Ihr Anruf kann im Moment nicht verbunden werden. "
    "Bitte versuchen Sie es später noch einmal.",
    consent="Dieser Anruf kann aufgezeichnet werden.",
    busy="Der Anschluss ist im Moment besetzt. Bitte versuchen Sie es später noch einmal.",
    no_answer="Ihr Anruf kann im Moment nicht angenommen werden. Bitte versuchen Sie es später noch einmal.",
)

_BY_LANGUAGE = {phrases.language: phrases for phrases in (_ENGLISH, _SPANISH, _FRENCH, _GERMAN)}

LANGUAGES = tuple(_BY_LANGUAGE)


def of(language: str) -> Phrases:
    """The wording for a language tag such as `fr` or `fr-CA`; English where we have no wording."""
    return _BY_LANGUAGE.get(language.replace("_", "-").partition("-")[0].lower(), _ENGLISH)
