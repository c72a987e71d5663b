"""What is owed: the plan, its tasks, periods and the obligations laid out from them."""

from datetime import date, datetime
from typing import Any

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


class Obligation(SQLModel, table=True):
    """The thing that is owed: a task's figures by one unit for one period.

    States: not_started, draft, submitted, accepted, sent_up, returned, not_owed.
    `promised_on`: part of the figures is missing and promised for that day; then it is never counted as done.
    """

    __table_args__ = (
        UniqueConstraint("task_id", "unit_id", "period_id"),
        Index("ix_obligation_open", "organization_id", "state", "due_on"),
        Index("ix_obligation_unit", "unit_id", "due_on"),
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
