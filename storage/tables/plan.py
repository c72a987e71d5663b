"""What is owed: the plan, its tasks, periods and the obligations laid out from them."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import text
from sqlmodel import JSON, Field, Index, SQLModel, UniqueConstraint


class Plan(SQLModel, table=True):
    """One loaded plan; `file` is the whole checked plan file as JSON."""

    __table_args__ = (UniqueConstraint("organization_id", "code"),)
    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id")
    code: str
    title: str
    year: int
    effective_from: date
    file: dict[str, Any] = Field(sa_type=JSON)
    ladder: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    """The plan's ladder of reminders, beside `file` so that a tick need not read the whole plan."""
    loaded_at: datetime
    is_archived: bool = False


class Task(SQLModel, table=True):
    """A task, a general responsibility or an organising duty (`kind`)."""

    __table_args__ = (UniqueConstraint("plan_id", "code"),)
    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id")
    plan_id: int = Field(foreign_key="plan.id")
    ordinal: int
    kind: str
    code: str
    title: str
    objective: str | None = None
    deadlines: list[dict[str, Any]] = Field(sa_type=JSON)


class Assignment(SQLModel, table=True):
    __table_args__ = (UniqueConstraint("task_id", "unit_id", "part"),)
    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id")
    task_id: int = Field(foreign_key="task.id")
    unit_id: int = Field(foreign_key="unit.id", index=True)
    part: str
    """lead, implement or coordinate"""


class Indicator(SQLModel, table=True):
    """`file` is the indicator of the plan file: questions, formula, target."""

    __table_args__ = (UniqueConstraint("task_id", "code"),)
    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id")
    task_id: int = Field(foreign_key="task.id")
    code: str
    ordinal: int
    file: dict[str, Any] = Field(sa_type=JSON)


class Baseline(SQLModel, table=True):
    """A constant compared with; empty until someone fills it in."""

    __table_args__ = (UniqueConstraint("task_id", "code"),)
    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id")
    task_id: int = Field(foreign_key="task.id")
    code: str
    label: str
    year: int
    unit: str
    value: str | None = None
    """A decimal number, as text so that it stays exact."""


class Period(SQLModel, table=True):
    __table_args__ = (UniqueConstraint("plan_id", "code"),)
    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id")
    plan_id: int = Field(foreign_key="plan.id")
    code: str
    kind: str
    label: str
    data_from: date
    data_to: date
    year_from: date
    """Where cumulative figures of the year begin."""
    unit_due: date
    province_due: date
    lock: date
    is_edited: bool = False
    """The coordinator has moved its days: loading the plan again keeps them."""


_to_look_at, _promised = text("look_on IS NOT NULL"), text("promised_on IS NOT NULL")
OPEN = ("not_started", "draft", "returned")
DONE = ("submitted", "accepted", "sent_up")
NEXT_TICK, UNTIL_WOKEN = date(1970, 1, 1), date.max
"""What `Obligation.look_on` is where it means no day."""


class Obligation(SQLModel, table=True):
    """The thing that is owed: a task's figures by one unit for one period, or one case with its own clock.

    States: not_started, draft, submitted, accepted, sent_up, returned, not_owed.
    `promised_on`: part of the figures is missing and promised for that day; then it is never counted as done.
    """

    __table_args__ = (
        UniqueConstraint("task_id", "unit_id", "period_id"),
        Index("ix_obligation_open", "organization_id", "state", "due_on"),
        Index("ix_obligation_unit", "unit_id", "due_on"),
        Index(
            "ix_obligation_promised",
            *("organization_id", "promised_on"),
            sqlite_where=_promised,
            postgresql_where=_promised,
        ),
        Index("ix_obligation_task", "task_id", "unit_id", "due_on"),
        Index(
            "ix_obligation_look",
            *("organization_id", "look_on"),
            sqlite_where=_to_look_at,
            postgresql_where=_to_look_at,
        ),
    )
    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id")
    task_id: int = Field(foreign_key="task.id")
    unit_id: int = Field(foreign_key="unit.id")
    period_id: int | None = Field(default=None, foreign_key="period.id", index=True)
    state: str = "not_started"
    due_on: date
    extended_to: date | None = None
    given_to: int | None = Field(default=None, foreign_key="member.id")
    promised_on: date | None = None
    submitted_at: datetime | None = None
    reason: str | None = None
    alive_at: datetime | None = None
    """The last sign of life of this unit on this task: an answer, a report, a case."""
    rungs_from: date | None = None
    """Its due day was moved later on this day: rungs that would have been before it are past."""
    look_on: date | None = NEXT_TICK
    """The local day on which a tick looks at it next: somebody may have to hear of it. Too early does no harm.

    NEXT_TICK: at once, something changed. UNTIL_WOKEN: asked for, but as things stand nobody is to hear of it;
    somebody may join, or come back. None: settled, or its plan is over.
    """
    wakes: int = 0
    """How often something changed that may concern who hears of it; so a tick never overwrites a change."""


class CaseFile(SQLModel, table=True):
    """What a case is about: an event that started the clock of one obligation (a proposal, a decision).

    `facts`: what was asked on opening, by the codes of the plan's case fields.
    """

    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id", index=True)
    obligation_id: int = Field(foreign_key="obligation.id", unique=True)
    title: str
    """How it is called in lists: the document."""
    facts: dict[str, str] = Field(sa_type=JSON)
    event_on: date
    progress: str | None = None
    """The last that was told of how it goes."""
    progress_at: datetime | None = None
    opened_by: int | None = Field(default=None, foreign_key="member.id")
    """None: by the plan itself, which names a day."""
    opened_at: datetime
    closed_on: date | None = None
    closed_by: int | None = Field(default=None, foreign_key="member.id")
    outcome: str | None = None
