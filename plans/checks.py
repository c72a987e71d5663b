"""Cross-checks of a plan: names that lead nowhere, days out of order and the like."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from plans.calendar import shipped_calendar, unit_due
from plans.indicators import names_in
from plans.model import (
    FOR_THE_COMMUNE,
    Deadline,
    Gap,
    Indicator,
    Ladder,
    Organization,
    Period,
    Plan,
    Question,
    Strict,
    Unit,
    Work,
)
from plans.numbers import scale

Loc = tuple[int | str, ...]
"""Where a value stands: ("tasks", 0, "lead", 1)."""


@dataclass(frozen=True)
class Found:
    """A fault that knows its place in the plan, not yet its line."""

    loc: Loc
    code: str
    facts: dict[str, Any]
    absent_in: Loc | None = None
    """For what is found because it is not there: where it should be. Says nothing where that was cut."""


class Sections(Strict):
    """A plan as far as it can be read: any part of it may be missing."""

    organization: Organization | None = None
    plan: Plan | None = None
    units: tuple[Unit, ...] = ()
    periods: tuple[Period, ...] | None = None
    responsibilities: tuple[Work, ...] = ()
    tasks: tuple[Work, ...] = ()
    duties: tuple[Work, ...] = ()
    ladder: Ladder = Ladder()
    gaps: tuple[Gap, ...] = ()


def faults_in(plan: Sections) -> Iterator[Found]:
    """Everything that is wrong between the parts of the plan, each of them sound in itself."""
    units = {unit.code for unit in plan.units}
    parts = {"responsibilities": plan.responsibilities, "tasks": plan.tasks, "duties": plan.duties}
    works: list[tuple[Loc, Work]] = [
        ((part, i), work) for part, list_ in parts.items() for i, work in enumerate(list_)
    ]
    yield from _repeats((("units", i, "code"), "unit", unit.code) for i, unit in enumerate(plan.units))
    yield from _repeats((("periods", i, "kind"), "period", p.kind) for i, p in enumerate(plan.periods or ()))
    yield from _repeats(((*loc, "code"), "task", work.code) for loc, work in works)
    if plan.organization:
        yield from _in_units(("organization", "coordinator"), (plan.organization.coordinator,), units)
    if plan.periods == ():
        yield Found(("periods",), "no_periods", {}, absent_in=("periods",))
    years = {plan.plan.year} if plan.plan else set(range(2000, 2101))
    for i, period in enumerate(plan.periods or ()):
        yield from _in_period(("periods", i), period, years)
    for loc, work in works:
        yield from _in_work(loc, work, units)
    yield from _in_ladder(("ladder",), plan.ladder)


def _in_ladder(loc: Loc, ladder: Ladder) -> Iterator[Found]:
    """Nobody may have two steps that fall on one day; whole-commune roles hear only of what is late."""
    steps = [(i, rung.days, role) for i, rung in enumerate(ladder.rungs) for role in rung.who]
    for position, (i, days, role) in enumerate(steps):
        at = (*loc, "rungs", i, "days")
        if (days, role) in [(other, who) for _, other, who in steps[:position]]:
            yield Found(at, "two_a_day", {"role": role, "days": days})
        elif role in FOR_THE_COMMUNE and days < 1:
            yield Found(at, "heard_too_early", {"role": role, "days": days})
    weekly = ladder.weekly
    for role in weekly.who if weekly else ():
        late = {role for _, days, role in steps if weekly and days >= weekly.days}
        if role in late or (ladder.repeat is not None and role in ladder.repeat.who):
            yield Found((*loc, "weekly", "who"), "two_a_day_weekly", {"role": role})


def _repeats(names: Iterable[tuple[Loc, str, str]]) -> Iterator[Found]:
    seen: set[str] = set()
    for loc, kind, name in names:
        if name in seen:
            yield Found(loc, "duplicate_code", {"kind": kind, "name": name})
        seen.add(name)


def _in_units(loc: Loc, codes: tuple[str, ...], units: set[str]) -> Iterator[Found]:
    for i, code in enumerate(codes):
        if code not in units:
            yield Found((*loc, i), "unknown_unit", {"field": loc[-1], "name": code})
        elif code in codes[:i]:
            yield Found((*loc, i), "repeated_unit", {"field": loc[-1], "name": code})


def _in_period(loc: Loc, period: Period, years: set[int]) -> Iterator[Found]:
    """The window ends in the plan's year; after it the units are due, then the province, then the lock."""
    if period.data_to.year not in years:
        yield Found((*loc, "data_to"), "window_outside_year", {"data_to": period.data_to})
        return
    if period.data_from > period.data_to:
        window = {"data_from": period.data_from, "data_to": period.data_to}
        yield Found((*loc, "data_from"), "reversed_window", window)
    due_field = "unit_due" if period.unit_due else "province_due"
    due = _due(period)
    if due <= period.data_to:
        window = {"data_to": period.data_to, "unit_due": due}
        yield Found((*loc, due_field), "due_before_data_end", window)
    days = [("unit_due", due), ("province_due", period.province_due), ("lock", period.lock)]
    for (earlier, first), (later, then) in pairwise(days):
        if first > then:
            facts: dict[str, Any] = {"earlier": earlier, "first": first, "later": later, "then": then}
            yield Found((*loc, later), "dates_out_of_order", facts)


