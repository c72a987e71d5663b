"""/report: a unit's figures for one task and period, asked one by one, read back, and filed."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from handlers import access, case
from handlers.asking import a_day, still
from handlers.conversation import Command, Conversation, FlowKind, begin
from handlers.desk import Desk, button, page_of
from handlers.figures import NOTHING, above_total, derived, doubt, reads, retyped
from handlers.talk import Talk
from handlers.tasks import SHOWN, mine, report_button, tasks
from plans.indicators import Verdict, judge
from plans.model import Indicator, Question
from plans.periods import read_period
from plans.text import clause, fold
from storage.calendar import calendar_of
from storage.chats import OpenDraft
from storage.owed import (
    BEFORE_EFFECTIVE,
    Owed,
    baselines_of,
    current_period,
    find_owed,
    has_task,
    indicators_of,
    of_period,
    past_of,
    questions_of,
)
from storage.reports import Filed, NotOpen, begin_draft, filed, filed_before, submit
from storage.standing import figure_of

PROMISED_WITHIN = timedelta(days=120)
ROW_ID = re.compile(r"[0-9]{1,9}")
PERIOD = re.compile(r"(\d{4}-(?:Q1|H1|Q3|Y))(?: (\d{1,2}))?", re.IGNORECASE)
Values = dict[str, dict[str, Any]]
"""Answers by question code: {"kind": "figure", "n": "1250"}, or none, promised (with "on"), not_ours."""


def report(desk: Desk, argument: str) -> None:
    """Open the report that `argument` names: an obligation's id, a task ("2.9") or a period ("6 tháng").

    Without one: the report left open here, or the list to pick from.
    """
    draft = desk.chat.draft
    argument = clause(argument)
    if ROW_ID.fullmatch(argument) and not _is_clause(desk, argument):
        _open(desk, int(argument))
    elif named := PERIOD.fullmatch(argument):
        _of_period(desk, named[1].upper(), int(named[2] or 0))
    elif period := read_period(argument):
        _of_period(desk, period, 0)
    elif argument:
        _pick(desk, _named(desk, argument), argument)
    elif draft is not None and draft.obligation_id is not None:
        _open(desk, draft.obligation_id)
    else:
        _pick(desk, mine(desk.db, desk.person, "report", desk.today))


def _is_clause(desk: Desk, number: str) -> bool:
    """Whether a clause is meant: ids stand in our own buttons, which say /report; people type /baocao."""
    typed = fold(desk.incoming.text).replace(" ", "")
    return desk.incoming.kind == "text" and typed.removeprefix("/") == f"baocao{number}"


def _named(desk: Desk, code: str) -> list[Owed]:
    """The task's reports still owed, else those of the current period: filed ones can be corrected."""
    owed = [item for item in mine(desk.db, desk.person, "report", desk.today) if _is_called(item, code)]
    if owed:
        return owed
    period = current_period(desk.db, desk.person.organization_id, desk.today)
    if period is None:
        return []
    expected = of_period(desk.db, period.id, access.units_for(desk.person, "report"))
    return [item for item in expected if _is_called(item, code)]


def _is_called(item: Owed, code: str) -> bool:
    return item.task_code.casefold() == code.casefold()


def _pick(desk: Desk, found: list[Owed], code: str = "") -> None:
    """Open the one report there is, or let the person choose."""
    if len(found) == 1:
        _open(desk, found[0].id)
    elif code and not found:
        is_known = has_task(desk.db, desk.person.organization_id, code)
        block = "report.not_asked" if is_known else "report.no_such_task"
        desk.reply(block, [button("/tasks", "report.label_tasks")], code=code[:20])
    elif code:
        choices = [report_button(item, found) for item in found[:SHOWN]]
        desk.reply("report.several", choices, code=code, found=found)
    else:
        tasks(desk)


def _of_period(desk: Desk, code: str, page: int) -> None:
    """Pick among a period's reports: those still owed, else those to correct. A period that ended before the plan
    took effect, or of an earlier year's plan, is not owed, but its figures are of use for comparison."""
    units, organization_id = access.units_for(desk.person, "report"), desk.person.organization_id
    period = current_period(desk.db, organization_id, desk.today, code)
    if period is None:
        return desk.reply("report.of_period", found=[], is_past=False, code=code)
    code, past = period.code, past_of(desk.db, organization_id, period.code, units)
    expected = past or of_period(desk.db, period.id, units)
    found = [item for item in expected if item.is_owed] or expected
    shown, rest = page_of(found, page, SHOWN)
    choices = [report_button(item, found) for item in shown]
    if rest:
        choices.append(button(f"/report {code} {page + 1}", "tasks.label_more", rest=rest))
    desk.reply("report.of_period", choices, found=found, is_past=bool(past) or period.is_archived, code=code)


