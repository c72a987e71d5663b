"""A plan as plain data for other programs: the form of `dondoc plan show --json`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from plans.calendar import Calendar, period_code, unit_due
from plans.model import Baseline, Deadline, Indicator, Period, PlanFile, Target, Work


def export(plan: PlanFile, calendar: Calendar) -> dict[str, Any]:
    """The whole plan as values JSON can hold, days written as ISO dates, keys always in this order."""
    return {
        "plan": plan.plan.model_dump(mode="json"),
        "units": [{"code": u.code, "name": u.name, "kind": u.kind} for u in plan.units],
        "periods": [_period(p, plan.plan.year, calendar) for p in plan.periods],
        "tasks": [_work(work, plan) for work in plan.tasks],
        "responsibilities": [_work(work, plan) for work in plan.responsibilities],
        "duties": [_work(work, plan) for work in plan.duties],
        "gaps": [gap.model_dump() for gap in plan.gaps],
    }


def _period(period: Period, year: int, calendar: Calendar) -> dict[str, Any]:
    return {
        "code": period_code(year, period.kind),
        "from": period.data_from.isoformat(),
        "to": period.data_to.isoformat(),
        "unit_due": unit_due(period, calendar).isoformat(),
        "province_due": period.province_due.isoformat(),
        "lock": period.lock.isoformat(),
    }


def _work(work: Work, plan: PlanFile) -> dict[str, Any]:
    return {
        "code": work.code,
        "title": work.title,
        "lead": list(work.lead),
        "implement": "all" if work.implement == "all" else list(work.implement),
        "coordinate": _coordinating(work, plan),
        "deadlines": [_deadline(deadline) for deadline in work.deadlines],
        "indicators": [_indicator(indicator) for indicator in work.indicators],
        "basis": work.basis,
        "objective": work.objective,
        "solutions": list(work.solutions),
        "baselines": [_baseline(baseline) for baseline in work.baselines],
    }


def _coordinating(work: Work, plan: PlanFile) -> list[str]:
    """Always codes: here "all" is written out as the inner units that report, less the leads."""
    if work.coordinate != "all":
        return list(work.coordinate)
    inner = [unit.code for unit in plan.units if unit.kind == "internal" and unit.reports]
    return [code for code in inner if code not in work.lead]


def _deadline(deadline: Deadline) -> dict[str, Any]:
    return deadline.model_dump(mode="json", include={"kind", "on", "days"}, exclude_none=True)


def _indicator(indicator: Indicator) -> dict[str, Any]:
    shown = {"code", "label", "unit", "type", "mode", "by"}
    return {
        "code": indicator.code,
        "label": indicator.label,
        "questions": [question.model_dump(include=shown) for question in indicator.questions],
        "formula": indicator.formula,
        "target": indicator.target and _target(indicator.target),
    }


def _target(target: Target) -> dict[str, Any]:
    value = target.value if isinstance(target.value, str) else _number(target.value)
    return {"op": target.op, "value": value, "unit": target.unit}


def _baseline(baseline: Baseline) -> dict[str, Any]:
    value = None if baseline.value is None else _number(baseline.value)
    return {
        "code": baseline.code,
        "label": baseline.label,
        "year": baseline.year,
        "unit": baseline.unit,
        "value": value,
    }


def _number(value: Decimal) -> int | float:
    """98 for 98.0, so that a whole target reads as one."""
    return int(value) if value == value.to_integral_value() else float(value)
