"""Every sentence there is, rendered with sample facts: it says something, politely, and fits a phone."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jinja2
import pytest

from bot.assemble import PLAN
from messages import CompiledTemplates, blocks, label, plain, say
from plans.calendar import shipped_calendar
from plans.file import read_plan
from plans.indicators import judge
from plans.model import Indicator, Target
from plans.spans import NamedSpan, Span
from plans.text import fold
from scheduler.lateness import LateUnit
from storage.absences import Away, Replaced
from storage.alerts import OpenAlert
from storage.calendar import Moved
from storage.cases import Case
from storage.chats import Role
from storage.owed import Owed, ReportingPeriod
from storage.province import Shift
from storage.reach import Invited, Unreached
from storage.roster import Colleague, Listed
from storage.standing import Standing, TaskStanding

Facts = dict[str, Any]
TODAY = date(2025, 9, 15)
AT = datetime(2025, 9, 15, 1, 5, tzinfo=UTC)
FILE = read_plan(PLAN)
LONG = "Văn phòng đăng ký đất đai chi nhánh khu vực liên xã Phú Tân"

ITEM = Owed(
    id=25,
    organization_id=1,
    state="not_started",
    due_on=date(2025, 9, 17),
    promised_on=None,
    task_id=3,
    task_code="2.14",
    title="Công khai tiến độ, kết quả giải quyết hồ sơ trên Hệ thống thông tin giải quyết TTHC",
    unit_id=7,
    unit_name=LONG,
    unit_short="VPĐKĐĐ",
    unit_kind="internal",
    period_id=3,
    period_code="2025-Q3",
    period_kind="Q3",
    period_label="quý III năm 2025",
    data_from=date(2025, 6, 15),
    data_to=date(2025, 9, 14),
    year_from=date(2024, 12, 15),
    lock=date(2025, 9, 22),
    reason=None,
)
LATE = replace(ITEM, id=26, due_on=date(2025, 9, 10), state="draft", unit_id=8, unit_name="Phòng Kinh tế")
DUE_NOW = replace(ITEM, id=27, due_on=TODAY, state="returned", period_id=2, period_label="6 tháng đầu năm 2025")
PROMISED = replace(ITEM, id=28, state="submitted", promised_on=date(2025, 9, 20))
ASKED = replace(ITEM, id=29, unit_kind="requested", due_on=date(2025, 9, 10))
DONE = replace(ITEM, id=30, state="submitted")
CASE = replace(
    ITEM,
    id=31,
    period_code="",
    period_kind="",
    due_on=date(2025, 10, 3),
    period_id=None,
    period_label="",
    case="Quyết định 12/2025/QĐ-UBND ngày 5/8/2025 quy định một số nội dung về quản lý đất công",
)
ASKED_CASE = replace(CASE, unit_kind="requested")
LATE_CASE = replace(CASE, id=32, due_on=date(2025, 9, 10), task_code="2.2")
LATEST_CASE = replace(LATE_CASE, id=33, due_on=date(2025, 7, 21))
MANY = [ITEM, LATE, DUE_NOW, PROMISED, ASKED, CASE, LATE_CASE, ITEM]
WORDS: Facts = next(task for task in FILE.tasks if task.code == "2.2").deadlines[0].model_dump(mode="json")["case"]
OPENED = Case(
    CASE,
    {"document": "x " * 100, "proposer": "Sở Tư pháp " * 18},
    date(2025, 9, 3),
    "Đang " * 40,
    AT,
    None,
    None,
    2,
)
CLOSED = replace(
    OPENED,
    owed=replace(LATE_CASE, state="submitted"),
    closed_on=date(2025, 9, 12),
    outcome="Đã bãi bỏ " * 20,
)
DROPPED = replace(OPENED, owed=replace(CASE, state="not_owed"), progress=None)
FILED: Facts = {
    "id": 31,
    "code": "2.2",
    "title": CASE.case,
    "event_on": "2025-09-03",
    "due_on": "2025-10-03",
    "limit": {"days": 30, "words": WORDS},
}

QUESTION: Facts = {
    "code": "on_time",
    "label": "Trong đó, số hồ sơ đã đồng bộ, công khai trên Cổng DVC quốc gia",
    "unit": "hồ sơ",
    "type": "int",
    "mode": "C",
    "part_of": "received",
    "from": "2024-12-15",
    "to": "2025-09-14",
    "last": {"kind": "figure", "n": "3088"},
    "last_period": "6 tháng đầu năm 2025",
}
MONEY = QUESTION | {"type": "money", "unit": "triệu đồng", "mode": "P", "last": None}
PERCENT = QUESTION | {"type": "pct", "unit": "%", "mode": "S", "last": {"kind": "none"}}
FIGURE = {"kind": "figure", "n": "3330"}
PROMISE = {"kind": "promised", "on": "2025-09-20"}
AMBIGUOUS = {"kind": "ambiguous", "labels": {"1234": "1.234 hồ sơ", "1.234": "1,234 hồ sơ"}}
ANSWERS = [FIGURE, {"kind": "none"}, PROMISE, {"kind": "not_ours"}]
REPORT: Facts = {
    "id": 25,
    "code": "2.14",
    "task_code": "2.14",
    "title": ITEM.title,
    "period": "quý III năm 2025",
    "unit": LONG,
    "due_on": "2025-09-17",
    "is_requested": True,
    "on_behalf": False,
}
BEHALF = REPORT | {"is_requested": False, "on_behalf": True}
RATE = Indicator(
    code="x", label="x", formula="done / total", target=Target(op=">=", value=Decimal("98"), unit="%")
)
NOTHING_MEETS = RATE.model_copy(update={"nothing_meets": True})


def judged(indicator: Indicator, done: int, total: int) -> tuple[Indicator, Any]:
    return indicator, judge(indicator, {"done": Decimal(done), "total": Decimal(total)}, {})


VERDICTS = [judged(RATE, 99, 100), judged(RATE, 9, 10), judged(RATE, 0, 0), judged(NOTHING_MEETS, 0, 0)]
PERIOD = ReportingPeriod(
    id=3,
    code="2025-Q3",
    label="quý III năm 2025",
    data_from=ITEM.data_from,
    data_to=ITEM.data_to,
    unit_due=ITEM.due_on,
    province_due=date(2025, 9, 19),
    lock=ITEM.lock,
    effective_from=date(2025, 8, 11),
    is_archived=False,
)
TASK = TaskStanding("2.14", ITEM.title, MANY, VERDICTS)
STANDING = Standing(PERIOD, TODAY, [*MANY, DONE], [TASK] * 8, [ITEM] * 5, [], shipped_calendar())
ON_TIME = replace(STANDING, items=[ITEM, DONE], tasks=[], not_ours=[])
EMPTY = replace(STANDING, items=[], tasks=[], not_ours=[])
ROLES = ("staff", "head", "coordinator", "leader", "observer")
OFFERED = ("tasks", "report", "summary", "case", "snooze", "absence", "calendar", "members", "invite")
OTHERS = ("sticker", "voice", "photo", "document", "video", "contact", "location", "forward", "too_long", "odd")
BACKED_UP = SimpleNamespace(file="sao-luu.db", total=12345, rows={"unit": 7, "task": 30}, made_at=AT)

REHEARSED = SimpleNamespace(
    at=datetime(2025, 9, 15, 7, 30, tzinfo=UTC),
    reader=SimpleNamespace(name="Huỳnh Thanh Thảo", roles=("staff", "head"), units=("KT",)),
)
LATE_UNITS = [LateUnit(LONG, [LATE] * 4, [AT] * 2), LateUnit("KT", [LATE], [AT]), LateUnit("KT", [LATE_CASE], [])]
STAFF = [
    Colleague("Huỳnh Thanh Thảo", True, "Đặng Đăng Khoa", True),
    Colleague("Lê Ngọc Mai", False, None, False),
    Colleague("Phạm Minh Tuấn", True, None, False),
    Colleague("Bùi Hải Yến", False, None, True),
]
HEADED = [[("Phòng Kinh tế", STAFF)], [("Phòng Kinh tế", STAFF[1:3]), ("Văn phòng", [])], [("Văn phòng", [])]]
OUTAGE = OpenAlert(1, "outage", "x", {"what": "delivery", "from": AT.isoformat(), "to": AT.isoformat()}, AT)
TET = NamedSpan(date(2026, 2, 14), date(2026, 2, 22), False, "Tết Nguyên đán Bính Ngọ", False)
NEW_YEAR = NamedSpan(date(2025, 12, 31), date(2026, 1, 2), False, "Tết Dương lịch và ngày liền kề", True)
MADE_UP = NamedSpan(date(2026, 1, 10), date(2026, 1, 10), True, "Làm bù cho ngày 2/1", True)
MOVES = [
    Moved(3, "quý III năm 2025", ITEM.data_to, date(2025, 9, 17), date(2025, 9, 12), 21),
    Moved(4, "năm 2025", date(2025, 12, 14), date(2025, 12, 17), date(2025, 12, 16), 0),
]
MOVES_TO_TODAY = [replace(MOVES[0], new=TODAY, data_to=date(2025, 9, 14))]
SHIFT = Shift(
    3,
    "2025-Q3",
    "quý III năm 2025",
    *(date(2025, 9, 19), date(2025, 9, 28), date(2025, 9, 26)),
    *(date(2025, 9, 17), date(2025, 9, 24)),
    *(date(2025, 9, 20), date(2025, 9, 29)),
    21,
)

AWAY = Away(4, 5, TODAY, date(2025, 9, 19), 6, "Đặng Đăng Khoa")
TO_COME = replace(AWAY, id=5, from_on=date(2025, 10, 1), to_on=date(2025, 10, 1), stand_in=None, name=None)
LISTED = Listed(
    5, "Huỳnh Thanh Thảo", "0912345678", (Role("staff", 7, LONG), Role("head", 8, "X")), "no", AWAY, None
)
AT_WORK = replace(LISTED, roles=(Role("leader", None, None),), phone=None, reach="yes", away=None)
INVITED = Invited(5, "Trần Thị Mới", "staff", 7, LONG, AT, True)
TROUBLES = [
    Unreached("empty_unit", "unit:7", LONG, LONG),
    Unreached("away_unit", "unit:8", LONG, LONG, until=date(2025, 9, 30)),
    Unreached("blocked", "member:5", LISTED.name, LONG, "0912345678", None, "staff"),
    Unreached("never_joined", "invite:5", None, LONG, None, AT, "staff"),
    Unreached("never_joined", "invite:6", "Trần Thị Mới", None, None, AT, "leader"),
]
COUNTS = {"people": 12, "units": 6, "away": 1, "closed": 2, "without": 3}

FACTS: dict[str, Facts] = {
    "calendar": {
        "is_again": False,
        "was": None,
        "codes": ["2025-Q3", "2025-Y"],
        "data_to": date(2025, 9, 14),
        "day": date(2025, 9, 19),
        "earliest": date(2025, 9, 17),
        "latest": date(2027, 9, 17),
        "example": date(2025, 9, 19),
        "first": date(2026, 2, 22),
        "is_working": False,
        "label": "quý III năm 2025",
        "last": date(2026, 2, 14),
        "month": 2,
        "most": 28,
        "moves": MOVES,
        "name": "Tết Nguyên đán Bính Ngọ",
        "periods": [PERIOD, replace(PERIOD, label="năm 2025", unit_due=date(2025, 12, 17))],
        "shift": SHIFT,
        "span": Span(date(2026, 2, 14), date(2026, 2, 22)),
        "spans": [NEW_YEAR, MADE_UP, TET, TET, TET],
        "today": TODAY,
        "typed": "18/9",
        "year": 2027,
        "years": [2027, 2028],
    },
    "absence": {
        "is_again": False,
        "was": None,
        "at_most": 90,
        "absent": [("Đặng Đăng Khoa", AWAY)] * 5,
        "away": AWAY,
        "by": "Nguyễn Thị Lan",
        "day": date(2025, 9, 12),
        "days": 5,
        "first": TODAY,
        "has_begun": True,
        "has_colleagues": True,
        "has_some": True,
        "is_change": False,
        "known": [AWAY, TO_COME, TO_COME, TO_COME],
        "last": date(2025, 9, 19),
        "latest": date(2025, 12, 13),
        "name": "Huỳnh Thanh Thảo",
        "one": AWAY,
        "replaced": [Replaced(7, "Lê Ngọc Mai", TODAY, date(2025, 9, 30))],
        "stand_in": "Đặng Đăng Khoa",
        "today": TODAY,
        "unheard": {},
        "unreached": ["Lê Ngọc Mai"],
    },
    "asking": {
        "day": date(2026, 9, 14),
        "earliest": date(2024, 9, 15),
        "first": date(2026, 2, 22),
        "following": date(2025, 9, 22),
        "is_past": True,
        "is_since": False,
        "last": date(2026, 2, 14),
        "latest": TODAY,
        "length": 230,
        "month": 2,
        "most": 200,
        "span": Span(date(2026, 1, 14), date(2026, 2, 22)),
        "today": TODAY,
        "year": 2025,
    },
    "case": {
        "is_of_many": False,
        "among": [CASE, LATE_CASE, *[CASE] * 6],
        "case": OPENED,
        "cases": [OPENED] * 5,
        "closed_on": date(2025, 9, 12),
        "code": "2.2",
        "current": None,
        "day": date(2025, 9, 20),
        "days_late": 0,
        "due_on": date(2025, 10, 3),
        "event_on": date(2025, 9, 3),
        "facts": OPENED.facts,
        "field": WORDS["fields"][0],
        "file": FILED,
        "following": date(2025, 9, 22),
        "is_again": False,
        "is_known": True,
        "left": 14,
        "name": WORDS["event"],
        "new_due": date(2025, 9, 19),
        "new_event": date(2025, 8, 20),
        "outcome": "Đã bãi bỏ " * 20,
        "rest": 7,
        "task": {"code": "2.2", "title": ITEM.title, "limit": {"days": 30, "words": WORDS}},
        "title": CASE.case,
        "today": TODAY,
        "unit": LONG,
        "was": None,
        "words": WORDS,
        "zone": "Asia/Ho_Chi_Minh",
    },
    "cancel": {"is_sent": False, "count": 3, "code": "2.14", "title": ITEM.title},
    "care": {
        "at": AT,
        "count": 2,
        "done": BACKED_UP,
        "file": "sao-luu.db",
        "folder": "data",
        "found": "0001",
        "free_mb": 81234,
        "known": "0002",
        "mark": "✓",
        "minutes": 130,
        "ms": "0.46",
        "name": "UBND xã Phú Tân",
        "names": ["DATA_DIR"],
        "place": "data/dondoc.db",
        "reason": "ConnectError",
        "seconds": 90,
        "table": "unit",
        "title": FILE.plan.title,
        "what": "Input should be a valid integer",
        "year": 2025,
        "zone": "Asia/Ho_Chi_Minh",
    },
    "cli": {
        "is_working": False,
        "option": "--from",
        "typed": "31/2/2025",
        "address": "http://127.0.0.1:8080",
        "code": "ABCD2345",
        "found": "0002",
        "is_past": False,
        "known": "0001",
        "name": "LISTEN",
        "role": "boss",
        "roles": ROLES,
        "title": FILE.plan.title,
        "unit": "X",
        "units": ["KT", "VP"],
        "what": "Input should be a valid integer",
        "year": 2025,
    },
    "alerts": {"outages": [OUTAGE], "people": TROUBLES, "rest": 3, "zone": "Asia/Ho_Chi_Minh"},
    "deadlines": {
        "headed": [],
        "left": [2] * 8,
        "left_open": MANY[0],
        "owed": MANY,
        "put_off": 2,
        "shown": MANY[:5],
        "today": TODAY,
        "tone": "urge",
        "total": 8,
    },
    "digest": {"absent": [], "today": TODAY},
    "lateness": {
        "is_weekly": False,
        "late": [LATE] * 8,
        "rest": [LATE_UNITS[0]] * 9,
        "shown": LATE_UNITS * 2,
        "units": LATE_UNITS * 5,
        "today": TODAY,
        "zone": "Asia/Ho_Chi_Minh",
    },
    "rehearsal": {
        "count": 316,
        "day": TODAY,
        "days": [(TODAY, [REHEARSED] * 8)] * 8,
        "file": "tin-nhac.csv",
        "first": TODAY,
        "given": "all",
        "is_new_day": True,
        "known": ["as-it-stands", "nobody"],
        "last": date(2025, 9, 29),
        "lines": ["Nhắc việc thứ Hai, 15/9"],
        "one": REHEARSED,
        "people": 11,
        "rest": 3,
        "whys": [("KT 2.9 2025-Q3", "+1")] * 8,
        "year": 2025,
    },
    "silence": {"headed": [], "items": [ITEM] * 4, "rest": 1, "shown": [ITEM] * 2, "silent": [(7, ITEM)] * 3},
    "snooze": {
        "is_again": False,
        "was": None,
        "at": time(13, 30),
        "count": 3,
        "day": date(2025, 9, 16),
        "due_on": date(2025, 9, 17),
        "is_past_due": True,
        "among": [ITEM, CASE],
        "item": ITEM,
        "items": [{"label": "2.14 Công khai tiến độ, kết quả…", "due_on": "2025-09-17", "until_on": "2025-09-16"}]
        * 7,
        "last": date(2025, 10, 15),
        "last_on": date(2025, 9, 17),
        "next": date(2025, 9, 22),
        "owed": [ITEM, CASE],
        "soon": MANY,
        "today": TODAY,
        "until_on": date(2025, 9, 20),
    },
    "help": {
        "lines": [label(f"{name}.as_help") for name in OFFERED],
        "is_talking": True,
        "name": "Nguyễn Thị Lan",
        "role": "staff",
        "roles": [("coordinator", None), ("head", LONG)],
    },
    "invite": {
        "code": "ABCD2345",
        "days": 14,
        "link": "https://t.me/b?start=ABCD2345",
        "role": "head",
        "unit": LONG,
    },
    "members": {
        "by": "Nguyễn Thị Lan",
        "count": 9,
        "counts": COUNTS,
        "invitations": [INVITED, replace(INVITED, name=None, is_expired=False), INVITED, INVITED],
        "trouble": TROUBLES[0],
        "name": LONG,
        "one": LISTED,
        "people": [
            LISTED,
            AT_WORK,
            replace(LISTED, reach="yes", away=None, next_away=TO_COME),
            replace(LISTED, reach="never", next_away=TO_COME),
            LISTED,
        ],
        "phone": "0912345678",
        "today": TODAY,
        "troubles": TROUBLES,
        "unit_id": 7,
        "was": None,
        "written": None,
        "zone": "Asia/Ho_Chi_Minh",
    },
    "numbers": {"part": FIGURE, "question": QUESTION, "total": {"kind": "figure", "n": "3390"}},
    "page": {"at": AT, "number": 2},
    "plan": {
        "allowed": ["C", "P"],
        "character": "U+0007",
        "column": 4,
        "data_from": date(2025, 6, 15),
        "data_to": date(2025, 9, 14),
        "earlier": "data_to",
        "effective": FILE.plan.effective_from,
        "ended": list(FILE.periods),
        "field": "lead",
        "first": date(2025, 9, 14),
        "formula": "done / total",
        "gaps": 3,
        "given": "KTX",
        "kind": "question",
        "labels": ["quý III năm 2025"],
        "later": "lock",
        "least": 0,
        "line": 12,
        "most": 20,
        "name": "KTX",
        "owed": 69,
        "past": 40,
        "path": "plans/x.yaml",
        "periods": ["2025-Q3", "2025-Y"],
        "plan": FILE,
        "problem": "mapping values are not allowed here",
        "renewals": [SimpleNamespace(code="2.2", text="Nghị định 09/2019/NĐ-CP")],
        "role": "leader",
        "days": 3,
        "rows": [("Phòng Kinh tế", [9, 12])],
        "then": date(2025, 9, 10),
        "unit_due": date(2025, 9, 10),
        "words": "thiếu “lead”",
        "year": 2026,
    },
    "report": {
        "code": "2025-H1",
        "count": 3,
        "data_to": date(2025, 9, 14),
        "day": date(2026, 9, 14),
        "lines": [(QUESTION, answer) for answer in ANSWERS],
        "owed": REPORT,
        "is_again": False,
        "found": [ITEM],
        "is_past": False,
        "position": 2,
        "promised": date(2025, 9, 20),
        "question": QUESTION,
        "rest": 5,
        "zone": "Asia/Ho_Chi_Minh",
        "today": TODAY,
        "total": {"kind": "figure", "n": "3390"},
        "value": FIGURE,
        "verdicts": VERDICTS[:2],
        "was": None,
        "with_title": True,
    },
    "start": {
        "is_again": False,
        "was": "Nguyễn Lan",
        "name": "Nguyễn Thị Lan",
        "organization": "UBND xã Phú Tân",
        "role": "staff",
        "unit": LONG,
    },
    "summary": {
        "code": "2024-Q3",
        "found": STANDING,
        "is_whole": True,
        "is_named": True,
        "put_off": {25: AT, 26: AT},
        "zone": "Asia/Ho_Chi_Minh",
        "rest": 7,
        "rows": [],
        "item": ITEM,
    },
    "talk": {
        "at": AT,
        "labels": ["Không phát sinh", "Chưa có số liệu"],
        "likely": "/nhaclai 2.9",
        "name": "Nguyễn Thị Lan",
        "what": "sticker",
        "word": "boacao",
        "zone": "Asia/Ho_Chi_Minh",
    },
    "tasks": {
        "among": MANY,
        "item": ITEM,
        "owed": MANY[:5],
        "put_off": {item.id: AT for item in MANY},
        "rest": 7,
        "today": TODAY,
        "zone": "Asia/Ho_Chi_Minh",
    },
}
"""What the blocks of each file may be given."""

NOBODY: Facts = {"stand_in": None, "has_colleagues": False, "replaced": []}
OWN: list[Facts] = [
    {},
    {"name": None},
    {"stand_in": None},
    NOBODY,
    NOBODY | {"unheard": {LONG: (TODAY, date(2025, 9, 19)), "Phòng Kinh tế": (TODAY, TODAY)}},
    NOBODY | {"unheard": {LONG: (TODAY, TODAY)}, "last": TODAY},
]
VARIANTS: dict[str, list[Facts]] = {
    "calendar.coming": [{}, {"spans": [], "periods": []}, {"spans": [MADE_UP], "today": date(2026, 1, 2)}],
    "calendar.days": [{}, {"is_working": True}, {"was": "2026-02-14..2026-02-22", "is_again": True}],
    "calendar.province": [{}, {"was": "2025-09-20", "is_again": True}],
    "calendar.name": [{}, {"was": "Tết", "is_again": True}, {"is_working": True, "span": Span(TODAY, TODAY)}],
    "calendar.past": [{}, {"typed": "19/9/2025"}],
    "calendar.not_a_name": [{}, {"is_working": True}],
    "calendar.confirm_add": [{}, {"is_working": True}, {"moves": []}],
    "calendar.added": [{}, {"is_working": True}, {"moves": []}, {"moves": MOVES_TO_TODAY}],
    "calendar.confirm_remove": [{}, {"moves": []}, {"spans": [TET] * 7}],
    "calendar.removed": [{}, {"moves": []}, {"spans": [TET] * 7}],
    "calendar.confirm_shift": [
        {},
        {"today": date(2025, 9, 25)},
        {"shift": replace(SHIFT, province=date(2025, 9, 26), units=SHIFT.old_units, lock=SHIFT.old_lock)},
    ],
    "calendar.loaded": [{}, {"moves": []}],
    "calendar.no_such_period": [{}, {"codes": []}],
    "calendar.table": [{}, {"spans": []}, {"spans": [MADE_UP]}],
    "calendar.label_span": [{"span": NEW_YEAR}, {"span": MADE_UP}],
    "absence.confirm": [*OWN, {"is_change": True, "last": TODAY}],
    "absence.ended": [{}, {"name": None}, {"has_begun": False}, {"name": None, "has_begun": False}],
    "absence.from_day": [{}, {"name": None}, {"was": "2025-09-20", "is_again": True}],
    "absence.to_day": [{}, {"was": "2025-09-20", "is_again": True}],
    "absence.known": [{}, {"name": None, "known": [TO_COME]}],
    "absence.label_change": [{}, {"one": TO_COME}],
    "absence.label_end": [{}, {"one": TO_COME}],
    "absence.label_one": [{"one": LISTED}],
    "absence.overlaps": [{}, {"name": None}],
    "absence.saved": OWN,
    "absence.stand_in": [{}, {"name": None}, {"has_some": False}, {"absent": [], "unreached": []}],
    "absence.told_away": [{}, {"stand_in": None}],
    "absence.told_ended": [
        {"by": by, "has_begun": has_begun}
        for by in ("Nguyễn Thị Lan", "Huỳnh Thanh Thảo")
        for has_begun in (True, False)
    ],
    "absence.told_ended_for": [{}, {"has_begun": False}],
    "absence.told_relieved": [{}, {"by": "Huỳnh Thanh Thảo"}],
    "absence.told_stand_in": [{}, {"by": "Huỳnh Thanh Thảo"}],
    "members.card": [{}, {"one": AT_WORK}, {"one": replace(LISTED, reach="never", next_away=TO_COME)}],
    "members.label_phone": [{}, {"was": "0912345678"}],
    "members.overview": [{}, {"troubles": [], "count": 0, "counts": COUNTS | dict.fromkeys(COUNTS, 0)}],
    "members.phone": [{}, {"written": "0912345678"}],
    "members.troubles": [{}, {"count": 0, "troubles": []}],
    "members.unit": [{}, {"people": [], "count": 0, "invitations": [], "trouble": None}, {"trouble": TROUBLES[1]}],
    "members.written": [{}, {"phone": None}],
    "asking.day_outside": [
        {},
        {"day": date(2024, 9, 14)},
        {"day": date(2024, 9, 14), "is_since": True},
        {"day": date(2026, 9, 16), "earliest": TODAY, "latest": date(2026, 9, 15)},
        {"day": TODAY, "earliest": date(2025, 9, 16), "latest": date(2025, 10, 15)},
        {"day": date(2025, 9, 12), "earliest": TODAY, "latest": date(2025, 10, 15)},
    ],
    "asking.day_off": [
        {"day": date(2025, 9, 20), "latest": date(2025, 10, 15)},
        {"day": date(2025, 9, 20), "latest": date(2025, 9, 21)},
        {"day": date(2024, 9, 21), "following": date(2024, 9, 23), "latest": TODAY},
    ],
    "asking.no_such_day": [
        {"day": 29, "most": 28},
        {"day": 31, "month": 4, "year": None, "most": 30},
        {"day": 31, "month": 2, "year": None, "most": 29},
        {"day": 5, "month": 13, "year": None, "most": None},
    ],
    "asking.not_a_day": [{}, {"is_past": False}],
    "case.card": [
        {},
        {"case": replace(OPENED, facts={"after_event": "trước ngày 30 tháng 11"}, opened_by=None)},
        {"case": CLOSED},
        {"case": DROPPED},
        {"case": replace(CLOSED, outcome=None)},
    ],
    "case.closing": [{}, {"days_late": 3, "outcome": None}],
    "case.confirm": [{}, {"due_on": date(2025, 9, 10), "is_known": False}],
    "case.due": [{}, {"current": TODAY}, {"was": "2025-09-20"}, {"was": "2025-09-20", "is_again": True}],
    "case.event": [{}, {"current": TODAY}, {"was": "2025-09-20", "is_again": True}],
    "case.fact": [
        {},
        {"current": "x" * 200},
        {"was": "x" * 200, "is_again": True},
        {"field": WORDS["fields"][0] | {"example": None}},
    ],
    "case.list_done": [
        {"cases": [CLOSED] * 5},
        {"cases": [CLOSED] * 5, "is_of_many": True},
        {"cases": [replace(CLOSED, closed_on=TODAY)]},
        {"cases": []},
    ],
    "case.list_open": [{}, {"is_of_many": True}, {"cases": []}],
    "case.done_on": [{}, {"was": "2025-09-20", "is_again": True}],
    "case.outcome": [{}, *({"was": was, "is_again": True} for was in ({"kind": "nothing"}, "Đã bãi bỏ " * 20))],
    "case.progress": [{}, {"was": "Đang " * 40, "is_again": True}],
    "case.moving": [{}, {"new_event": date(2025, 9, 3), "new_due": date(2025, 10, 3)}],
    "cancel.kept": [{}, {"count": 0}, {"is_sent": True}],
    "care.plan_missing": [{}, {"name": None}],
    "care.settings": [{}, {"names": []}],
    "cli.no_such_unit": [{}, {"unit": None}],
    "rehearsal.brief": [{}, {"count": 0}],
    "rehearsal.message": [{}, {"is_new_day": False, "whys": [("blocked", "alert")]}],
    "rehearsal.total": [{}, {"file": None}, {"count": 0, "file": None, "year": 2026}],
    "alerts.section": [{}, {"people": []}, {"outages": [replace(OUTAGE, facts=OUTAGE.facts | {"what": "ticks"})]}],
    "deadlines.section": [
        {},
        {"put_off": 0},
        {"put_off": 3},
        {"owed": [ITEM], "put_off": 0, "shown": [ITEM]},
        {"owed": [ASKED], "put_off": 0, "shown": [ASKED]},
        {"today": date(2025, 9, 9), "owed": [ITEM] * 3, "shown": [ITEM]},
        {"today": date(2025, 9, 9), "owed": [ASKED], "put_off": 0, "shown": [ASKED]},
        {"owed": [ITEM], "put_off": 0, "shown": [ITEM], "tone": "escalated"},
        *(
            {"owed": [ITEM] * 5, "put_off": 0, "headed": headed, "left_open": None, "tone": "escalated"}
            for headed in HEADED
        ),
        {"today": date(2025, 9, 9), "owed": [ITEM, CASE], "put_off": 0, "shown": [ITEM, CASE]},
        {"owed": [CASE], "put_off": 0, "shown": [CASE]},
        {"owed": [ASKED_CASE, ASKED], "put_off": 0, "shown": [ASKED_CASE, ASKED]},
    ],
    "silence.section": [{}, *({"headed": headed} for headed in HEADED)],
    "digest.heading": [
        {},
        {"absent": [("Lê Ngọc Mai", "Phòng VH-XH", "staff"), ("Nguyễn Thị Lan", None, "coordinator")]},
    ],
    "alerts.brief": [{}, {"people": TROUBLES[3:4]}, {"people": []}, {"outages": []}],
    "lateness.brief": [{}, {"units": LATE_UNITS[2:]}],
    "silence.brief": [{}, {"items": [ITEM], "shown": [ITEM]}],
    "lateness.section": [{}, {"is_weekly": True, "shown": LATE_UNITS, "rest": []}],
    "snooze.day": [{}, {"was": "2025-09-20", "is_again": True}],
    "snooze.label_next_day": [{}, {"day": date(2025, 9, 22)}],
    "snooze.past": [
        {},
        {"due_on": date(2025, 9, 21), "last_on": date(2025, 9, 19)},
        {"due_on": TODAY, "last_on": TODAY},
        {"due_on": date(2025, 9, 21), "last_on": TODAY},
    ],
    "snooze.when": [
        {},
        {"items": [{"label": "2.14 Công khai", "due_on": "2025-09-17", "until_on": None}]},
        {"items": [{"label": "2.14 Công khai", "due_on": "2025-09-17", "until_on": "2025-09-15"}]},
    ],
    "snooze.today": [{}, {"items": [{"label": "2.14 Công khai"}]}],
    "snooze.put_off": [{}, {"items": [{"label": "2.14 Công khai"}], "is_past_due": False}],
    "snooze.taken_back": [{}, {"items": [{"label": "2.14 Công khai", "due_on": "2025-09-17"}]}],
    "help.overview": [{}, {"lines": ["/tonghop – tình hình cả kỳ"], "is_talking": False}],
    "help.role": [{"role": role} for role in ROLES],
    "invite.made": [{}, {"link": None, "unit": None, "role": "leader"}],
    "invite.qr": [{}, {"unit": None}],
    "invite.confirm": [{}, {"unit": None, "role": "observer"}],
    "numbers.not_whole": [{}, {"question": MONEY}],
    "plan.fault": [{}, {"line": None, "given": None}],
    "plan.fault_bad_name": [{"kind": kind} for kind in ("question", "baseline")],
    "plan.fault_duplicate_code": [
        {"kind": kind} for kind in ("unit", "period", "task", "indicator", "question", "baseline")
    ],
    "plan.fault_out_of_range": [{}, {"least": None}, {"most": None}],
    "plan.loaded": [{}, {"past": 0, "ended": []}],
    "plan.show": [{"periods": [("2025-Q3", FILE.periods[0], TODAY)]}],
    "plan.sound": [{}, {"gaps": 0}],
    "report.confirm": [
        {},
        {"owed": BEHALF},
        {"owed": REPORT | {"sent_at": "2025-09-15T07:00:00+00:00"}},
        {"verdicts": VERDICTS[2:]},
        {"lines": [(MONEY, FIGURE | {"n": "18500000000"})]},
    ],
    "report.doubt_below": [{}, {"value": {"kind": "none"}}],
    "report.noted": [{"value": answer, "named": named} for answer in ANSWERS for named in (True, False)],
    "report.of_period": [{}, {"found": []}, {"is_past": True}, {"found": [DONE]}],
    "report.question": [
        {},
        {"owed": BEHALF},
        {"was": FIGURE, "is_again": True},
        {"was": AMBIGUOUS, "is_again": True},
        {"question": MONEY, "with_title": False},
        {"question": PERCENT, "position": 1},
        *({"was": answer} for answer in (*ANSWERS, {"kind": "not_yet"}, AMBIGUOUS)),
    ],
    "report.promise": [{}, {"was": "2025-09-20", "is_again": True}],
    "report.sent": [
        {},
        {"owed": BEHALF},
        {"owed": BEHALF, "rest": 0, "promised": None},
        {"promised": date(2026, 1, 13)},
        {"promised": date(2025, 9, 17)},
        {"promised": None},
        {"rest": 0},
        {"rest": 0, "promised": None},
    ],
    "start.consent": [{"role": role, "unit": unit} for role in ROLES for unit in (LONG, None)] + [{"name": None}],
    "start.name": [{}, {"is_again": True}],
    "start.welcome": [{}, {"unit": None}],
    "summary.overview": [
        *({"found": replace(STANDING, cases=cases)} for cases in ([], [CASE], [CASE, LATEST_CASE])),
        {"found": replace(STANDING, cases=[LATEST_CASE]), "is_whole": False},
        {"found": replace(ON_TIME, cases=[CASE])},
        {"found": replace(EMPTY, cases=[LATE_CASE])},
        {"found": EMPTY},
    ],
    "summary.unit": [{"rows": list(STANDING.by_unit().items())}],
    "summary.task": [{"rows": [TASK] * 8}],
    "summary.missing": [{"rows": MANY}, {"rows": MANY, "is_named": False}, {}, {"found": EMPTY}],
    "summary.no_period": [{}, {"code": None}],
    "talk.cannot_skip": [{}, {"labels": []}],
    "talk.no_such_command": [{"word": "nhac"}, {"word": "", "likely": None}, {"word": "abc", "likely": None}],
    "talk.unreadable": [{"what": what} for what in OTHERS],
    "tasks.list": [
        {},
        {"owed": MANY[3:], "put_off": {}},
        *({"owed": some, "among": some} for some in ([ITEM], [CASE], [ITEM, CASE], [ASKED])),
        {"owed": [ASKED_CASE], "among": [ASKED_CASE]},
    ],
    "tasks.label_report": [{}, {"among": [ITEM]}, {"item": CASE}, {"item": replace(CASE, case="Quyết định 5")}],
}
VARIANTS |= {
    name: [{"question": question} for question in (QUESTION, MONEY, PERCENT)]
    for name in blocks()
    if name.startswith("numbers.") and name not in VARIANTS
}
CASES = [
    pytest.param(name, FACTS[name.partition(".")[0]] | variant, id=f"{name}-{position}")
    for name in blocks()
    for position, variant in enumerate(VARIANTS.get(name, [{}]))
]
CHATS = {
    "calendar",
    "cancel",
    "alerts",
    "deadlines",
    "digest",
    "help",
    "invite",
    "lateness",
    "numbers",
    "report",
    "rehearsal",
    "silence",
    "snooze",
    "asking",
    "case",
    "start",
    "summary",
    "talk",
    "tasks",
    *("absence", "cancel", "digest", "help", "invite", "members", "numbers"),
    *("report", "start", "summary", "talk", "tasks"),
}
TERMINAL = {"care", "cli", "plan"}
SLIPS = re.compile(
    r"None|ndefined|\{\{|\{%|<(?!/?[bi]>)"  # what a template leaves behind
    r"|[^ ]  +[^ ]| [,.;:?](?=\s|$)|\(\)|\.\.|[,:;]\.|\( | \)"  # what a missing word leaves behind
)
VERBATIM = {"plan.burden", "plan.show", "plan.renewals", "plan.fault_bad_formula"}
"""A table spaced for the terminal; a plan's own words; signs."""
LISTS = {"tasks.list", "deadlines.section"}
VERBATIM = {"plan.burden", "plan.show", "plan.renewals", "plan.fault_bad_formula", "cli.help_calendar_days"}
"""A table spaced for the terminal; a plan's own words; signs; the dots of a range."""
LISTS = {"tasks.list", "digest.text"}
"""Eight or five lines at their longest: every item of another unit and period."""
LISTS = {"tasks.list", "digest.text", "members.unit"}
"""Eight or five lines at their longest: every item of another unit and period; everybody in some trouble."""


