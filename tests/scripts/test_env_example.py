"""`.env.example` names every setting there is."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_setting_is_in_the_example() -> None:
    read = set(re.findall(r'environ, "([A-Z_]+)"', (ROOT / "scripts" / "settings.py").read_text()))
    read |= set(re.findall(r'environ.get\("([A-Z_]+)"\)', (ROOT / "scripts" / "settings.py").read_text()))
    shown = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert len(read) > 10
    assert read - shown == set()
    assert shown - read == set()
