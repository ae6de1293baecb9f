"""`hookswitch doctor`: find what would make calls fail, and say what to do."""

import json
import sys

import click

from scripts import settings as settings_of
from scripts.assembly import parts
from scripts.checks import examine
from scripts.cli import FAILED, run
from scripts.findings import Finding, Verdict
from scripts.settings import BadSetting

_COLOURS = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.FAILED: "red"}


@click.command(name="doctor")
@click.option("--json", "as_json", is_flag=True, help="Print JSON Lines, one check each.")
def command(as_json: bool) -> int:  # noqa: FBT001 - click's way
    """Check everything that a call needs; status 1 if calls would fail.

    Example: hookswitch doctor
    """
    show = _as_json if as_json else _for_people
    try:
        settings_of.load(settings_of.environment())
    except BadSetting as error:
        show(Finding("settings", Verdict.FAILED, str(error), "set it in the environment or in .env"))
        return FAILED
    with parts() as opened:
        findings = [Finding("settings", Verdict.OK, "complete")]
        show(findings[0])
        for finding in examine(opened):
            findings.append(finding)
            show(finding)
    return FAILED if any(finding.verdict is Verdict.FAILED for finding in findings) else 0


def _as_json(finding: Finding) -> None:
    click.echo(
        json.dumps(
            {
                "check": finding.check,
                "verdict": finding.verdict,
                "detail": finding.detail,
                "advice": finding.advice,
            }
        )
    )


def _for_people(finding: Finding) -> None:
    verdict = click.style(f"{finding.verdict:8}", fg=_COLOURS[finding.verdict])
    click.echo(f"{verdict}{finding.check}: {finding.detail}")
    if finding.advice:
        click.echo(f"        → {finding.advice}")


if __name__ == "__main__":
    sys.exit(run(command))