def test_no_sample_is_left_of_a_block_that_is_gone() -> None:
    assert set(VARIANTS) <= set(blocks())
    assert set(FACTS) == {name.partition(".")[0] for name in blocks()}


@pytest.mark.parametrize(("name", "facts"), CASES)
def test_a_sentence_is_whole_calm_and_well_formed(name: str, facts: Facts) -> None:
    text = str(say(name, **facts))
    assert text == text.strip()
    assert text
    assert unicodedata.is_normalized("NFC", text)
    assert not SLIPS.search("" if name in VERBATIM else text), text
    assert "!" not in text
    assert not [char for char in text if unicodedata.category(char) == "So" and char not in "✓✗"]
    assert "\n\n\n" not in text


@pytest.mark.parametrize(("name", "facts"), [case for case in CASES if str(case.id).partition(".")[0] in CHATS])
def test_a_message_fits_a_phone(name: str, facts: Facts) -> None:
    text = plain(name, **facts)
    assert len(text.splitlines()) <= 14, text
    assert len(text) <= (900 if name in LISTS else 700), text


@pytest.mark.parametrize(("name", "facts"), [case for case in CASES if str(case.id).partition(".")[0] in CHATS])
def test_days_late_or_left_say_which_days_they_are(name: str, facts: Facts) -> None:
    text = plain(name, **facts)
    assert not re.search(r"(hạn|hẹn|đã quá|chậm|còn) \d+ ngày(?! lịch| làm việc)", text), text


