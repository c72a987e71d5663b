"""/case: what has a clock of its own, from an event on: opened, followed, closed in time or late."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from handlers import access
from handlers.asking import a_day, ask_words
from handlers.conversation import Command, Conversation, FlowKind, begin
from handlers.desk import Desk, button, page_of
from handlers.talk import Misunderstood, Read, Talk
from handlers.tasks import SHOWN, report_button
from messages import label, plain
from plans.calendar import legal_deadline
from plans.model import CaseField, CaseWords, Deadline
from plans.text import clause, fold
from storage.calendar import calendar_of
from storage.cases import (
    Case,
    EventTask,
    NotThere,
    cases_of,
    close_case,
    correct_fact,
    event_deadlines_of,
    event_tasks,
    find_case,
    move_case,
    open_case,
    reopen_case,
    tell_progress,
)
from storage.chats import OpenDraft

YEAR = timedelta(days=365)
"""An event is looked for that far back, and a day named that far after it."""
NAMED = Deadline(kind="after_event", text="-")
"""Where the plan counts no days (any more), or names a day itself: another day is named by a person."""
OF_ONE = re.compile(r"([0-9]{1,9})(?: (update|close|reopen))?")
LISTED = re.compile(r"(open|done)(?: ([0-9]{1,4}))?")
FACT = "fact "
"""Before the code of a plan's field, in the names of answers."""
Facts = dict[str, Any]


def case(desk: Desk, argument: str = "") -> None:
    """List the open cases; or `argument`: "new", an obligation's id with what to do, "done" and a page."""
    if argument == "new":
        _new(desk)
    elif named := OF_ONE.fullmatch(argument):
        show(desk, int(named[1]), named[2])
    else:
        listed = LISTED.fullmatch(argument)
        _list(desk, listed is not None and listed[1] == "done", int(listed[2] or 0) if listed else 0)


def _list(desk: Desk, is_closed: bool, page: int) -> None:
    organization_id, units = desk.person.organization_id, access.units_for(desk.person, "case")
    found = cases_of(desk.db, organization_id, units, is_closed)
    shown, rest = page_of(found, page, SHOWN)
    among = [one.owed for one in found]
    choices = [report_button(one.owed, among) for one in shown]
    view = "done" if is_closed else "open"
    if rest:
        choices.append(button(f"/case {view} {page + 1}", "case.label_more", rest=rest))
    if is_closed:
        choices.append(button("/case", "case.label_list"))
    else:
        if event_tasks(desk.db, organization_id, units):
            choices.append(button("/case new", "case.label_new"))
        if cases_of(desk.db, organization_id, units, is_closed=True):
            choices.append(button("/case done", "case.label_done"))
    is_of_many = units is None or len(units) > 1
    facts: Facts = {"among": among, "is_of_many": is_of_many, "today": desk.today}
    desk.reply(f"case.list_{view}", choices, cases=shown, **facts)


def show(desk: Desk, obligation_id: int, wish: str | None = None) -> None:
    """One case: its facts, days and progress; or begin to update, close or reopen it."""
    found = find_case(desk.db, desk.person.organization_id, obligation_id)
    if found is None:
        return desk.reply("case.not_found", [button("/case", "case.label_list")])
    access.check(desk.person, "case", found.owed.organization_id, found.owed.unit_id)
    if wish == "reopen" and found.is_closed:
        begin(desk, REOPENING, {"file": _frozen(desk, found)})
    elif wish == "update" and found.is_open:
        begin(desk, UPDATING, {"file": _frozen(desk, found)})
    elif wish == "close" and found.is_open:
        begin(desk, CLOSING, {"file": _frozen(desk, found)})
    else:
        _card(desk, found)


def _card(desk: Desk, found: Case) -> None:
    calendar = calendar_of(desk.db, found.owed.organization_id)
    left = calendar.working_days_between(desk.today, found.owed.due_on)
    wishes = ["update", "close"] if found.is_open else ["reopen"] if found.owed.state != "sent_up" else []
    wishes = wishes if found.is_open or found.is_closed else []
    choices = [button(f"/case {found.owed.id} {wish}", f"case.label_{wish}") for wish in wishes]
    choices.append(button("/case", "case.label_list"))
    file = _frozen(desk, found)
    zone = desk.chat.zone
    desk.reply("case.card", choices, case=found, file=file, today=desk.today, left=left, zone=zone)