def _open(desk: Desk, obligation_id: int) -> None:
    owed = find_owed(desk.db, desk.person.organization_id, obligation_id)
    if owed is None:
        return desk.reply("report.not_found")
    if owed.case is not None:
        return case.case(desk, str(obligation_id))
    access.check(desk.person, "report", owed.organization_id, owed.unit_id)
    if owed.state == "sent_up":
        return desk.reply("report.sent_up", owed=owed)
    if owed.state == "not_owed" and owed.reason != BEFORE_EFFECTIVE:
        return desk.reply("report.not_asked", [button("/tasks", "report.label_tasks")], code=owed.task_code)
    sent = filed(desk.db, owed.id)
    begin(desk, REPORTING, _frozen(desk, owed, sent), owed.id, lambda: _filed_answers(filed(desk.db, owed.id)))


def _frozen(desk: Desk, owed: Owed, sent: Filed | None) -> dict[str, Any]:
    """The flow's arguments: the obligation and its questions, as they stand now."""
    before = filed_before(desk.db, owed)
    indicators, baselines = indicators_of(desk.db, owed.task_id), baselines_of(desk.db, owed.task_id)
    questions = questions_of(desk.db, owed, indicators)
    return {
        "owed": {
            "id": owed.id,
            "organization_id": owed.organization_id,
            "unit_id": owed.unit_id,
            "unit": owed.unit_name,
            "code": owed.task_code,
            "title": owed.title,
            "period": owed.period_label,
            "data_to": owed.data_to.isoformat(),
            "due_on": owed.due_on.isoformat(),
            "is_requested": owed.unit_kind == "requested",
            "sent_at": sent.at.isoformat() if sent else None,
        },
        "questions": [_question(owed, question, before) for question in questions],
        "targets": [indicator.model_dump(mode="json") for indicator in indicators if indicator.target],
        "baselines": {code: str(value) for code, value in baselines.items() if value is not None},
    }


def _question(owed: Owed, question: Question, before: list[Filed]) -> dict[str, Any]:
    """A question as it is asked, with its last value: the newest earlier figure, whatever was missing since."""
    last, last_period = None, None
    for filing in before:
        value = filing.answers.get(question.code)
        if value is not None and value["kind"] in ("figure", "none"):
            last, last_period = value, filing.period_label
            break
    return {
        "code": question.code,
        "label": question.label,
        "unit": question.unit,
        "type": question.type,
        "mode": question.mode,
        "part_of": question.part_of,
        "from": (owed.year_from if question.mode == "C" else owed.data_from).isoformat(),
        "to": owed.data_to.isoformat(),
        "last": last,
        "last_period": last_period,
    }


def _filed_answers(earlier: Filed | None) -> dict[str, Any]:
    """A filed report is opened with what was answered, doubts settled; what followed by itself follows anew, and
    a promised figure is asked again."""
    answers: dict[str, Any] = {}
    if earlier is None:
        return answers
    for question in earlier.questions:
        code, value = question["code"], earlier.answers[question["code"]]
        if value["kind"] == "promised" or derived(question, earlier.answers) is not None:
            continue
        given = {"by": earlier.member_id, "at": earlier.at.isoformat()}
        answers[code] = given | {"value": value, "print": fingerprint(question)}
        answers[f"{code}:sure"] = given | {"value": "keep", "print": ""}
    return answers


def reporting(
    talk: Talk,
    owed: dict[str, Any],
    questions: list[dict[str, Any]],
    targets: list[dict[str, Any]],
    baselines: dict[str, str],
) -> None:
    """Every figure, then one screen to look at them, then they are filed."""
    values: Values = {}
    owed = owed | {"on_behalf": owed["unit_id"] not in {role.unit_id for role in talk.desk.person.roles}}
    for position, question in enumerate(questions):
        values[question["code"]] = _figure(talk, owed, question, values, position, questions)
    shown: dict[str, Any] = {
        "owed": owed,
        "zone": talk.desk.chat.zone,
        "lines": _lines(questions, values),
        "verdicts": _verdicts(targets, baselines, values),
    }
    match talk.choose("confirm", ["send", "edit", "later"], "report.confirm", **shown):
        case "send" if not _is_closed(talk, owed, values):
            _later(talk, owed, "early", "confirm")
        case "send":
            _file(talk, owed, questions, values)
        case "edit":
            asked = [question for question in questions if derived(question, values) is None]
            talk.reopen(talk.choose("which", {one["code"]: one["label"] for one in asked}, "report.which"))
            talk.forget("which", "confirm")
        case "later":
            _later(talk, owed, "confirm")


def _is_closed(talk: Talk, owed: dict[str, Any], values: Values) -> bool:
    """Whether the figures are final: asked while the period is not over."""
    data_to = date.fromisoformat(owed["data_to"])
    if talk.desk.today > data_to or all(value["kind"] != "figure" for value in values.values()):
        return True
    return talk.choose("early", ["closed", "later"], "report.early", owed=owed, data_to=data_to) == "closed"


