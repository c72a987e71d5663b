"""Who: the commune, its units, the people and how they are reached."""

from datetime import date, datetime, time

from sqlmodel import Field, Index, SQLModel, UniqueConstraint


class Organization(SQLModel, table=True):
    """One commune. `join_link` holds {code} and is set when a platform that has such links starts."""

    id: int | None = Field(default=None, primary_key=True)
    code: str = Field(unique=True)
    name: str
    superior: str
    through: str | None = None
    coordinator_code: str
    timezone: str
    office_from: time = time(7, 30)
    office_to: time = time(17, 0)
    join_link: str | None = None
    surveyed_on: date | None = None
    """The local day on which a tick last looked who can be reached."""
    is_demo: bool = False


class Unit(SQLModel, table=True):
    __table_args__ = (UniqueConstraint("organization_id", "code"),)
    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id")
    code: str
    name: str
    short: str
    kind: str
    reports: bool | None = None


class Member(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id", index=True)
    name: str
    phone: str | None = None
    joined_at: datetime


class Membership(SQLModel, table=True):
    """A role of a person, in a unit or (unit_id None) for the whole commune."""

    __table_args__ = (
        UniqueConstraint("member_id", "unit_id", "role"),
        Index("ix_membership_role", "organization_id", "role"),
    )
    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id")
    member_id: int = Field(foreign_key="member.id", index=True)
    unit_id: int | None = Field(default=None, foreign_key="unit.id", index=True)
    role: str


class Account(SQLModel, table=True):
    """A chat on one platform. Without a member it is a stranger's, who can do nothing but join."""

    __table_args__ = (UniqueConstraint("channel", "chat_id"),)
    id: int | None = Field(default=None, primary_key=True)
    organization_id: int | None = Field(default=None, foreign_key="organization.id")
    member_id: int | None = Field(default=None, foreign_key="member.id", index=True)
    channel: str
    chat_id: str
    is_reachable: bool = True


class Invite(SQLModel, table=True):
    """A joining code, known only by its hash."""

    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id")
    unit_id: int | None = Field(default=None, foreign_key="unit.id")
    role: str
    name: str | None = None
    code_hash: str = Field(unique=True)
    uses_left: int = 1
    expires_at: datetime
    created_by: int | None = Field(default=None, foreign_key="member.id")