def _frozen(desk: Desk, found: Case) -> Facts:
    """The case as a flow's argument, with the words of the plan."""
    owed = found.owed
    deadline = NAMED if found.is_of_plan else _deadline_of(event_deadlines_of(desk.db, owed.task_id), found)
    return {
        "id": owed.id,
        "organization_id": owed.organization_id,
        "unit_id": owed.unit_id,
        "code": owed.task_code,
        "title": owed.case,
        "facts": found.facts,
        "event_on": found.event_on.isoformat(),
        "due_on": owed.due_on.isoformat(),
        "limit": _limit(deadline) | {"is_of_plan": found.is_of_plan},
    }


def _deadline_of(deadlines: list[Deadline], found: Case) -> Deadline:
    """The deadline a case was opened on: that whose fields are written in it; the plan may have changed since."""
    asked = [{field.code for field in words_of(deadline).fields} for deadline in deadlines]
    same = [deadline for deadline, codes in zip(deadlines, asked, strict=True) if codes == set(found.facts)]
    return next(iter([*same, *deadlines]), NAMED)


def words_of(deadline: Deadline) -> CaseWords:
    """The plan's words for a case, or where it has none: what it is about, and the day of the event."""
    if deadline.case is not None:
        return deadline.case
    about = CaseField(code=deadline.kind, label=label("case.default_field"))
    return CaseWords(label=label("case.default_label"), event=label("case.default_event"), fields=(about,))


def _limit(deadline: Deadline) -> Facts:
    """What a flow keeps of a deadline; `days` is None where the day is named by a person."""
    return {"days": deadline.days, "words": words_of(deadline).model_dump(mode="json")}


def _new(desk: Desk) -> None:
    units = access.units_for(desk.person, "case")
    found = event_tasks(desk.db, desk.person.organization_id, units)
    if not found:
        return desk.reply("case.no_task", [button("/case", "case.label_list")])
    begin(desk, OPENING, {"tasks": [_asked(task) for task in found]})


def _asked(task: EventTask) -> Facts:
    units = {str(unit_id): name for unit_id, name in task.units.items()}
    return {"id": task.id, "code": task.code, "title": task.title, "units": units, "limit": _limit(task.deadline)}


def opening(talk: Talk, tasks: list[Facts]) -> None:
    """Which task and unit, what it is about, the day of the event; then the clock starts."""
    names = {str(n): plain("case.label_task", task=task) for n, task in enumerate(tasks)}
    task = tasks[int(_picked(talk, "task", names, "case.task", read=_by_code(tasks)))]
    limit = task["limit"]
    unit = _picked(talk, "unit", task["units"], "case.unit", task=task)
    facts = {field["code"]: _fact(talk, field, code=task["code"]) for field in limit["words"]["fields"]}
    event_on = _event(talk, limit)
    due_on = _due(talk, limit, event_on)
    title = next(iter(facts.values()))
    shown: Facts = {
        "code": task["code"],
        "unit": task["units"][unit],
        "facts": facts,
        "words": limit["words"],
        "event_on": event_on,
        "due_on": due_on,
        "today": talk.desk.today,
        "is_known": _is_known(talk, task, int(unit), title, event_on),
    }
    match talk.choose("confirm", ["open", "edit", "drop"], "case.confirm", **shown):
        case "open":
            _open(talk, task, int(unit), title, facts, event_on, due_on)
        case "edit":
            _edit(talk, limit)
        case "drop":
            talk.end("case.dropped", [button("/case", "case.label_list")])


def _by_code(tasks: list[Facts]) -> Read:
    """The position of the only task with the clause number that was typed: "2.2", "2,2"."""

    def read(text: str) -> str:
        code = clause(fold(text))
        found = [str(n) for n, task in enumerate(tasks) if fold(task["code"]) == code]
        if len(found) != 1:
            raise Misunderstood("talk.choose_one")
        return found[0]

    return read


