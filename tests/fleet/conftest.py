"""A real PostgreSQL for the centre's tests, with a new database for each of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from benchd.lab.demo.private_postgres import Cluster, private_cluster

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    with private_cluster() as running:
        yield running


@pytest.fixture
def conninfo(postgres: Cluster) -> str:
    """The address of an empty database."""
    name = f"fleet_{next(_numbers)}"
    with psycopg.connect(postgres.conninfo(), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return postgres.conninfo(name)
