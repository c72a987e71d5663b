"""`dondoc rehearse`: every message that would go out, without sending any."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn
from zoneinfo import ZoneInfo

import typer

from bot.settings import read_settings
from messages import plain
from plans.days import BadDay, read_day

if TYPE_CHECKING:  # heavy: imported where the command runs
    from scheduler.rehearsal import Answers, Rehearsed


def rehearse(
    from_day: Annotated[str, typer.Option("--from", metavar="DAY", help=plain("rehearsal.help_from"))],
    to_day: Annotated[str, typer.Option("--to", metavar="DAY", help=plain("rehearsal.help_to"))],
    answers: Annotated[str, typer.Option(help=plain("rehearsal.help_answers"))] = "as-it-stands",
    csv: Annotated[Path | None, typer.Option(help=plain("rehearsal.help_csv"))] = None,
) -> None:
    """Play the days on a copy, print the messages, and write them as CSV where that is wanted."""
    from scheduler.rehearsal import ANSWERS
    from scheduler.rehearsed import as_csv

    known = next((one for one in ANSWERS if one == answers), None)
    if known is None:
        _refuse("rehearsal.no_such_answers", given=answers, known=ANSWERS)
    first, last = _day("--from", from_day), _day("--to", to_day)
    if last < first:
        _refuse("rehearsal.reversed", first=first, last=last)
    found, year = _rehearsed(first, last, known)
    if csv is not None:
        try:
            csv.write_bytes(as_csv(found))
        except OSError as error:
            _refuse("care.fault_not_written", file=csv, reason=error.strerror)
    for position, one in enumerate(found):
        is_new_day = position == 0 or found[position - 1].at.date() != one.at.date()
        typer.echo(plain("rehearsal.message", one=one, is_new_day=is_new_day, **_facts(one)) + "\n")
    facts = {"first": first, "last": last, "year": year, "people": len({one.reader.name for one in found})}
    typer.echo(plain("rehearsal.total", count=len(found), file=csv, **facts))


def _day(option: str, typed: str) -> date:
    try:
        return read_day(typed, datetime.now(ZoneInfo(read_settings().timezone)).date())
    except BadDay:
        _refuse("cli.bad_day", option=option, typed=typed[:30])


def _rehearsed(first: date, last: date, answers: Answers) -> tuple[list[Rehearsed], int]:
    """The messages, and the year of the plan in force. StoreFault where there is no plan."""
    from bot.assemble import open_store, store_faults
    from scheduler.rehearsal import rehearsal
    from storage.loading import loaded_plan
    from storage.people import the_organization
    from storage.store import StoreFault

    with store_faults(), closing(open_store(read_settings())) as store, store.reading() as db:
        organization, file = the_organization(db), loaded_plan(db)
        if organization is None or organization.id is None or file is None:
            raise StoreFault("no_plan")
        return rehearsal(db, organization.id, first, last, datetime.now(UTC), answers), file.plan.year


def _facts(one: Rehearsed) -> dict[str, Any]:
    from scheduler.rehearsed import in_words, rung_of

    whys = [(why.what, rung_of(why)) for why in one.why]
    return {"lines": in_words(one).splitlines(), "whys": whys}


def _refuse(block: str, **facts: object) -> NoReturn:
    typer.echo(plain(block, **facts), err=True)
    raise typer.Exit(1)