def _open(
    talk: Talk, task: Facts, unit_id: int, title: str, facts: dict[str, str], event_on: date, due_on: date
) -> None:
    desk, person = talk.desk, talk.desk.person
    access.check(person, "case", person.organization_id, unit_id)
    obligation_id = open_case(
        desk.db,
        person.organization_id,
        task["id"],
        unit_id,
        title,
        facts,
        event_on,
        due_on,
        person.member_id,
        desk.now,
    )
    desk.note("case_opened", f"obligation {obligation_id}")
    choices = [button(f"/case {obligation_id}", "case.label_look"), button("/case", "case.label_list")]
    talk.end("case.opened", choices, code=task["code"], title=title, due_on=due_on)


def _is_known(talk: Talk, task: Facts, unit_id: int, title: str, event_on: date) -> bool:
    """Whether the unit has an open case of this very name and day: a colleague may have been faster."""
    found = cases_of(talk.desk.db, talk.desk.person.organization_id, {unit_id})
    return any(
        one.owed.task_id == task["id"] and one.event_on == event_on and fold(one.owed.case or "") == fold(title)
        for one in found
    )


def _edit(talk: Talk, limit: Facts) -> None:
    """Ask one of the answers again, and keep it until another is given."""
    talk.reopen(talk.choose("which", _names(limit), "case.which"))
    talk.forget("which", "confirm")


def _names(limit: Facts) -> dict[str, str]:
    """What of a case can be put right: the names of the answers, and how they are called."""
    words = limit["words"]
    if limit.get("is_of_plan"):
        return {"due": label("case.label_due")}
    names = {f"{FACT}{field['code']}": plain("case.label_name", name=field["label"]) for field in words["fields"]}
    names["event"] = plain("case.label_name", name=words["event"])
    return names if limit["days"] else names | {"due": label("case.label_due")}


def _picked(
    talk: Talk, name: str, options: Mapping[str, str], block: str, /, read: Read | None = None, **facts: Any
) -> str:
    """The only option there is, or the one chosen."""
    if len(options) == 1:
        return next(iter(options))
    return talk.choose(name, options, block, read=read, is_figure=False, **facts)


def _fact(talk: Talk, field: Facts, /, *, code: str, current: str | None = None) -> str:
    words = ask_words(talk, f"{FACT}{field['code']}", "case.fact", field=field, code=code, current=current)
    assert isinstance(words, str)
    return words


def _event(talk: Talk, limit: Facts, current: date | None = None) -> date:
    today = talk.desk.today
    read = a_day(today, today - YEAR, today)
    words = limit["words"]
    return date.fromisoformat(talk.ask("event", read, "case.event", words=words, today=today, current=current))


def _due(talk: Talk, limit: Facts, event_on: date, current: date | None = None) -> date:
    """The end of the limit: counted where the plan says how many days, else named by the person.

    A limit ends on a working day (Civil Code 91/2015/QH13, article 148), so no day off is taken.
    """
    today = talk.desk.today
    calendar = calendar_of(talk.desk.db, talk.desk.person.organization_id)
    if limit["days"]:
        return legal_deadline(event_on, limit["days"], calendar)
    read = a_day(today, event_on, event_on + YEAR, is_since=True, working_in=calendar)
    print_ = event_on.isoformat()
    asked: Facts = {"today": today, "event_on": event_on, "current": current}
    day = date.fromisoformat(talk.ask("due", read, "case.due", fingerprint=print_, **asked))
    return calendar.first_working_on_or_after(day)


def updating(talk: Talk, file: Facts) -> None:
    """Progress in a few words, another fact, or another day; days are moved only after they were shown."""
    limit = file["limit"]
    options = {"progress": label("case.label_progress")} | _names(limit)
    what = talk.choose("what", options, "case.what", file=file)
    if what == "progress":
        words = ask_words(talk, "progress", "case.progress", file=file)
        return _change(talk, file, lambda desk: tell_progress(desk.db, file["id"], str(words), desk.now))
    if what.startswith(FACT):
        return _correct(talk, file, what.removeprefix(FACT))
    event_on, due_on = date.fromisoformat(file["event_on"]), date.fromisoformat(file["due_on"])
    new_event = _event(talk, limit, event_on) if what == "event" else event_on
    is_kept = what == "event" and not limit["days"] and new_event <= due_on <= new_event + YEAR
    new_due = due_on if is_kept else _due(talk, limit, new_event, due_on)
    days: Facts = {"event_on": event_on, "due_on": due_on, "new_event": new_event, "new_due": new_due}
    if talk.choose("confirm", ["move", "leave"], "case.moving", file=file, **days) == "leave":
        return talk.end("case.unchanged", _after(file), file=file)
    moved = None if is_kept else new_due
    _change(talk, file, lambda desk: move_case(desk.db, file["id"], new_event, moved, desk.today, desk.now))


