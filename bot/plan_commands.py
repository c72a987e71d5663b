"""`dondoc plan`: check a plan file, load it, show it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from bot.settings import Settings, read_settings
from messages import blocks, plain
from plans.burden import burden, questions_for, works_of
from plans.calendar import Calendar, period_code, shipped_calendar, unit_due
from plans.export import export
from plans.file import PlanFaults, read_plan
from plans.model import Period, PlanFile
from plans.year import for_year, in_force_from

if TYPE_CHECKING:  # heavy: imported where a command opens the database
    from sqlmodel import Session

app = typer.Typer(no_args_is_help=True)
PlanPath = Annotated[Path, typer.Argument(metavar="FILE", help=plain("cli.help_plan_file"))]


@app.command(help=plain("cli.help_plan_check"))
def check(file: PlanPath) -> None:
    plan = _read(file)
    gaps = sum(gap.answer is None for gap in plan.gaps)
    typer.echo(plain("plan.sound", path=file, plan=plan, gaps=gaps))
    asked = burden(plan)
    rows = [(unit.short, list(asked[unit.code].values())) for unit in plan.units]
    codes = [period_code(plan.plan.year, period.kind) for period in plan.periods]
    typer.echo("\n" + plain("plan.burden", periods=codes, rows=rows))


@app.command(help=plain("cli.help_plan_load"))
def load(
    file: PlanPath,
    year: Annotated[int | None, typer.Option(help=plain("cli.help_plan_year"))] = None,
) -> None:
    from bot.assemble import load_commune, open_store, write_once
    from storage.loading import edited_periods

    plan = _read(file)
    try:
        plan, renewals = for_year(plan, plan.plan.year if year is None else year)
    except ValueError:
        typer.echo(plain("plan.bad_year", year=year), err=True)
        raise typer.Exit(1) from None
    settings, now = read_settings(), datetime.now(UTC)
    today = now.astimezone(ZoneInfo(settings.timezone)).date()
    if renewals:
        plan = in_force_from(plan, today)

    def work(db: Session) -> list[str]:
        organization = load_commune(db, plan, settings.timezone, now)
        return [period.label for period in edited_periods(db, organization, plan)]

    with closing(open_store(settings)) as store:
        edited = write_once(store, work)
    typer.echo(_told(plan, today))
    if edited:
        typer.echo(plain("plan.days_kept", labels=edited))
    if renewals:
        typer.echo("\n" + plain("plan.renewals", year=year, renewals=renewals))


@app.command(help=plain("cli.help_plan_show"))
def show(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help=plain("cli.help_plan_show_file"))] = None,
    as_json: Annotated[bool, typer.Option("--json", help=plain("cli.help_plan_json"))] = False,
) -> None:
    plan, calendar = _known(read_settings(), _read(file) if file else None)
    if as_json:
        typer.echo(json.dumps(export(plan, calendar), ensure_ascii=False, indent=1))
        return
    periods = [
        (period_code(plan.plan.year, period.kind), period, unit_due(period, calendar)) for period in plan.periods
    ]
    typer.echo(plain("plan.show", plan=plan, periods=periods))


def print_faults(refused: PlanFaults, own: str = "plan") -> None:
    """One line for each fault: FILE:LINE: what is wrong; in the words of template `own` where it has some."""
    for fault in refused.faults:
        block = f"{own}.fault_{fault.code}"
        words = plain(block if block in blocks() else f"plan.fault_{fault.code}", **fault.facts)
        given = fault.facts.get("given")
        line = plain("plan.fault", path=refused.path, line=fault.line, words=words, given=given)
        typer.echo(" ".join(line.split()))


def _read(file: Path) -> PlanFile:
    try:
        return read_plan(file)
    except PlanFaults as refused:
        print_faults(refused)
        raise typer.Exit(1) from None


def _known(settings: Settings, given: PlanFile | None) -> tuple[PlanFile, Calendar]:
    """The given plan, or else the loaded one, with the commune's calendar. StoreFault where there is none."""
    from bot.assemble import open_store, store_faults
    from bot.backup import is_absent
    from storage.loading import loaded_plan
    from storage.store import StoreFault

    if given is not None and is_absent(settings.url):
        return given, shipped_calendar()
    if is_absent(settings.url):
        raise StoreFault("no_plan")
    with store_faults(), closing(open_store(settings)) as store, store.reading() as db:
        plan = given or loaded_plan(db)
        if plan is None:
            raise StoreFault("no_plan")
        return plan, _calendar(db, plan)


def _calendar(db: Session, plan: PlanFile) -> Calendar:
    """The commune's own calendar, the shipped one while it has none."""
    from sqlmodel import select

    from storage.calendar import calendar_of
    from storage.tables import Organization

    known = db.exec(select(Organization.id).where(Organization.code == plan.organization.code)).first()
    return shipped_calendar() if known is None else calendar_of(db, known)


def _told(plan: PlanFile, today: date) -> str:
    """What was loaded, in words."""
    effective = plan.plan.effective_from
    reports = [period.data_to >= effective.on for period in _reports(plan)]
    ended = [period for period in plan.periods if effective.on <= period.data_to < today]
    facts = {"owed": reports.count(True), "past": reports.count(False), "ended": ended}
    return plain("plan.loaded", plan=plan, effective=effective, **facts)


def _reports(plan: PlanFile) -> Iterator[Period]:
    """Every report the plan expects, by its period: a unit, a piece of work and something to ask."""
    for work in works_of(plan):
        for unit in plan.units:
            yield from (p for p in plan.periods if questions_for(plan, work, unit.code, p.kind))
