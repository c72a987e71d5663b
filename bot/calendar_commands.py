"""`dondoc calendar`: show the working calendar, load and edit it, move the day of the province."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar
from zoneinfo import ZoneInfo

import typer

from bot.plan_commands import print_faults
from bot.settings import read_settings
from messages import plain
from plans.calendar import shipped_days
from plans.days import BadDay, read_day
from plans.file import PlanFaults
from plans.periods import read_period
from plans.spans import in_a_row, read_span, refusal
from plans.text import fold

if TYPE_CHECKING:  # heavy: imported where a command opens the database
    from sqlmodel import Session

app = typer.Typer(no_args_is_help=True)
Result = TypeVar("Result")
Days = Annotated[str, typer.Argument(metavar="DAY|FROM..TO", help=plain("cli.help_calendar_days"))]
YES = ("c", "co", "y", "yes")


@dataclass(frozen=True)
class _Desk:
    """One transaction on the commune of this install."""

    db: Session
    organization_id: int
    now: datetime
    today: date

    def note(self, action: str, subject: str) -> None:
        from storage.chats import record

        record(self.db, self.organization_id, None, action, subject, self.now)


@app.command(help=plain("cli.help_calendar_show"))
def show(year: Annotated[int | None, typer.Option(help=plain("cli.help_calendar_show_year"))] = None) -> None:
    from storage.calendar import named_days

    def work(desk: _Desk) -> tuple[int, list[Any]]:
        wanted = desk.today.year if year is None else year
        days = named_days(desk.db, desk.organization_id)
        return wanted, in_a_row(day for day in days if day.day.year == wanted)

    shown, spans = _at_work(work)
    typer.echo(plain("calendar.table", year=shown, spans=spans))


@app.command(help=plain("cli.help_calendar_load"))
def load(file: Annotated[Path, typer.Argument(metavar="FILE", help=plain("cli.help_calendar_file"))]) -> None:
    from plans.calendar_file import read_calendar
    from storage.calendar import Moved, replace_years

    try:
        days = read_calendar(file)
    except PlanFaults as refused:
        print_faults(refused, "calendar")
        raise typer.Exit(1) from None
    years = sorted({day.day.year for day in days})

    def work(desk: _Desk) -> tuple[list[Moved], date]:
        desk.note("calendar_loaded", ", ".join(map(str, years)))
        return replace_years(desk.db, desk.organization_id, days, desk.today), desk.today

    moves, today = _at_work(work)
    typer.echo(plain("calendar.loaded", years=years, moves=moves, today=today))


@app.command(help=plain("cli.help_calendar_add"))
def add(
    days: Days,
    name: Annotated[str | None, typer.Option(help=plain("cli.help_calendar_name"))] = None,
    working: Annotated[bool, typer.Option("--working", help=plain("cli.help_calendar_working"))] = False,
) -> None:
    from handlers.calendar import a_name
    from handlers.talk import Misunderstood
    from storage.calendar import calendar_of, set_days

    def work(desk: _Desk) -> dict[str, Any]:
        span = _read(read_span, days, desk.today)
        refused = refusal(span, working, calendar_of(desk.db, desk.organization_id), desk.today)
        if refused is not None:
            _stop(f"calendar.{refused[0]}", span=span, day=refused[1], today=desk.today, typed=days)
        if name is None:
            _stop("cli.no_name", is_working=working)
        try:
            called = a_name(desk.today, working)(name)
        except Misunderstood as error:
            _stop(error.block, **error.facts)
        desk.note("calendar_set", str(span))
        moves = set_days(desk.db, desk.organization_id, span.days, working, called, desk.today)
        return {"span": span, "name": called, "moves": moves, "today": desk.today}

    typer.echo(plain("calendar.added", is_working=working, **_at_work(work)))


@app.command(help=plain("cli.help_calendar_remove"))
def remove(days: Days) -> None:
    from storage.calendar import named_days, remove_days

    def work(desk: _Desk) -> dict[str, Any]:
        span = _read(read_span, days, desk.today)
        known = [day for day in named_days(desk.db, desk.organization_id) if day.day in span]
        if span.first < desk.today or not known:
            block = "calendar.past" if known else "calendar.not_in_calendar"
            _stop(block, span=span, day=span.first, today=desk.today, typed=days)
        desk.note("calendar_removed", str(span))
        moves = remove_days(desk.db, desk.organization_id, span.days, desk.today)
        return {"spans": in_a_row(known), "moves": moves, "today": desk.today}

    typer.echo(plain("calendar.removed", **_at_work(work)))


@app.command(help=plain("cli.help_calendar_propose"))
def propose(year: Annotated[int, typer.Argument(help=plain("cli.help_calendar_propose_year"))]) -> None:
    from plans.calendar_file import written
    from plans.guess import guessed

    if not 2000 <= year <= 2100:
        _stop("calendar.bad_year")
    if year in {day.day.year for day in shipped_days()}:
        _stop("calendar.shipped", year=year)
    typer.echo(plain("calendar.proposed", year=year))
    typer.echo(written(year, guessed(year)))


@app.command(help=plain("cli.help_calendar_province"))
def province(
    period: Annotated[str, typer.Argument(help=plain("cli.help_calendar_period"))],
    day: Annotated[str, typer.Argument(help=plain("cli.help_calendar_province_day"))],
    yes: Annotated[bool, typer.Option("--yes", help=plain("cli.help_calendar_yes"))] = False,
) -> None:
    from storage.province import BadShift, Shift, move_province, shift_of

    def look(desk: _Desk) -> tuple[Shift, date]:
        wanted = _read(read_day, day, desk.today)
        return shift_of(desk.db, desk.organization_id, _code(desk, period), wanted, desk.today), desk.today

    def move(desk: _Desk) -> Shift:
        desk.note("province_day_moved", f"period {shift.period_id}")
        return move_province(desk.db, desk.organization_id, shift.code, shift.province, desk.today)

    try:
        shift, today = _at_work(look)
        typer.echo(plain("calendar.confirm_shift", shift=shift, today=today))
        if not yes and fold(typer.prompt(plain("calendar.ask_apply"), default="", show_default=False)) not in YES:
            typer.echo(plain("calendar.dropped"))
            return
        typer.echo(plain("calendar.shifted", shift=_at_work(move)))
    except BadShift as bad:
        _stop(f"calendar.shift_{bad.code}", **bad.facts)


def _at_work(work: Callable[[_Desk], Result]) -> Result:
    """Run it in one transaction. StoreFault where no plan is loaded."""
    from bot.assemble import open_store, write_once
    from storage.people import the_organization
    from storage.store import StoreFault

    def opened(db: Session) -> Result:
        organization = the_organization(db)
        if organization is None or organization.id is None:
            raise StoreFault("no_plan")
        now = datetime.now(UTC)
        return work(_Desk(db, organization.id, now, now.astimezone(ZoneInfo(organization.timezone)).date()))

    with closing(open_store(read_settings())) as store:
        return write_once(store, opened)


def _code(desk: _Desk, named: str) -> str:
    """The code of the unlocked period meant: "2025-Q3", "Q3", "quý III"."""
    from storage.calendar import unlocked

    codes = [period.code for period, _ in unlocked(desk.db, desk.organization_id, desk.today)]
    wanted = read_period(named) or named
    found = next((code for code in codes if wanted in (code, code.partition("-")[2])), None)
    if found is None:
        _stop("calendar.no_such_period", name=named, codes=codes)
    return found


def _read(read: Callable[[str, date], Result], typed: str, today: date) -> Result:
    try:
        return read(typed, today)
    except BadDay as bad:
        _stop(f"asking.{bad.code}", today=today, is_past=False, **bad.facts)


def _stop(block: str, **facts: Any) -> NoReturn:
    typer.echo(plain(block, **facts), err=True)
    raise typer.Exit(1)
