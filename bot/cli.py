"""The command line `dondoc`."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any, NoReturn
from zoneinfo import ZoneInfo

import typer
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from bot import calendar_commands, plan_commands, rehearse_command
from bot.backup_file import CareFault
from bot.platform import StartFailed
from bot.settings import BadSettings, Settings, read_settings
from messages import plain
from storage.store import StoreFault

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help=plain("cli.help"), pretty_exceptions_enable=False
)
app.add_typer(plan_commands.app, name="plan", help=plain("cli.help_plan"))
app.add_typer(calendar_commands.app, name="calendar", help=plain("cli.help_calendar"))


def main() -> None:
    """Run one command; what cannot go on ends in one sentence and exit code 1."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # an old Windows console may not be able to write Vietnamese
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        app()
    except BadSettings as error:
        for name, what in error.faults:
            typer.echo(plain("cli.bad_setting", name=name, what=what), err=True)
        sys.exit(1)
    except StartFailed as error:
        stop(f"cli.{error.code}")
    except StoreFault as error:
        stop(f"cli.{error.code}", **error.facts)
    except CareFault as error:
        stop(f"care.fault_{error.code}", **error.facts)
    except DBAPIError:
        stop("cli.store_unreachable")


def stop(block: str, **facts: object) -> NoReturn:
    """Say why it cannot go on, and exit with 1."""
    typer.echo(plain(block, **facts), err=True)
    sys.exit(1)


@app.command(help=plain("cli.help_demo"))
def demo() -> None:
    from bot.demo import build  # everything heavy is imported by the command that needs it

    settings = read_settings()
    _log_to_stderr(logging.WARNING, [])
    _serve(build(settings, lambda address: typer.echo(plain("cli.demo_open", address=address))).run())


@app.command(help=plain("cli.help_run"))
def run() -> None:
    from bot.assemble import App, open_store, platforms
    from bot.clock import Clock
    from bot.health import Health

    settings = read_settings()
    _log_to_stderr(logging.INFO, _secrets(settings))
    store = open_store(settings)
    if not _has_plan(store):
        stop("cli.no_plan")
    clock = Clock()
    found = platforms(settings, clock)
    if not found:
        stop("cli.no_platform")
    health = Health(store, clock, settings.listen_on)
    _serve(App(store, found, clock, beside=[health.run]).run())


@app.command(help=plain("cli.help_init"))
def init(
    plan: Annotated[Path | None, typer.Option(help=plain("cli.help_init_plan"))] = None,
    example: Annotated[bool, typer.Option("--example", help=plain("cli.help_init_example"))] = False,
) -> None:
    from bot.assemble import PLAN, load_commune, open_store, write_once
    from bot.example import ExampleMisfit, load_example
    from plans.file import PlanFaults, read_plan

    settings, now = read_settings(), datetime.now(UTC)
    try:
        file = read_plan(plan or PLAN)
    except PlanFaults as faults:
        plan_commands.print_faults(faults)
        raise typer.Exit(1) from None

    def work(db: Session) -> None:
        organization = load_commune(db, file, settings.timezone, now)
        if example:
            load_example(db, organization, now, with_chats=False)

    try:
        write_once(open_store(settings), work)
    except ExampleMisfit:
        stop("cli.example_misfit")
    is_past = max(period.lock for period in file.periods) < now.astimezone(ZoneInfo(settings.timezone)).date()
    facts = {"title": file.plan.title, "year": file.plan.year, "unit": file.organization.coordinator}
    typer.echo(plain("cli.ready", is_past=is_past, **facts))


@app.command(help=plain("cli.help_invite"))
def invite(
    role: Annotated[str, typer.Option(help=plain("cli.help_invite_role"))],
    unit: Annotated[str | None, typer.Option(help=plain("cli.help_invite_unit"))] = None,
    name: Annotated[str | None, typer.Option(help=plain("cli.help_invite_name"))] = None,
) -> None:
    from bot.assemble import open_store, write_once
    from handlers import access
    from handlers.invite import join_link
    from storage.chats import record
    from storage.people import make_invite, the_organization, units_of

    if role not in access.ROLES:
        stop("cli.no_such_role", role=role, roles=access.ROLES)

    def work(db: Session) -> tuple[str, str | None]:
        organization = the_organization(db)
        if organization is None or organization.id is None:
            stop("cli.no_plan")
        codes = {one.code.upper(): one.id for one in units_of(db, organization.id)}
        if (unit is None and role in access.IN_A_UNIT) or (unit is not None and unit.upper() not in codes):
            stop("cli.no_such_unit", unit=unit, units=list(codes))
        unit_id = codes[unit.upper()] if unit is not None else None
        now = datetime.now(UTC)
        code = make_invite(db, organization.id, unit_id, role, now, name)
        record(db, organization.id, None, "invited", role, now)
        return code, join_link(organization.join_link, code)

    code, link = write_once(open_store(read_settings()), work)
    typer.echo(code)
    typer.echo(link or plain("cli.no_link", code=code))


