"""Who is asked what: the figures each unit owes on each piece of work, and how many that makes."""

from __future__ import annotations

from plans.model import PeriodKind, PlanFile, Question, Work


def questions_for(plan: PlanFile, work: Work, unit_code: str, kind: PeriodKind) -> list[Question]:
    """The questions this unit answers on this work in a period of this kind; none where it owes nothing.

    A lead is asked all of them; any other unit that carries the work out only those each unit answers.
    """
    if unit_code not in {*work.lead, *_reporting_implementers(plan, work)}:
        return []
    asked = [q for indicator in work.indicators for q in indicator.questions if kind in q.asked]
    return [q for q in asked if q.by == "each" or unit_code in work.lead]


def reporting_units(plan: PlanFile, work: Work) -> list[str]:
    """Codes of the units asked anything on this work in any period of the plan, in the plan's order."""
    kinds = [period.kind for period in plan.periods]
    return [u.code for u in plan.units if any(questions_for(plan, work, u.code, kind) for kind in kinds)]


def burden(plan: PlanFile) -> dict[str, dict[PeriodKind, int]]:
    """How many questions each unit is asked in each period, over the whole plan."""
    works = works_of(plan)
    return {
        unit.code: {
            period.kind: sum(len(questions_for(plan, work, unit.code, period.kind)) for work in works)
            for period in plan.periods
        }
        for unit in plan.units
    }


def works_of(plan: PlanFile) -> tuple[Work, ...]:
    """Everything the plan assigns, in its own order: part II.1, parts II.2 and II.3, part III."""
    return (*plan.responsibilities, *plan.tasks, *plan.duties)


def _reporting_implementers(plan: PlanFile, work: Work) -> set[str]:
    """Units carrying the work out that report: inner ones, where the plan says they do.

    An outside body is only asked for what it leads.
    """
    reporting = {unit.code for unit in plan.units if unit.kind == "internal" and unit.reports}
    return reporting if work.implement == "all" else reporting & set(work.implement)
