"""How a period stands: what is done, late, near; which targets are missed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlmodel import Session

from plans.calendar import Calendar
from plans.indicators import Verdict, judge
from plans.model import Indicator
from storage.cases import cases_of
from storage.owed import Owed, ReportingPeriod, baselines_of, indicators_of, of_period
from storage.reports import Filed, filed_in

NEAR = 3
"""Working days before the due day from which a report is nearly due."""


@dataclass(frozen=True, slots=True)
class TaskStanding:
    """A task in a period: its obligations and what its targets say once every figure is in."""

    code: str
    title: str
    items: list[Owed]
    verdicts: list[tuple[Indicator, Verdict]]

    @property
    def done(self) -> int:
        return sum(item.is_done for item in self.items)

    @property
    def missed(self) -> list[tuple[Indicator, Verdict]]:
        return [(indicator, verdict) for indicator, verdict in self.verdicts if verdict.kind == "missed"]


@dataclass(frozen=True, slots=True)
class Standing:
    """A period as of a day, for all units or some; beside it the open cases, which have no period."""

    period: ReportingPeriod
    today: date
    items: list[Owed]
    tasks: list[TaskStanding]
    not_ours: list[Owed]
    cases: list[Owed]
    calendar: Calendar

    @property
    def done(self) -> list[Owed]:
        return [item for item in self.items if item.is_done]

    @property
    def owed(self) -> list[Owed]:
        """Still owed, the longest overdue first."""
        return sorted((item for item in self.items if item.is_owed), key=lambda item: item.asked_on)

    @property
    def late(self) -> list[Owed]:
        """Overdue reports, also by a promised day; outside bodies are asked, never late."""
        return [item for item in self.owed if self._is_late(item)]

    @property
    def late_cases(self) -> list[Owed]:
        return [case for case in self.cases if self._is_late(case)]

    @property
    def all_late(self) -> list[Owed]:
        """Overdue reports and cases, the longest first."""
        return sorted([*self.late_cases, *self.late], key=lambda item: item.asked_on)

    @property
    def missing(self) -> list[Owed]:
        """Reports still owed and cases overdue, the longest overdue first."""
        return sorted([*self.late_cases, *self.owed], key=lambda item: item.asked_on)

    @property
    def near(self) -> list[Owed]:
        return [
            item
            for item in self.owed
            if item.promised_on is None
            and item.asked_on >= self.today
            and self.calendar.working_days_between(self.today, item.asked_on) <= NEAR
        ]

    @property
    def promised(self) -> list[Owed]:
        """Filed with a figure missing whose promised day has not passed."""
        return [item for item in self.items if item.promised_on is not None and item.promised_on >= self.today]

    @property
    def missed(self) -> list[TaskStanding]:
        return [task for task in self.tasks if task.missed]

    @property
    def most_awaited(self) -> list[Owed]:
        """What the internal unit with most still owed owes; outside bodies are asked, never ranked."""
        units = [[item for item in items if item.is_owed] for items in self.by_unit().values()]
        return next((items for items in units if items and items[0].unit_kind == "internal"), [])

    def _is_late(self, item: Owed) -> bool:
        return item.asked_on < self.today and item.unit_kind == "internal"

    def by_unit(self) -> dict[str, list[Owed]]:
        """Items by unit name, the unit with most still owed first."""
        groups: dict[str, list[Owed]] = {}
        for item in self.items:
            groups.setdefault(item.unit_name, []).append(item)
        return dict(sorted(groups.items(), key=lambda group: -sum(item.is_owed for item in group[1])))


def standing(
    db: Session,
    organization_id: int,
    period: ReportingPeriod,
    units: Collection[int] | None,
    today: date,
    calendar: Calendar,
) -> Standing:
    """The state of a period; targets are judged for the whole commune, and only once all figures are in."""
    everything = of_period(db, period.id)
    items = [item for item in everything if units is None or item.unit_id in units]
    filings = filed_in(db, period.id)
    codes = {item.task_code for item in items}
    tasks: dict[str, list[Owed]] = {}
    for item in sorted(everything, key=lambda item: item.task_id):  # the plan's order, not the units'
        if item.task_code in codes:
            tasks.setdefault(item.task_code, []).append(item)
    mine = {item.id for item in items}
    rows = [_task(db, group, filings, mine) for group in tasks.values()]
    not_ours = [item for item in items if _has_not_ours(filings.get(item.id))]
    cases = [case.owed for case in cases_of(db, organization_id, units)]
    return Standing(period, today, items, rows, not_ours, cases, calendar)


def _task(db: Session, items: list[Owed], filings: dict[int, Filed], mine: set[int]) -> TaskStanding:
    """Judged by the figures of all its units, shown with those that are asked about."""
    first = items[0]
    figures = sums([filings.get(item.id) for item in items])
    baselines = baselines_of(db, first.task_id)
    verdicts = [
        (indicator, judge(indicator, figures, baselines))
        for indicator in indicators_of(db, first.task_id)
        if indicator.target is not None
    ]
    return TaskStanding(first.task_code, first.title, [item for item in items if item.id in mine], verdicts)


def sums(filings: list[Filed | None]) -> dict[str, Decimal | None]:
    """Units sum to the commune, figure by figure; one missing figure makes the sum unknown (None)."""
    if any(filing is None for filing in filings):
        return {}
    totals: dict[str, Decimal | None] = {}
    for filing in filings:
        for code, value in filing.answers.items() if filing else ():
            figure = figure_of(value)
            known = totals.get(code, Decimal(0))
            totals[code] = None if figure is None or known is None else known + figure
    return totals


def figure_of(value: dict[str, str]) -> Decimal | None:
    """The figure an answer counts as: none arisen is zero; missing or not ours is None."""
    if value["kind"] == "figure":
        return Decimal(value["n"])
    return Decimal(0) if value["kind"] == "none" else None


def _has_not_ours(filing: Filed | None) -> bool:
    return filing is not None and any(value["kind"] == "not_ours" for value in filing.answers.values())