@app.command(help=plain("cli.help_summary"))
def summary(period: Annotated[str | None, typer.Option(help=plain("cli.help_summary_period"))] = None) -> None:
    from bot.assemble import open_store
    from plans.periods import read_period
    from storage.calendar import calendar_of
    from storage.owed import current_period
    from storage.people import the_organization
    from storage.snoozes import past_due
    from storage.standing import standing

    store = open_store(read_settings())
    with store.reading() as db:
        organization = the_organization(db)
        if organization is None or organization.id is None:
            stop("cli.no_plan")
        today = datetime.now(ZoneInfo(organization.timezone)).date()
        found = current_period(db, organization.id, today, period and (read_period(period) or period))
        if found is None:
            typer.echo(plain("summary.no_period", code=period), err=True)
            raise typer.Exit(1)
        shown = standing(db, organization.id, found, None, today, calendar_of(db, organization.id))
        put_off = past_due(db, organization.id, datetime.now(UTC))
    typer.echo(plain("summary.overview", found=shown, is_whole=True))
    typer.echo(plain("summary.unit", found=shown, rows=list(shown.by_unit().items())))
    facts = {"put_off": put_off, "zone": organization.timezone, "is_named": True}
    typer.echo(plain("summary.missing", found=shown, rows=shown.missing, **facts))


app.command(help=plain("cli.help_rehearse"))(rehearse_command.rehearse)


@app.command(help=plain("cli.help_backup"))
def backup(file: Path) -> None:
    from bot.backup import backup as make

    typer.echo(plain("care.backed_up", done=make(read_settings().url, file, datetime.now(UTC))))


@app.command(help=plain("cli.help_restore"))
def restore(file: Path) -> None:
    from bot.backup import restore as put_back

    settings = read_settings()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    typer.echo(plain("care.restored", done=put_back(file, settings.url)))


@app.command(help=plain("cli.help_doctor"))
def doctor() -> None:
    from bot.clock import Clock
    from bot.doctor import examine, unreadable, worst

    def check_token() -> str:
        from bot.telegram import whoami

        return asyncio.run(whoami(settings, Clock()))

    try:
        settings = read_settings()
        findings = examine(settings, datetime.now(UTC), check_token)
    except BadSettings as error:
        findings = unreadable(error)
    for finding in findings:
        typer.echo(finding.line)
    raise typer.Exit(1 if worst(findings) == "bad" else 0)


def _has_plan(store: Any) -> bool:
    from storage.loading import loaded_plan

    with store.reading() as db:
        return loaded_plan(db) is not None


def _secrets(settings: Settings) -> list[str]:
    kept = (settings.telegram_bot_token, settings.database_url)
    return [secret.get_secret_value() for secret in kept if secret is not None]


class _Hiding(logging.Formatter):
    """A last guard: a secret in any line or traceback prints as stars."""

    def __init__(self, secrets: list[str]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        for secret in self._secrets:
            line = line.replace(secret, "***")
        return line


def _log_to_stderr(level: int, secrets: list[str]) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(_Hiding(secrets))
    logging.basicConfig(level=level, handlers=[handler])
    for name in ("apscheduler", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _serve(work: Coroutine[Any, Any, None]) -> None:
    """Run until a signal or until a part ends; Ctrl+C and SIGTERM stop in order."""

    async def serve() -> None:
        main = asyncio.ensure_future(work)
        for number in (signal.SIGINT, signal.SIGTERM):
            with suppress(NotImplementedError):  # Windows: Ctrl+C comes as KeyboardInterrupt
                asyncio.get_running_loop().add_signal_handler(number, main.cancel)
        with suppress(asyncio.CancelledError):
            await main

    gc.collect()
    gc.freeze()  # what is here now stays; looked through again and again, it would hold everybody for 0.1 s
    with suppress(KeyboardInterrupt):
        asyncio.run(serve())


if __name__ == "__main__":
    main()
