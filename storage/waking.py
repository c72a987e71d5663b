"""What makes the next tick look at an obligation again, and what moves its due day.

A tick only looks at obligations whose day to look has come (`look_on`). Whatever may change who is to hear of one
wakes it; to wake one for nothing does no harm.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, or_, select, update
from sqlalchemy.orm.attributes import flag_modified
from sqlmodel import Session

from plans.model import FOR_THE_COMMUNE
from storage.statement import Statement, among
from storage.tables import NEXT_TICK, OPEN, Absence, Member, Membership, Obligation
from storage.tables.core import connection, table

absence, member, membership, obligation = table(Absence), table(Member), table(Membership), table(Obligation)
WOKEN = {"look_on": NEXT_TICK, "wakes": obligation.c.wakes + 1}
"""What a statement that changes an obligation sets beside."""
_alive = Statement(
    update(obligation)
    .where(
        obligation.c.task_id == bindparam("task"),
        obligation.c.unit_id == bindparam("unit"),
        or_(among(obligation.c.state, OPEN), obligation.c.promised_on.is_not(None)),
    )
    .values(WOKEN | {"alive_at": bindparam("now")})
)


def sign_of_life(db: Session, task_id: int, unit_id: int, now: datetime) -> None:
    """The unit is at work on this task, on whatever of it is still owed: an answer, a report, a case. What stood
    behind something nearer may now be the next."""
    _alive.change(db, task=task_id, unit=unit_id, now=now)


def wake(db: Session, obligation_ids: Collection[int]) -> None:
    """Look at these again, also at what was settled."""
    if obligation_ids:
        connection(db).execute(update(obligation).where(obligation.c.id.in_(list(obligation_ids))).values(WOKEN))


def wake_all(db: Session, organization_id: int) -> None:
    """Look at everything again that has a day to look: the calendar changed."""
    _wake(db, obligation.c.organization_id == organization_id)


def wake_owed(db: Session, organization_id: int) -> None:
    """Look at everything again that is owed, also at what seemed to be past: the clock went back."""
    is_owed = or_(obligation.c.state.in_(OPEN), obligation.c.promised_on.is_not(None))
    these = (obligation.c.organization_id == organization_id, is_owed)
    connection(db).execute(update(obligation).where(*these).values(WOKEN))


def wake_of_member(db: Session, organization_id: int, member_id: int) -> None:
    """Look again at what this person may have to hear of: they joined, left, are away, can be reached again."""
    held = select(membership.c.unit_id, membership.c.role).where(membership.c.member_id.in_(_read_for(member_id)))
    roles = connection(db).execute(held).all()
    if any(row.role in FOR_THE_COMMUNE for row in roles):
        return wake_all(db, organization_id)
    mine = {row.unit_id for row in roles}
    _wake(db, and_(obligation.c.organization_id == organization_id, obligation.c.unit_id.in_(mine)))


def _read_for(member_id: int) -> Select[tuple[int]]:
    """Whom this person reads for: themselves, who named them to stand in, who named those. At any time: to wake
    for nothing does no harm."""
    own = select(member.c.id).where(member.c.id == member_id).cte(recursive=True)
    every = own.union(select(absence.c.member_id).join(own, own.c.id == absence.c.stand_in))
    return select(every.c.id)


def move_due(row: Obligation, due_on: date, today: date) -> None:
    """Give it another due day, as of `today`. Moved later, rungs that would have been before today are past."""
    if due_on == row.due_on:
        return
    row.rungs_from = today if due_on > row.due_on else None
    row.due_on = due_on
    wake_row(row)


def wake_row(row: Obligation) -> None:
    """Look at this one again. Also where it is awake already: a tick may be putting it to sleep beside."""
    row.look_on = NEXT_TICK
    flag_modified(row, "look_on")
    counted: Any = obligation.c.wakes + 1  # by the database
    row.wakes = counted


def _wake(db: Session, which: ColumnElement[bool]) -> None:
    connection(db).execute(update(obligation).where(which, obligation.c.look_on.is_not(None)).values(WOKEN))
