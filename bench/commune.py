"""A commune grown large: the real plan, with hundreds of units that each owe what one of its own four owes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from bot.assemble import PLAN, load_commune
from bot.settings import Settings
from plans.file import read_plan
from plans.model import Period, PlanFile, Unit, Work
from storage import tables
from storage.people import add_role
from storage.store import Store

MODELS = ("KT", "TTPVHCC", "VHXH", "VP")
DUE_IN = timedelta(days=60)
"""Far enough for no reminder to be due in the middle of a run."""

REMINDED_FROM = 100_001
"""The Telegram id of the first person who is to be reminded."""

Reports = dict[int, list[int]]
"""The obligations each person is to report, by the person's id on Telegram."""


def grow(path: Path, count: int) -> Reports:
    """Write a database in which `count` people, each alone in a unit, owe the third quarter's reports.

    Everyone has a unit of their own because a report's draft is shared by the people of its unit.
    """
    now = datetime.now(UTC)
    units = {f"{MODELS[n % len(MODELS)]}-{n}": n for n in range(1, count + 1)}
    store = Store(f"sqlite:///{path}")
    store.prepare()
    with store.writing() as db:
        load_commune(db, _grown(read_plan(PLAN), list(units), now), Settings().timezone, now)
    with store.writing() as db:
        reports = {n: _settle_in(db, code, n, now) for code, n in units.items()}
    store.close()
    return reports


def remind(path: Path, count: int) -> list[int]:
    """Add `count` people, each alone in a unit that owes a report today; returns their ids on Telegram.

    Today is made a working day with office hours around the clock: the program goes by the real clock.
    """
    now = datetime.now(UTC)
    store = Store(f"sqlite:///{path}")
    with store.writing() as db:
        commune = db.exec(select(tables.Organization)).one()
        today = now.astimezone(ZoneInfo(commune.timezone)).date()
        commune.office_from, commune.office_to = time.min, time(23, 59, 59)
        for off in db.exec(select(tables.CalendarDay).where(tables.CalendarDay.day == today)):
            db.delete(off)
        db.flush()
        assert commune.id is not None
        db.add(tables.CalendarDay(organization_id=commune.id, day=today, is_working=True, name="Ngày đo"))
        model = db.exec(_first_owed(MODELS[0])).one()
        chat_ids = [REMINDED_FROM + n for n in range(count)]
        for chat_id in chat_ids:
            _owes_today(db, model, chat_id, today, now)
    store.close()
    return chat_ids


def _first_owed(unit_code: str) -> SelectOfScalar[tables.Obligation]:
    owed = select(tables.Obligation).join(tables.Unit, col(tables.Unit.id) == tables.Obligation.unit_id)
    return owed.where(tables.Unit.code == unit_code).order_by(col(tables.Obligation.id)).limit(1)


def _owes_today(db: Session, model: tables.Obligation, chat_id: int, today: date, now: datetime) -> None:
    """A unit with its one officer that owes what `model` is, today."""
    commune = model.organization_id
    code = f"{MODELS[0]}-{chat_id}"
    unit = tables.Unit(organization_id=commune, code=code, name=f"Đơn vị {chat_id}", short=code, kind="internal")
    db.add(unit)
    db.flush()
    assert unit.id is not None
    _add_officer(db, commune, unit.id, chat_id, now)
    db.add(tables.Assignment(organization_id=commune, task_id=model.task_id, unit_id=unit.id, part="lead"))
    db.add(
        tables.Obligation(
            organization_id=commune,
            task_id=model.task_id,
            unit_id=unit.id,
            period_id=model.period_id,
            due_on=today,
        )
    )


def _grown(file: PlanFile, codes: list[str], now: datetime) -> PlanFile:
    """The plan with more units, and one period whose data ended yesterday, whatever the day of the run."""
    model = {unit.code: unit for unit in file.units}
    more = tuple(model[_model_of(code)].model_copy(update={"code": code}) for code in codes)
    quarter = next(period for period in file.periods if period.kind == "Q3")
    return file.model_copy(
        update={
            "units": file.units + more,
            "periods": (_closed_yesterday(quarter, now),),
            "responsibilities": tuple(_shared(work, more) for work in file.responsibilities),
            "tasks": tuple(_shared(work, more) for work in file.tasks),
            "duties": tuple(_shared(work, more) for work in file.duties),
        }
    )


def _closed_yesterday(period: Period, now: datetime) -> Period:
    today = now.date()
    days = {"data_to": today - timedelta(days=1), "province_due": today + DUE_IN, "lock": today + 2 * DUE_IN}
    return period.model_copy(update=days)


def _shared(work: Work, units: tuple[Unit, ...]) -> Work:
    """The work, led also by the units modelled on its leads."""
    return work.model_copy(
        update={"lead": work.lead + tuple(unit.code for unit in units if _model_of(unit.code) in work.lead)}
    )


def _model_of(code: str) -> str:
    return code.partition("-")[0]


def _settle_in(db: Session, unit_code: str, chat_id: int, now: datetime) -> list[int]:
    """Give the unit its one officer, joined on Telegram; returns what they owe, in the plan's order."""
    unit = db.exec(select(tables.Unit).where(tables.Unit.code == unit_code)).one()
    assert unit.id is not None
    _add_officer(db, unit.organization_id, unit.id, chat_id, now)
    owed = select(tables.Obligation.id).where(tables.Obligation.unit_id == unit.id)
    return [row for row in db.exec(owed.order_by(col(tables.Obligation.id))) if row is not None]


def _add_officer(db: Session, commune: int, unit_id: int, chat_id: int, now: datetime) -> None:
    member = tables.Member(organization_id=commune, name=f"Người {chat_id}", joined_at=now)
    db.add(member)
    db.flush()
    assert member.id is not None
    add_role(db, commune, member.id, unit_id, "staff")
    account = tables.Account(
        organization_id=commune, member_id=member.id, channel="telegram", chat_id=str(chat_id)
    )
    db.add(account)
    db.flush()
    assert account.id is not None
    db.add(tables.Conversation(account_id=account.id))
