"""The shape of a plan file: what is owed, by whom, in which periods, judged how."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

UnitKind = Literal["internal", "requested"]
QuestionType = Literal["int", "money", "pct"]
Mode = Literal["C", "P", "S", "K"]
"""C cumulative from the year's window start, P in the period, S state at the cut-off, K constant."""
By = Literal["lead", "each"]
PeriodKind = Literal["Q1", "H1", "Q3", "Y"]
Comparison = Literal[">=", "=", "<=", ">", "<"]
Listener = Literal["staff", "head", "coordinator", "leader"]
FOR_THE_COMMUNE = ("coordinator", "leader")
"""Listeners who hear of every unit, and only of what is late."""
Tone = Literal["remind", "urge", "late", "escalated"]
"""How a rung is worded, the gentlest first."""
DeadlineKind = Literal["date", "year", "quarterly", "continuous", "days_after_event", "after_event"]

Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,40}$")]
Text = Annotated[str, Field(min_length=1)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Unit(Strict):
    """A body of the commune, or an outside one (`requested`) that is only asked, never ordered."""

    code: Code
    name: Text
    short: Text
    """How the unit is called where room is short ("TTPVHCC")."""
    kind: UnitKind = "internal"
    reports: bool | None = True
    """Whether the unit is one of "các phòng, đơn vị"; None where the plan does not say."""
    note: str | None = None


class Question(Strict):
    """One figure a unit is asked for."""

    code: Code
    label: Text
    unit: Text
    """Unit of measure as written after the figure ("hồ sơ", "triệu đồng", "%")."""
    type: QuestionType = "int"
    mode: Mode = "C"
    by: By = "lead"
    part_of: Code | None = None
    """Code of the question of the same task whose figure this one cannot exceed."""
    asked: tuple[PeriodKind, ...] = ("Q1", "H1", "Q3", "Y")


class Target(Strict):
    op: Comparison
    value: Decimal | Literal["baseline"]
    unit: Text
    baseline: Code | None = None
    """With `value: baseline`: the code of the constant compared with."""


class Indicator(Strict):
    code: Code
    label: Text
    questions: tuple[Question, ...] = ()
    formula: str | None = None
    """Arithmetic over the question codes of the task (+ - * / min max); a target in % compares it times 100."""
    target: Target | None = None
    nothing_meets: bool = False
    """A zero denominator ("không phát sinh") meets the target."""
    note: str | None = None


class Baseline(Strict):
    """A constant the coordinator may fill in; `value` stays empty where the plan gives none."""

    code: Code
    label: Text
    year: int
    unit: Text
    value: Decimal | None = None
    note: str | None = None


class CaseField(Strict):
    """One thing written down when a case is opened."""

    code: Code
    label: Text
    example: Text | None = None


class CaseWords(Strict):
    """What a case of a deadline is called and what is asked on opening one, beside the day of its event.

    The first field is the case's name in lists ("Quyết định 12/QĐ-UBND").
    """

    label: Text
    event: Text
    """The day the limit runs from ("Ngày cơ quan có thẩm quyền kiến nghị")."""
    fields: tuple[CaseField, ...] = Field(min_length=1)


class Deadline(Strict):
    kind: DeadlineKind
    text: Text
    """The plan's own words."""
    on: date | None = None
    days: int | None = None
    case: CaseWords | None = None
    """Only for a deadline that runs from an event; without it the program's own words are used."""

    @property
    def is_event(self) -> bool:
        """Each event opens a case with a clock of its own."""
        return self.kind in ("days_after_event", "after_event")


class Work(Strict):
    """A task (II.2, II.3), a general responsibility (II.1) or an organising duty (III) of the plan."""

    code: Code
    title: Text
    basis: str | None = None
    """Clause of the plan ("II.2.1")."""
    objective: str | None = None
    solutions: tuple[Text, ...] = ()
    lead: tuple[Code, ...] = ()
    implement: Literal["all"] | tuple[Code, ...] = ()
    coordinate: Literal["all"] | tuple[Code, ...] = ()
    deadlines: tuple[Deadline, ...] = ()
    indicators: tuple[Indicator, ...] = ()
    baselines: tuple[Baseline, ...] = ()
    note: str | None = None


class Period(Strict):
    kind: PeriodKind
    label: Text
    """How a person says it ("quý III năm 2025")."""
    data_from: date
    data_to: date
    province_due: date
    compile_days: int = Field(ge=0, le=20)
    """Working days the coordinator needs: unit due = province due minus these."""
    unit_due: date | None = None
    """Only where it is set by hand; otherwise derived."""
    lock: date


class Rung(Strict):
    """`who` hear of it `days` working days from the effective due day, before it when negative."""

    days: int = Field(ge=-60, le=60)
    who: tuple[Listener, ...] = Field(min_length=1)
    say: Tone = "remind"


class Repeat(Strict):
    """After the last rung: again every so many working days, until it is done."""

    every: int = Field(ge=1, le=60)
    who: tuple[Listener, ...] = Field(min_length=1)
    say: Tone = "late"


class Weekly(Strict):
    """On the first working day of every week, what is late by `days` working days or more."""

    days: int = Field(ge=1, le=60)
    who: tuple[Listener, ...] = Field(min_length=1)


class Silence(Strict):
    """What shows no sign of life for so many weeks, and is not due soon, is asked about once a month; in the last
    three months of the plan's year after `last_quarter_weeks`, and twice a month."""

    weeks: int = Field(default=6, ge=1, le=52)
    last_quarter_weeks: int = Field(default=3, ge=1, le=52)
    who: tuple[Listener, ...] = Field(default=("staff",), min_length=1)


class Ladder(Strict):
    """Who hears when of what is owed."""

    rungs: tuple[Rung, ...] = (
        Rung(days=-7, who=("staff",)),
        Rung(days=-3, who=("staff",)),
        Rung(days=-1, who=("staff",), say="urge"),
        Rung(days=0, who=("staff",), say="urge"),
        Rung(days=1, who=("staff", "head"), say="late"),
        Rung(days=3, who=("head", "coordinator"), say="escalated"),
    )
    repeat: Repeat | None = Repeat(every=3, who=("staff", "head", "coordinator"))
    weekly: Weekly | None = Weekly(days=5, who=("leader",))
    silence: Silence | None = Silence()


class Gap(Strict):
    """What the plan leaves open: a field the coordinator can fill, never guessed."""

    field: Text
    question: Text
    answer: str | None = None


class EffectiveFrom(Strict):
    on: date
    provisional: bool = False
    note: str | None = None


class Organization(Strict):
    code: Code
    name: Text
    superior: Text
    """Who receives the compiled report ("UBND tỉnh An Giang")."""
    through: str | None = None
    coordinator: Code
    """Unit that compiles."""


class Plan(Strict):
    code: Code
    title: Text
    number: str | None = None
    signed_on: date | None = None
    year: int = Field(ge=2000, le=2100)
    effective_from: EffectiveFrom
    basis: tuple[Text, ...] = ()
    """Documents the plan cites."""


class PlanFile(Strict):
    """One whole plan file, checked."""

    organization: Organization
    plan: Plan
    units: tuple[Unit, ...]
    periods: tuple[Period, ...]
    responsibilities: tuple[Work, ...] = ()
    tasks: tuple[Work, ...]
    duties: tuple[Work, ...] = ()
    ladder: Ladder = Ladder()
    gaps: tuple[Gap, ...] = ()
