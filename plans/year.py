"""The same plan for another year: its days and comparison years move, what it quotes stays."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from plans.burden import works_of
from plans.model import Baseline, Deadline, EffectiveFrom, Indicator, Period, Plan, PlanFile, Work

YEAR = re.compile(r"(?<!\d)\d{4}(?!\d)")
YEAR_ALONE = re.compile(r"(?<![\d/–-])\d{4}(?![\d/–-])")
"""Not the year in a document's number or date ("118/2025/NĐ-CP", "09/6/2025")."""


@dataclass(frozen=True)
class Renewal:
    """A text of the plan that was not moved and that a person has to look at for the new year."""

    code: str
    """The work it belongs to, or the plan itself."""
    text: str


@dataclass(frozen=True)
class _Move:
    """From the plan's own year by `by` years. Years relative to the plan's: its own and the one before."""

    year: int
    by: int

    def is_relative(self, year: int) -> bool:
        return year in (self.year, self.year - 1)

    def day(self, day: date) -> date:
        """29 February becomes the 28th where the new year has none."""
        try:
            return day.replace(year=day.year + self.by)
        except ValueError:
            return date(day.year + self.by, 2, 28)

    def last_day(self, day: date) -> date:
        """The end of a window: the last day of February stays the last, so that windows keep meeting."""
        after = day + timedelta(days=1)
        ends_february = (after.month, after.day) == (3, 1)
        return self.day(after) - timedelta(days=1) if ends_february else self.day(day)

    def label(self, text: str, years: re.Pattern[str] = YEAR_ALONE) -> str:
        """The file's own words, with the years relative to the plan's moved."""
        return years.sub(self._year_in_label, text)

    def _year_in_label(self, found: re.Match[str]) -> str:
        year = int(found[0])
        return str(year + self.by) if self.is_relative(year) else found[0]


def for_year(plan: PlanFile, year: int) -> tuple[PlanFile, list[Renewal]]:
    """The plan moved to `year` (2000 to 2100), and the texts left as they are for a person to renew.

    Moved: the plan's code and year, the periods with their labels, days of deadlines, labels of indicators
    and questions, constants of the plan's year and the year before (their values are emptied); a fixed base
    year such as 2021 stays with its value. Quoted text stays and is listed where it names the old year, as
    are all documents the plan cites and the gaps already answered. Number and day of signing are emptied,
    and until they are known the plan counts, provisionally, from the first day of its first window.
    The plan's own year gives the plan unchanged and nothing to renew.
    """
    if year == plan.plan.year:
        return plan, []
    if not 2000 <= year <= 2100:
        raise ValueError(year)
    move = _Move(plan.plan.year, year - plan.plan.year)
    periods = tuple(_period(period, move) for period in plan.periods)
    moved = plan.model_copy(
        update={
            "plan": _head(plan.plan, periods, move),
            "periods": periods,
            "responsibilities": tuple(_work(work, move) for work in plan.responsibilities),
            "tasks": tuple(_work(work, move) for work in plan.tasks),
            "duties": tuple(_work(work, move) for work in plan.duties),
        }
    )
    return moved, list(_renewals(moved, str(plan.plan.year)))


def _head(plan: Plan, periods: tuple[Period, ...], move: _Move) -> Plan:
    old, new = str(move.year), str(move.year + move.by)
    begins = min((period.data_from for period in periods), default=date(move.year + move.by, 1, 1))
    return plan.model_copy(
        update={
            "code": plan.code.replace(old, new) if old in plan.code else f"{plan.code[:35]}-{new}",
            "number": None,
            "signed_on": None,
            "year": move.year + move.by,
            "effective_from": EffectiveFrom(on=begins, provisional=True),
        }
    )


def _period(period: Period, move: _Move) -> Period:
    return period.model_copy(
        update={
            "label": move.label(period.label, YEAR),
            "data_from": move.day(period.data_from),
            "data_to": move.last_day(period.data_to),
            "province_due": move.day(period.province_due),
            "unit_due": period.unit_due and move.day(period.unit_due),
            "lock": move.day(period.lock),
        }
    )


def _work(work: Work, move: _Move) -> Work:
    return work.model_copy(
        update={
            "deadlines": tuple(_deadline(deadline, move) for deadline in work.deadlines),
            "indicators": tuple(_indicator(indicator, move) for indicator in work.indicators),
            "baselines": tuple(_baseline(baseline, move) for baseline in work.baselines),
        }
    )


def _deadline(deadline: Deadline, move: _Move) -> Deadline:
    return deadline.model_copy(update={"on": deadline.on and move.day(deadline.on)})


def _indicator(indicator: Indicator, move: _Move) -> Indicator:
    questions = tuple(q.model_copy(update={"label": move.label(q.label)}) for q in indicator.questions)
    return indicator.model_copy(update={"label": move.label(indicator.label), "questions": questions})


def _baseline(baseline: Baseline, move: _Move) -> Baseline:
    if not move.is_relative(baseline.year):
        return baseline
    label = move.label(baseline.label)
    return baseline.model_copy(update={"year": baseline.year + move.by, "label": label, "value": None})


def _renewals(moved: PlanFile, old_year: str) -> Iterator[Renewal]:
    """Texts left standing: those naming the old year, every cited document, every answer to a gap."""
    named = [(moved.plan.code, moved.plan.title)]
    named += [(work.code, text) for work in works_of(moved) for text in _quoted(work)]
    yield from (Renewal(code, text) for code, text in named if old_year in text)
    yield from (Renewal(moved.plan.code, document) for document in moved.plan.basis)
    for gap in moved.gaps:
        if gap.answer or old_year in gap.question:
            yield Renewal(moved.plan.code, f"{gap.question} {gap.answer or ''}".strip())


def _quoted(work: Work) -> Iterator[str]:
    yield work.title
    yield from filter(None, (work.objective, work.note))
    yield from work.solutions
    yield from (deadline.text for deadline in work.deadlines)
    yield from (indicator.note for indicator in work.indicators if indicator.note)
    yield from (baseline.note for baseline in work.baselines if baseline.note)


def in_force_from(plan: PlanFile, day: date) -> PlanFile:
    """The same plan, taking effect on `day` where its year has begun by then: what ended before is not owed."""
    if not plan.plan.effective_from.on < day:
        return plan
    begins = EffectiveFrom(on=day, provisional=True)
    return plan.model_copy(update={"plan": plan.plan.model_copy(update={"effective_from": begins})})
