"""Find what a unit owes without looking at the others"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("obligation") as obligation:
        obligation.drop_index("ix_obligation_unit_id")
        obligation.create_index("ix_obligation_unit", ["unit_id", "due_on"])
