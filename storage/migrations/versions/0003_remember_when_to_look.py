"""Know when to look at each obligation, what cases are about, and what coordinators are to be told"""

from datetime import date

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

AT_ONCE = date(1970, 1, 1)
OF_A_LINE = {"uq": "uq_%(table_name)s_%(column_0_name)s"}


def upgrade() -> None:
    with op.batch_alter_table("organization") as organization:
        organization.add_column(sa.Column("surveyed_on", sa.Date(), nullable=True))
    with op.batch_alter_table("plan") as plan:
        plan.add_column(sa.Column("ladder", sa.JSON(), nullable=True))
    with op.batch_alter_table("period") as period:
        period.add_column(sa.Column("is_edited", sa.Boolean(), nullable=False, server_default="0"))
    op.create_index("ix_membership_role", "membership", ["organization_id", "role"])
    op.create_index("ix_digest_day", "digest", ["organization_id", "day"])
    _obligations()
    _cases_and_alerts()
    _reminders()


def _obligations() -> None:
    with op.batch_alter_table("obligation") as obligation:
        obligation.add_column(sa.Column("alive_at", sqltypes.UTCDateTime(), nullable=True))
        obligation.add_column(sa.Column("rungs_from", sa.Date(), nullable=True))
        obligation.add_column(sa.Column("look_on", sa.Date(), nullable=True))
        obligation.add_column(sa.Column("wakes", sa.Integer(), nullable=False, server_default="0"))
    obligation_rows = sa.table("obligation", sa.column("look_on", sa.Date()))
    op.execute(obligation_rows.update().values(look_on=AT_ONCE))
    to_look_at, promised = sa.text("look_on IS NOT NULL"), sa.text("promised_on IS NOT NULL")
    with op.batch_alter_table("obligation") as obligation:
        obligation.create_index("ix_obligation_task", ["task_id", "unit_id", "due_on"])
        obligation.create_index(
            "ix_obligation_promised",
            ["organization_id", "promised_on"],
            sqlite_where=promised,
            postgresql_where=promised,
        )
        obligation.create_index(
            "ix_obligation_look",
            ["organization_id", "look_on"],
            sqlite_where=to_look_at,
            postgresql_where=to_look_at,
        )


def _cases_and_alerts() -> None:
    op.create_table(
        "casefile",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("obligation_id", sa.Integer(), nullable=False),
        sa.Column("title", sqltypes.AutoString(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("event_on", sa.Date(), nullable=False),
        sa.Column("progress", sqltypes.AutoString(), nullable=True),
        sa.Column("progress_at", sqltypes.UTCDateTime(), nullable=True),
        sa.Column("opened_by", sa.Integer(), nullable=True),
        sa.Column("opened_at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("closed_by", sa.Integer(), nullable=True),
        sa.Column("outcome", sqltypes.AutoString(), nullable=True),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"]),
        sa.ForeignKeyConstraint(["obligation_id"], ["obligation.id"]),
        sa.ForeignKeyConstraint(["opened_by"], ["member.id"]),
        sa.ForeignKeyConstraint(["closed_by"], ["member.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("obligation_id"),
    )
    op.create_index("ix_casefile_organization_id", "casefile", ["organization_id"])
    op.create_table(
        "alert",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("kind", sqltypes.AutoString(), nullable=False),
        sa.Column("subject", sqltypes.AutoString(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("since", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("ended_at", sqltypes.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    is_open = sa.text("ended_at IS NULL")
    op.create_index(
        "ux_alert_open",
        "alert",
        ["organization_id", "kind", "subject"],
        unique=True,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
    op.create_table(
        "heartbeat",
        sa.Column("name", sqltypes.AutoString(), nullable=False),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def _reminders() -> None:
    with op.batch_alter_table("snooze") as snooze:
        snooze.add_column(sa.Column("is_past_due", sa.Boolean(), nullable=False, server_default="0"))
        snooze.add_column(
            sa.Column("at", sqltypes.UTCDateTime(), nullable=False, server_default="1970-01-01 00:00:00")
        )
        snooze.create_index("ix_snooze_obligation", ["obligation_id", "member_id"])
    of_an_alert = sa.text("alert_id IS NOT NULL")
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    old = "uq_reminder_digest_id" if is_sqlite else "reminder_digest_id_obligation_id_rung_key"
    with op.batch_alter_table("reminder", naming_convention=OF_A_LINE) as reminder:
        reminder.drop_constraint(old, type_="unique")
        reminder.add_column(sa.Column("kind", sqltypes.AutoString(), nullable=False, server_default="due"))
        reminder.add_column(sa.Column("alert_id", sa.Integer(), nullable=True))
        reminder.alter_column("obligation_id", existing_type=sa.Integer(), nullable=True)
        reminder.create_foreign_key("fk_reminder_alert_id", "alert", ["alert_id"], ["id"])
        reminder.create_unique_constraint(
            "uq_reminder_line", ["digest_id", "member_id", "kind", "obligation_id", "rung"]
        )
        reminder.create_index("ix_reminder_digest_id", ["digest_id"])
        reminder.create_index(
            "ix_reminder_alert_id", ["alert_id"], sqlite_where=of_an_alert, postgresql_where=of_an_alert
        )
