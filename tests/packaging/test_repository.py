"""What GitHub and agents read: workflows, forms and pages that name only what there is."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

_ROOT = Path(__file__).parents[2]
_GITHUB = _ROOT / ".github"
_CI, _RELEASE = (_GITHUB / "workflows" / f"{name}.yml" for name in ("ci", "release"))
_FORM = _GITHUB / "ISSUE_TEMPLATE/bug.yml"


def _read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _triggers(path: Path) -> dict[str, Any]:
    """YAML 1.1 reads the key `on` as true."""
    triggers: dict[str, Any] = _read(path)[True]
    return triggers


def _text(name: str) -> str:
    return (_ROOT / name).read_text(encoding="utf-8")


def _steps(path: Path) -> list[tuple[str, dict[str, Any]]]:
    jobs = _read(path)["jobs"].items()
    return [(name, step) for name, job in jobs for step in job.get("steps", ())]


def _constant(name: str, file: str) -> Any:
    """What a module assigns to a name, without running it."""
    for node in ast.parse(_text(file)).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return ast.literal_eval(node.value)
    raise AssertionError(f"{file} assigns no {name}")


def test_all_places_name_the_same_pythons() -> None:
    """Classifiers, nox, the upgrade tests, the workflows and CONTRIBUTING."""
    text = _text("pyproject.toml")
    named = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', text)
    assert named[0] == "3.10"
    assert f'requires-python = ">={named[0]}"' in text
    assert _constant("PYTHONS", "noxfile.py") == named
    supported = _constant("SUPPORTED", "tools/pythons.py")
    assert [f"{major}.{minor}" for major, minor in supported] == named
    jobs = _read(_CI)["jobs"]
    assert jobs["matrix"]["strategy"]["matrix"]["python"] == named
    (setup,) = (s for s in jobs["test"]["steps"] if "setup-python" in s.get("uses", ""))
    assert {named[0], named[-1]} < set(setup["with"]["python-version"].split()) <= set(named)
    assert f"Python {named[0]} to {named[-1]}" in " ".join(_text("CONTRIBUTING.md").split())


def test_workflows_run_what_there_is() -> None:
    """Targets of the Makefile, sessions of nox, and scripts that are in the repository."""
    targets = set(re.findall(r"^([a-z-]+):", _text("Makefile"), re.MULTILINE))
    sessions = {
        node.name
        for node in ast.parse(_text("noxfile.py")).body
        if isinstance(node, ast.FunctionDef) and node.decorator_list
    }
    matrix = _read(_CI)["jobs"]["matrix"]["strategy"]["matrix"]
    used = {*matrix["session"], *(one["session"] for one in matrix["include"])}
    assert used == sessions == {"lowest", "tests"}
    lowest = next(one for one in matrix["include"] if one["session"] == "lowest")
    assert lowest["python"] == _constant("PYTHONS", "noxfile.py")[0]

    commands = [
        step["run"] for path in (_CI, _RELEASE) for _, step in _steps(path) if "run" in step
    ]
    made = {word for one in commands for word in re.findall(r"\bmake\b(?: --\S+)* (\S+)", one)}
    assert made == {"dist", "test"}
    assert made <= targets
    for script in (word for one in commands for word in re.findall(r"\S+\.py\b", one)):
        assert (_ROOT / script).is_file(), script
    pinned = {word for one in commands for word in re.findall(r"--constraint (\S+)", one)}
    assert pinned == {"constraints.txt"}


def test_workflows_may_do_as_little_as_they_can() -> None:
    """Reading, but for the one that publishes and the one that announces; and no secret at all."""
    granted = {}
    for path in (_CI, _RELEASE):
        assert _read(path)["permissions"] == {"contents": "read"}
        assert "secrets." not in path.read_text()
        for name, job in _read(path)["jobs"].items():
            granted[name] = job.get("permissions")
            assert "uses" in job or 0 < job["timeout-minutes"] <= 60
        for _, step in _steps(path):
            owner, _, version = step.get("uses", "actions/@v1").partition("@")
            assert owner.startswith("actions/")
            assert re.fullmatch(r"v\d+", version)
            if owner == "actions/checkout":
                assert step["with"] == {"persist-credentials": False}
    assert granted.pop("publish") == {"contents": "read", "id-token": "write"}
    assert granted.pop("announce") == {"contents": "write"}
    assert set(granted.values()) == {None}
    assert "pull_request_target" not in _triggers(_CI)


def test_a_release_is_tested_built_published_and_announced_in_this_order() -> None:
    """Of a tag alone; the job with the token builds nothing."""
    assert _triggers(_RELEASE) == {"push": {"tags": ["v*"]}}
    jobs = _read(_RELEASE)["jobs"]
    assert jobs["test"]["uses"] == "./.github/workflows/ci.yml"
    assert "workflow_call" in _triggers(_CI)
    order = ["test", "build", "publish", "announce"]
    assert [jobs[name].get("needs") for name in order] == [None, *order[:-1]]
    assert jobs["publish"]["environment"] == "pypi"
    commands = {
        name: [s["run"] for n, s in _steps(_RELEASE) if n == name and "run" in s] for name in order
    }
    assert not [one for one in commands["publish"] if "make" in one or "build" in one]
    (announced,) = commands["announce"]
    assert announced.startswith("gh release create ")


_CHANGELOG = """# Changelog

## Unreleased

## 1.2.3 (2026-01-02)

### Added

- One.

