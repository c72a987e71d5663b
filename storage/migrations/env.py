"""How Alembic meets our tables; the connection comes from storage.store."""

from alembic import context

from storage import tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables.Account.metadata,
    render_as_batch=True,
    user_module_prefix="sqltypes.",
)
with context.begin_transaction():
    context.run_migrations()
