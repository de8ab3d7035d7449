"""
The tests on other Pythons, and with the lowest versions, each in an environment of its own.

    nox -s tests            every supported Python that is on the PATH
    nox -s tests-3.12       one of them
    nox -s lowest           the lowest version of each dependency

They run all tests that need no engine; arguments after `--` go to pytest instead. With the variable
ADBPG_ENGINE naming a Pulumi CLI, `nox -s lowest -- tests/engine/test_life.py` runs on the engine.
"""

from __future__ import annotations

import os

import nox

nox.needs_version = ">=2025.2.9"
nox.options.error_on_missing_interpreters = False

PYTHONS = ["3.10", "3.11", "3.12", "3.13", "3.14"]
TOOLS = [
    "alibabacloud-gpdb20160503",
    "hypothesis",
    "pytest",
    "pytest-timeout",
    "pytest-xdist",
    "ruff",
]
#: Left out: the engine, type checkers, what builds the package, and what draws charts.
NOT_HERE = ["tests/bench", "tests/engine", "tests/packaging", "tests/typing"]
PREFIXES = ("ALIBABA_CLOUD_", "ALICLOUD_", "OTEL_", "PULUMI_", "TRACE")
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Unit and provider tests, with the pinned versions."""
    install(session, "constraints.txt", "--editable", ".", *TOOLS, "selenium")
    run_tests(session)


@nox.session(python=PYTHONS[0])
def lowest(session: nox.Session) -> None:
    """Unit and provider tests, with the lowest versions that pyproject.toml allows."""
    install(session, "constraints-lowest.txt", "--editable", ".", *TOOLS)
    run_tests(session, "tests/simulator/console")  # selenium asks for a newer urllib3


def install(session: nox.Session, constraints: str, *what: str) -> None:
    """Install in the versions of a file; pip knows what builds a package by another name."""
    session.install(
        *what,
        env={
            "PIP_CONSTRAINT": constraints,
            "PIP_BUILD_CONSTRAINT": "constraints.txt",
            "PIP_USE_PEP517": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_RETRIES": "10",  # a registry may answer badly
        },
    )


def run_tests(session: nox.Session, *left_out: str) -> None:
    """Run pytest without the user's cloud accounts, Pulumi settings and proxies."""
    environment: dict[str, str | None] = {
        name: None
        for name in os.environ
        if name.startswith(PREFIXES) or name.lower() in PROXIES or name == "ADBPG_ENDPOINT"
    }
    environment["ALIBABA_CLOUD_ECS_METADATA_DISABLED"] = "true"
    wanted = session.posargs or [
        "tests",
        *(f"--ignore={folder}" for folder in (*NOT_HERE, *left_out)),
    ]
    workers = os.environ.get("WORKERS", "2")
    session.run("python", "-m", "pytest", "--numprocesses", workers, *wanted, env=environment)