## 1.2
"""


@pytest.mark.parametrize(
    ("tag", "code", "said"),
    [
        ("v1.2.3", 0, "### Added\n\n- One.\n"),
        ("1.2.3", 1, "No release: the tag is 1.2.3, but the version in pyproject.toml is 1.2.3.\n"),
        ("v1.2", 1, "No release: the tag is v1.2, but the version in pyproject.toml is 1.2.3.\n"),
    ],
)
def test_notes_of_a_release_are_its_section(tmp_path: Path, tag: str, code: int, said: str) -> None:
    """What the workflow runs; a tag that is not the version stops it."""
    assert (code, said) == _released(tmp_path, tag, "1.2.3")


def test_a_release_of_which_nothing_is_said_is_none(tmp_path: Path) -> None:
    """Be it without a section, or with an empty one."""
    for version in ("1.2", "1.3", "1.2.30"):
        told = f'No release: CHANGELOG.md has nothing under "## {version}".\n'
        assert (1, told) == _released(tmp_path, f"v{version}", version)


def _released(folder: Path, tag: str, version: str) -> tuple[int, str]:
    (folder / "tools").mkdir(exist_ok=True)
    shutil.copy(_ROOT / "tools/release.py", folder / "tools")
    (folder / "pyproject.toml").write_text(f'[project]\nversion = "{version}"\n')
    (folder / "CHANGELOG.md").write_text(_CHANGELOG)
    command = [sys.executable, str(folder / "tools/release.py"), tag]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


_TYPES = {
    "checkboxes": {"label", "description", "options"},
    "dropdown": {"label", "description", "options", "multiple", "default"},
    "input": {"label", "description", "placeholder", "value"},
    "markdown": {"value"},
    "textarea": {"label", "description", "placeholder", "value", "render"},
}


def test_the_issue_form_is_one_by_githubs_rules() -> None:
    """Known types and keys, unique ids and labels, texts as options, and a field to fill in."""
    form = _read(_FORM)
    assert form.keys() <= {"name", "description", "title", "labels", "assignees", "type", "body"}
    assert all(isinstance(form[key], str) and form[key] for key in ("name", "description"))
    fields = [one for one in form["body"] if one["type"] != "markdown"]
    assert fields
    for one in form["body"]:
        assert one.keys() <= {"type", "id", "attributes", "validations"}
        assert one["attributes"].keys() <= _TYPES[one["type"]]
        assert one.get("validations", {}).keys() <= {"required"}
        assert isinstance(one["attributes"].get("description", ""), str)
    for unique in ([one["id"] for one in fields], [one["attributes"]["label"] for one in fields]):
        assert len(set(unique)) == len(unique)
    assert all(re.fullmatch(r"[\w-]+", one["id"]) for one in fields)
    (choice,) = (one["attributes"]["options"] for one in fields if one["type"] == "dropdown")
    assert all(isinstance(option, str) for option in choice)
    (boxes,) = (one["attributes"]["options"] for one in fields if one["type"] == "checkboxes")
    assert all(box.keys() == {"label", "required"} for box in boxes)


def test_the_issue_form_asks_for_what_helps_and_warns_of_what_tells_secrets() -> None:
    """The doctor and a survey; no state, no log of gRPC."""
    text = " ".join(_FORM.read_text().split())
    for named in ("pulumi-adbpg-model doctor --json", "pulumi-adbpg-model survey --instance"):
        assert named in text
    for page in (text, " ".join(_text("SECURITY.md").split())):
        assert "`pulumi stack export`" in page
        assert "`PULUMI_DEBUG_GRPC`" in page
    links = _read(_FORM.with_name("config.yml"))["contact_links"]
    assert all(link.keys() == {"name", "url", "about"} for link in links)


def test_no_address_of_the_repository_is_made_up() -> None:
    """Until there is one, everything names it by what GitHub says, or relative to itself."""
    files = [*_GITHUB.rglob("*.yml"), _ROOT / "AGENTS.md", _ROOT / "SECURITY.md"]
    assert not [file for file in files if "github.com" in file.read_text(encoding="utf-8")]


@pytest.mark.parametrize("name", ["AGENTS.md", "SECURITY.md"])
def test_pages_name_what_there_is(name: str) -> None:
    """Links, and commands of make."""
    page = _text(name)
    targets = set(re.findall(r"^([a-z-]+):", _text("Makefile"), re.MULTILINE))
    assert set(re.findall(r"make (?:-s )?([a-z-]+)[`\)\"]", page)) <= targets
    for link in re.findall(r"\]\((?!https:)([^)#]+)(?:#[^)]*)?\)", page):
        assert (_ROOT / link).exists(), link
    assert len(page.splitlines()) <= 60  # a page


def test_path_of_the_engine_is_all_that_make_prints(tmp_path: Path) -> None:
    """As AGENTS.md uses it, on a fresh clone too, where the environment is made first."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(_ROOT / name, tmp_path)
    python = tmp_path / "python3"  # makes an environment whose Python is itself
    python.write_text(
        "#!/bin/sh\n"
        'case "$*" in\n'
        '"-m venv .venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;\n'
        "tools/engine.py) echo /path/of/the/engine ;;\n"
        "esac\n"
    )
    python.chmod(0o755)
    command = ["make", "--silent", "engine", f"PYTHON={python}"]
    # Not as a part of the make that runs the tests.
    alone = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    for said in ("Installing", ""):  # the second time, it is there
        done = subprocess.run(
            command, cwd=tmp_path, env=alone, capture_output=True, text=True, check=True
        )
        assert done.stdout == "/path/of/the/engine\n"
        assert done.stderr.startswith(said)
        assert bool(said) == ("Installing" in done.stderr)