def _correct(talk: Talk, file: Facts, code: str) -> None:
    fields = file["limit"]["words"]["fields"]
    field = next(one for one in fields if one["code"] == code)
    value = _fact(talk, field, code=file["code"], current=file["facts"].get(code))
    is_title = field is fields[0]
    _change(talk, file, lambda desk: correct_fact(desk.db, file["id"], code, value, is_title, desk.now))


def closing(talk: Talk, file: Facts) -> None:
    """The day it was done and what came of it; then it is closed, in time or late."""
    desk, event_on = talk.desk, date.fromisoformat(file["event_on"])
    read = a_day(desk.today, event_on, desk.today, is_since=True)
    day = talk.ask("day", read, "case.done_on", choices=["today"], file=file, today=desk.today)
    if day == {"kind": "today"}:
        day = desk.today.isoformat()
        talk.put("day", day)
    outcome = ask_words(talk, "outcome", "case.outcome", choices=["nothing"], file=file)
    # A day off entered since the case was opened moves the end of its limit.
    calendar = calendar_of(desk.db, desk.person.organization_id)
    ends_on = calendar.first_working_on_or_after(date.fromisoformat(file["due_on"]))
    closed_on = date.fromisoformat(day)
    words = outcome if isinstance(outcome, str) else None
    shown: Facts = {
        "file": file,
        "closed_on": closed_on,
        "due_on": ends_on,
        "days_late": max(0, (closed_on - ends_on).days),
        "outcome": words,
    }
    if talk.choose("confirm", ["shut", "leave"], "case.closing", **shown) == "leave":
        return talk.end("case.unchanged", _after(file), file=file)
    try:
        close_case(desk.db, file["id"], closed_on, words, desk.person.member_id, desk.now)
    except NotThere:
        return talk.end("case.changed_meanwhile", _after(file), file=file)
    desk.note("case_closed", f"obligation {file['id']}")
    choices = [button(f"/case {file['id']} reopen", "case.label_reopen"), button("/case", "case.label_list")]
    talk.end("case.closed", choices, **shown)


def reopening(talk: Talk, file: Facts) -> None:
    """What was closed by mistake goes on, with the day it had."""
    if talk.choose("sure", ["reopen", "leave"], "case.reopening", file=file) == "leave":
        return talk.end("case.unchanged", _after(file), file=file)
    _change(talk, file, lambda desk: reopen_case(desk.db, file["id"], desk.now), "case_reopened")


def _change(talk: Talk, file: Facts, change: Callable[[Desk], None], action: str = "case_updated") -> None:
    """Do it, unless a colleague has closed or reopened the case meanwhile."""
    try:
        change(talk.desk)
    except NotThere:
        return talk.end("case.changed_meanwhile", _after(file), file=file)
    talk.desk.note(action, f"obligation {file['id']}")
    talk.end("case.changed", _after(file), file=file)


def _after(file: Facts) -> list[list[str]]:
    return [button(f"/case {file['id']}", "case.label_look"), button("/case", "case.label_list")]


def _check_file(desk: Desk, draft: OpenDraft) -> None:
    file = draft.args["file"]
    access.check(desk.person, "case", file["organization_id"], file["unit_id"])


def _check(desk: Desk, _draft: OpenDraft) -> None:
    access.check(desk.person, "case")


OPENING = FlowKind("opening", opening, _check)
UPDATING = FlowKind("updating", updating, _check_file)
CLOSING = FlowKind("closing", closing, _check_file)
REOPENING = FlowKind("reopening", reopening, _check_file)
CONVERSATION = Conversation(
    commands=(Command("case", "vuviec", "case", case),),
    flows=(OPENING, UPDATING, CLOSING, REOPENING),
)
