"""Find what a unit owes, and what a chat shows, without looking at the others"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("obligation") as obligation:
        obligation.drop_index("ix_obligation_unit_id")
        obligation.create_index("ix_obligation_unit", ["unit_id", "due_on"])
    with op.batch_alter_table("outgoing") as outgoing:
        outgoing.drop_index("ix_outgoing_chat")
        outgoing.create_index("ix_outgoing_chat_sent", ["account_id", "sent_at"])