def _due(period: Period) -> date:
    """The units' day; the province's own where that is too early to leave them one."""
    too_early = period.province_due <= period.data_to
    return period.unit_due or (period.province_due if too_early else unit_due(period, shipped_calendar()))


def _in_work(loc: Loc, work: Work, units: set[str]) -> Iterator[Found]:
    for field, codes in (("lead", work.lead), ("implement", work.implement), ("coordinate", work.coordinate)):
        if codes != "all":
            yield from _in_units((*loc, field), codes, units)
    for i, deadline in enumerate(work.deadlines):
        yield from _in_deadline((*loc, "deadlines", i), deadline)
    indicators: list[tuple[Loc, Indicator]] = [
        ((*loc, "indicators", i), indicator) for i, indicator in enumerate(work.indicators)
    ]
    questions: list[tuple[Loc, Question]] = [
        ((*at, "questions", j), q) for at, indicator in indicators for j, q in enumerate(indicator.questions)
    ]
    # Questions and constants are names in the same formulas.
    names: list[tuple[Loc, str, str]] = [((*at, "code"), "question", q.code) for at, q in questions]
    names += [((*loc, "baselines", i, "code"), "baseline", b.code) for i, b in enumerate(work.baselines)]
    yield from _repeats(((*at, "code"), "indicator", indicator.code) for at, indicator in indicators)
    yield from _repeats(names)
    yield from _in_names(names)
    yield from _in_parts(questions)
    for at, question in questions:
        if not work.lead and not (work.implement and question.by == "each"):
            yield Found(at, "nobody_asked", {"name": question.code}, absent_in=loc)
        yield from _in_money((*at, "unit"), question)
    for at, indicator in indicators:
        yield from _in_formula((*at, "formula"), indicator.formula, {name for _, _, name in names})
        yield from _in_target(at, indicator, {baseline.code for baseline in work.baselines})


def _in_deadline(loc: Loc, deadline: Deadline) -> Iterator[Found]:
    if deadline.kind == "date" and deadline.on is None:
        yield Found(loc, "deadline_without_day", {}, absent_in=loc)
    if deadline.kind == "days_after_event" and deadline.days is None:
        yield Found(loc, "deadline_without_days", {}, absent_in=loc)
    if deadline.days is not None and deadline.days < 1:
        facts = {"field": "days", "given": deadline.days, "least": 1, "most": None}
        yield Found((*loc, "days"), "out_of_range", facts)
    if deadline.case is None:
        return
    if not deadline.is_event:
        yield Found((*loc, "case"), "case_without_event", {"given": deadline.kind})
    fields = enumerate(deadline.case.fields)
    yield from _repeats(((*loc, "case", "fields", i, "code"), "field", field.code) for i, field in fields)


def _in_names(names: list[tuple[Loc, str, str]]) -> Iterator[Found]:
    """A formula has to be able to read each of them: no dot, dash or digit in front, no "min"."""
    for loc, kind, name in names:
        try:
            is_name = names_in(name) == {name}
        except ValueError:
            is_name = False
        if not is_name:
            yield Found(loc, "bad_name", {"kind": kind, "name": name})


def _in_money(loc: Loc, question: Question) -> Iterator[Found]:
    """Money is stored in đồng, so its unit has to say how many. A blank one was missing and is told so."""
    if question.type != "money" or not question.unit.strip():
        return
    try:
        scale(question.unit)
    except ValueError:
        yield Found(loc, "bad_money_unit", {"name": question.code, "given": question.unit})


def _in_parts(questions: list[tuple[Loc, Question]]) -> Iterator[Found]:
    """A part is asked after its whole, for it is checked against it."""
    codes = [question.code for _, question in questions]
    for i, (loc, question) in enumerate(questions):
        facts = {"name": question.part_of}
        if question.part_of and question.part_of not in codes:
            yield Found((*loc, "part_of"), "unknown_question", facts)
        elif question.part_of and question.part_of not in codes[:i]:
            yield Found((*loc, "part_of"), "part_before_whole", facts)


def _in_formula(loc: Loc, formula: str | None, known: set[str]) -> Iterator[Found]:
    try:
        names = names_in(formula) if formula else set()
    except ValueError:
        yield Found(loc, "bad_formula", {"formula": formula})
        return
    for name in sorted(names - known):
        yield Found(loc, "unknown_name", {"name": name, "formula": formula})


def _in_target(loc: Loc, indicator: Indicator, baselines: set[str]) -> Iterator[Found]:
    target = indicator.target
    if target is None:
        return
    if not indicator.formula:
        yield Found(loc, "target_without_formula", {"name": indicator.code}, absent_in=loc)
    if target.value == "baseline" and target.baseline is None:
        at: Loc = (*loc, "target")
        yield Found(at, "target_without_baseline", {"name": indicator.code}, absent_in=at)
    if target.baseline and target.baseline not in baselines:
        yield Found((*loc, "target", "baseline"), "unknown_baseline", {"name": target.baseline})
