"""Alembic migrations, one purpose each."""