def _figure(
    talk: Talk,
    owed: dict[str, Any],
    question: dict[str, Any],
    values: Values,
    position: int,
    questions: list[dict[str, Any]],
) -> dict[str, Any]:
    """The answer to one question: a figure, or one of the three other answers; doubts are asked at once."""
    code = question["code"]
    implied = derived(question, values)
    if implied is not None:
        return implied
    value: dict[str, Any] = talk.ask(
        code,
        reads(question, questions, values),
        "report.question",
        choices=NOTHING,
        fingerprint=fingerprint(question),
        owed=owed,
        question=question,
        position=position + 1,
        count=len(questions),
        with_title=talk.is_anew or position == 0,
    )
    if pair := value.pop("pair", None):
        partner = next(other for other in questions if other["code"] == pair["code"])
        talk.put(pair["code"], pair["value"], fingerprint(partner))
    if talk.is_fresh(code):
        begin_draft(talk.desk.db, owed["id"], talk.desk.now)
    value = _made_clear(talk, question, value)
    if above_total(question, value, values):
        talk.note("report.above_total", question=question, value=value, total=values[question["part_of"]])
        talk.forget(code)
    _make_sure(talk, question, value)
    if talk.is_fresh(code) or any(talk.is_fresh(f"{code}:{part}") for part in ("which", "day", "sure")):
        came_along = any(talk.is_fresh(other["code"]) for other in questions if other is not question)
        talk.note("report.noted", question=question, value=value, named=came_along)
    return value


def _made_clear(talk: Talk, question: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    """A figure that can be read two ways is asked about, and a missing one for the day it will come."""
    code = question["code"]
    if value["kind"] == "ambiguous":
        read = retyped(question)
        n = talk.choose(f"{code}:which", value["labels"], "report.ambiguous", read=read, question=question)
        return {"kind": "figure", "n": n}
    if value["kind"] == "not_yet":
        desk, today = talk.desk, talk.desk.today
        calendar = calendar_of(desk.db, desk.person.organization_id)
        read_day = a_day(today, today, today + PROMISED_WITHIN, working_in=calendar)
        talk.ask(f"{code}:day", read_day, "report.promise", question=question, today=today)
        return {"kind": "promised", "on": still(talk, f"{code}:day", read_day).isoformat()}
    return value


def _make_sure(talk: Talk, question: dict[str, Any], value: dict[str, Any]) -> None:
    """A figure that looks wrong beside the last one is asked about; it may be kept or typed anew."""
    code = question["code"]
    why = doubt(question, value)
    if why is None:
        return
    facts: dict[str, Any] = {"question": question, "value": value}
    sure = talk.choose(f"{code}:sure", ["keep", "retype"], f"report.doubt_{why}", read=retyped(question), **facts)
    if sure == "retype":
        talk.forget(code)
    if sure != "keep":
        talk.replace(code, {"kind": "figure", "n": sure})


def fingerprint(question: dict[str, Any]) -> str:
    """What an answer was an answer to; another one asks again."""
    return "|".join(question[key] for key in ("code", "unit", "type", "mode"))


def _lines(questions: list[dict[str, Any]], values: Values) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    return [(question, values[question["code"]]) for question in questions]


def _verdicts(
    targets: list[dict[str, Any]], baselines: dict[str, str], values: Values
) -> list[tuple[Indicator, Verdict]]:
    """How the figures stand against the task's targets; only those that this unit's figures can tell."""
    figures = {code: figure_of(value) for code, value in values.items()}
    constants: dict[str, Decimal | None] = {code: Decimal(value) for code, value in baselines.items()}
    indicators = [Indicator.model_validate(target) for target in targets]
    judged = [(indicator, judge(indicator, figures, constants)) for indicator in indicators]
    return [(indicator, verdict) for indicator, verdict in judged if verdict.kind != "unknown"]


def _file(talk: Talk, owed: dict[str, Any], questions: list[dict[str, Any]], values: Values) -> None:
    desk = talk.desk
    promised = [date.fromisoformat(value["on"]) for value in values.values() if value["kind"] == "promised"]
    try:
        submit(
            desk.db,
            owed["id"],
            values,
            questions,
            min(promised, default=None),
            desk.person.member_id,
            owed["on_behalf"],
            desk.now,
        )
    except NotOpen:
        talk.drop("confirm")
        return talk.leave("report.closed")
    desk.note("reported", f"obligation {owed['id']}")
    rest = mine(desk.db, desk.person, "report", desk.today)
    following = [item for item in rest if item.unit_id == owed["unit_id"] and item.id != owed["id"]]
    choices = [report_button(item, following) for item in following[:1]]
    choices.append(button(f"/report {owed['id']}", "report.label_fix"))
    facts = {"owed": owed, "promised": min(promised, default=None), "rest": len(following), "today": desk.today}
    talk.end("report.sent", choices, **facts)


def _later(talk: Talk, owed: dict[str, Any], *names: str) -> None:
    for name in names:
        talk.drop(name)
    talk.leave("report.later", [button(f"/report {owed['id']}", "report.label_continue")], owed=owed)


def _check(desk: Desk, draft: OpenDraft) -> None:
    owed = draft.args["owed"]
    access.check(desk.person, "report", owed["organization_id"], owed["unit_id"])


REPORTING = FlowKind("reporting", reporting, _check)
CONVERSATION = Conversation(
    commands=(Command("report", "baocao", "report", report),),
    flows=(REPORTING,),
)