@pytest.mark.parametrize(("name", "facts"), [case for case in CASES if ".label_" in str(case.id)])
def test_a_label_fits_a_button(name: str, facts: Facts) -> None:
    label = plain(name, **facts)
    assert len(label) <= 40
    assert "\n" not in label
    assert label[0].isupper()


def test_labels_of_one_question_are_told_apart_without_diacritics() -> None:
    together = ["report.label_none", "report.label_not_yet", "report.label_not_ours", "talk.label_back"]
    assert len({fold(plain(name)) for name in together}) == len(together)


def test_a_summary_opens_with_at_most_five_lines() -> None:
    facts = FACTS["summary"]
    for variant in VARIANTS["summary.overview"]:
        assert len(say("summary.overview", **(facts | variant)).splitlines()) <= 5


def test_a_missing_fact_is_an_error_and_never_an_empty_place() -> None:
    with pytest.raises(jinja2.UndefinedError):
        say("cancel.kept")
    with pytest.raises(KeyError):
        say("cancel.no_such_block")


def test_what_people_write_is_escaped() -> None:
    assert "<i>" not in say("talk.no_such_command", word="<i>", likely=None)
    assert plain("talk.no_such_command", word="<x>", likely=None).startswith('Không có lệnh "<x>"')


@pytest.mark.parametrize("name", sorted(name for name in blocks() if name.partition(".")[0] in CHATS))
def test_the_tone_is_that_of_an_office(name: str) -> None:
    for variant in VARIANTS.get(name, [{}]):
        text = plain(name, **(FACTS[name.partition(".")[0]] | variant)).casefold()
        assert not re.search(r"\b(bạn|mày|tao|nhé|nha|ok|oops|vui lòng|bot của)\b", text), text


def test_every_block_stands_in_a_file_the_program_knows() -> None:
    assert {name.partition(".")[0] for name in blocks()} <= CHATS | TERMINAL | {"page"}


def test_where_nothing_can_be_written_templates_are_compiled_all_the_same(tmp_path: Path) -> None:
    kept, nowhere = CompiledTemplates(), CompiledTemplates()
    kept.directory, nowhere.directory = str(tmp_path / "kept"), str(tmp_path / "is" / "not")
    for cache in (kept, nowhere):
        loader = jinja2.DictLoader({"one.j2": "Kính gửi {{ name }}"})
        template = jinja2.Environment(loader=loader, bytecode_cache=cache).get_template("one.j2")
        assert template.render(name="anh Ba") == "Kính gửi anh Ba"
    assert len(list((tmp_path / "kept").iterdir())) == 1
