"""A PostgreSQL database of a test's own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

SERVER = os.environ.get("TEST_POSTGRES_URL", "postgresql://root@127.0.0.1:5432/test")


@contextmanager
def scratch_database(copied: str = "") -> Iterator[str]:
    """The URL of a new database, dropped at the end: empty, or a copy of the one at the URL `copied`, which nobody
    may be using. Without a server the test skips, in CI it fails."""
    try:
        server = psycopg.connect(SERVER, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError as error:
        why = f"no PostgreSQL server to test with (TEST_POSTGRES_URL): {error}"
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    name = f"dondoc_test_{uuid4().hex[:12]}"
    made = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
    if copied:
        made += sql.SQL(" TEMPLATE {}").format(sql.Identifier(make_url(copied).database or ""))
    with server:
        server.execute(made)
        try:
            yield make_url(SERVER).set(database=name).render_as_string(hide_password=False)
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
