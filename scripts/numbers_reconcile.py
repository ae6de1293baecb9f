"""`hookswitch numbers reconcile`: carrier, database and index side by side; mend what is safe."""

import json
import sys
from collections import Counter

import click

from routing.index.audit import IndexAudit
from routing.index.writer import IndexWriter
from scripts.cli import FAILED, run
from scripts.discrepancies import ADVICE, HARMLESS, Discrepancy, Kind
from scripts.number_desk import bar, number_desk, printable
from scripts.number_reconciling import Mending, NumberReconciler


@click.command(name="reconcile")
@click.option("--apply", is_flag=True, help="Mend what is safe, and read back what was written.")
@click.option(
    "--detach", is_flag=True, help="With --apply: take away applications and trunks that get our calls."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON Lines, one discrepancy each.")
def command(apply: bool, detach: bool, as_json: bool) -> int:  # noqa: FBT001 - click's way
    """Compare the carrier's numbers with ours and with the index; status 1 if calls could go astray.

    Reports without --apply. With it, addresses of numbers that we hold are pointed here, SIDs are written
    down, and the index is mended; nothing is bought or given back. Example: hookswitch numbers
    reconcile --apply
    """
    if detach and not apply:
        raise click.UsageError("--detach goes with --apply")
    found: Counter[tuple[Kind, bool]] = Counter()
    with number_desk() as opened, bar("comparing", None) as advance:
        store = opened.parts
        reconciler = NumberReconciler(
            opened.carrier(),
            store.database,
            IndexAudit(store.redis, store.layout),
            IndexWriter(store.redis, store.layout),
            opened.addresses,
            now=opened.desk.clock(),
            mending=Mending(apply=apply, detach=detach),
            progress=advance,
        )
        for discrepancy in reconciler.run():
            found[discrepancy.kind, discrepancy.mended] += 1
            click.echo(_json(discrepancy) if as_json else _line(discrepancy))
    if not as_json:
        _summarise(found)
    astray = any(not mended and kind not in HARMLESS for kind, mended in found)
    return FAILED if astray else 0


def _json(discrepancy: Discrepancy) -> str:
    return json.dumps(
        {
            "number": discrepancy.number.e164,
            "kind": discrepancy.kind,
            "detail": discrepancy.detail,
            "mended": discrepancy.mended,
        }
    )


def _line(discrepancy: Discrepancy) -> str:
    mended = "mended: " if discrepancy.mended else ""
    told = f"{discrepancy.number.e164:<17}{mended}{discrepancy.kind.value}"
    return printable(f"{told}: {discrepancy.detail}" if discrepancy.detail else told)


def _summarise(found: Counter[tuple[Kind, bool]]) -> None:
    if not found:
        click.echo("carrier, database and index agree")
    for kind in Kind:
        if found[kind, True]:
            click.echo(f"{found[kind, True]:8,} {kind.value}: mended")
        if found[kind, False]:
            click.echo(f"{found[kind, False]:8,} {kind.value}: {ADVICE[kind]}")


if __name__ == "__main__":
    sys.exit(run(command))
