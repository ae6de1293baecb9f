"""The bench commands before they measure anything."""

import pytest

from scripts.bench import command
from scripts.cli import run


@pytest.mark.parametrize("bench", ["api", "index", "journal", "pages", "voice"])
def test_each_bench_explains_itself_with_an_example(bench: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(command, [bench, "--help"]) == 0
    assert f"Example: hookswitch bench {bench}" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["voice", "--rounds", "0"], ["index", "--numbers", "ten"], ["nothing"]])
def test_wrong_usage_is_one_line_and_status_two(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(command, words) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
