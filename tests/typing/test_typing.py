"""Both type checkers accept the documented program, and find every mistake on its line."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

_PROGRAM = Path(__file__).with_name("api.py")
_ROOT = Path(__file__).parents[2]

# One line each; everything else about it is right.
_MISTAKES = {
    "misspelled keyword": (
        'ModelService("a", db_instance_id="gp-1", model_name="m", ai_nodes=["n"], modelname="m")'
    ),
    "missing keyword": 'ModelService("a", db_instance_id="gp-1", model_name="m")',
    "missing keywords": 'ModelService("a")',
    "missing name": 'ModelService(db_instance_id="gp-1", model_name="m", ai_nodes=["n"])',
    "wrong type": 'ModelService("a", db_instance_id=1, model_name="m", ai_nodes=["n"])',
    "wrong type of an entry": (
        'ModelService("a", db_instance_id="gp-1", model_name="m", ai_nodes=[1])'
    ),
    "wrong type of an optional": (
        'ModelService("a", db_instance_id="gp-1", model_name="m", ai_nodes=["n"], replicas="2")'
    ),
    "required set to None": (
        'ModelService("a", db_instance_id="gp-1", model_name=None, ai_nodes=["n"])'
    ),
    "args and keywords": (
        'ModelService("a", ModelServiceArgs(db_instance_id="g", model_name="m", ai_nodes=[]), '
        "replicas=2)"
    ),
    "missing in args": 'ModelServiceArgs(db_instance_id="gp-1", model_name="m")',
    "misspelled in args": (
        'ModelServiceArgs(db_instance_id="gp-1", model_name="m", ai_nodes=["n"], modelname="m")'
    ),
    "positional args": 'ModelServiceArgs("gp-1", "m", ["n"])',
    "missing in dictionary": (
        'MISSING: ModelServiceArgsDict = {"db_instance_id": "gp-1", "model_name": "m"}'
    ),
    "misspelled in dictionary": (
        'SPELLED: ModelServiceArgsDict = {"db_instance_id": "g", "model_name": "m", '
        '"ai_nodes": ["n"], "modelname": "m"}'
    ),
    "get without id": 'ModelService.get("a")',
    "get with positional region": 'ModelService.get("a", "gp-1:ms-1", "cn-hangzhou")',
    "no such output": 'KEY = ModelService.get("a", "gp-1:ms-1").apikey',
    "wrong type of an output": 'TOKEN: int = ModelService.get("a", "gp-1:ms-1").api_key',
    "function without its instance": "get_model_services()",
    "Output in a plain function": 'get_api_key(ModelService.get("a", "gp-1:ms-1").id)',
    "no such field": "NAMES = get_supported_models().models",
    "frozen result": 'get_supported_models().region_id = "cn-hangzhou"',
}

#: The lines with an error, by file.
Found = dict[str, set[int]]


def _run(*command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=_ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode not in (0, 1):  # 1: errors were found
        raise AssertionError(f"{command[0]} broke down: {done.stdout}{done.stderr}")
    return done.stdout


def _mypy(files: list[str]) -> Found:
    found: Found = {}
    for line in _run("mypy", "--strict", *files).splitlines():
        match = re.fullmatch(r"(.+?):(\d+): error: .*", line)
        if match is not None:
            found.setdefault(Path(match[1]).name, set()).add(int(match[2]))
    return found


def _pyright(files: list[str]) -> Found:
    found: Found = {}
    output = _run("pyright", "--outputjson", "--pythonpath", sys.executable, *files)
    for problem in json.loads(output)["generalDiagnostics"]:
        if problem["severity"] == "error":
            line = int(problem["range"]["start"]["line"]) + 1
            found.setdefault(Path(problem["file"]).name, set()).add(line)
    return found


@pytest.fixture(scope="module", params=[_mypy, _pyright], ids=["mypy", "pyright"])
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Found:
    """What one checker finds in the program, and in the mistakes, which begin on line 2."""
    mistakes = tmp_path_factory.mktemp("typing") / "mistakes.py"
    names = (
        "ModelService",
        "ModelServiceArgs",
        "ModelServiceArgsDict",
        "get_api_key",
        "get_model_services",
        "get_supported_models",
    )
    head = f"from pulumi_adbpg_model import {', '.join(names)}"
    mistakes.write_text("\n".join([head, *_MISTAKES.values(), ""]), encoding="utf-8")
    check: Callable[[list[str]], Found] = request.param
    return check([str(_PROGRAM), str(mistakes)])


def test_checker_accepts_the_documented_program(found: Found) -> None:
    """Keywords, args, dictionary, outputs as inputs, look-ups and typed outputs all pass."""
    assert {} == {name: lines for name, lines in found.items() if name != "mistakes.py"}


def test_checker_finds_nothing_wrong_with_the_import(found: Found) -> None:
    """The mistakes below are found for their own sake, not because the package is not."""
    assert 1 not in found["mistakes.py"]


@pytest.mark.parametrize("mistake", _MISTAKES)
def test_checker_finds_the_mistake_on_its_line(found: Found, mistake: str) -> None:
    """A wrong keyword, a wrong type, a missing input: each is told where it stands."""
    assert 2 + list(_MISTAKES).index(mistake) in found["mistakes.py"]
