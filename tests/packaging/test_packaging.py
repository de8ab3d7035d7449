"""What is published: built, checked, and the wheel alone, in a clean environment, at work."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
import tarfile
import time
import venv
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

_ROOT = Path(__file__).parents[2]
_PACKAGE = "pulumi_adbpg_model"
_ENGINE = shutil.which(os.environ.get("ADBPG_ENGINE", "pulumi"))
# Read here: the tests see no setting of the machine, but pip may need some to reach its registry.
MACHINE = dict(os.environ)
_ATTEMPTS = 3

#: Runs the example in this folder; the environment says against which cloud.
_DRIVER = """
import runpy
from pulumi import automation

stack = automation.create_or_select_stack(
    "dev", project_name="embedding", work_dir=".",
    program=lambda: runpy.run_path("__main__.py"),
)
for key, value in {
    "dbInstanceId": "gp-demo", "aiNode": "ai-2", "adbpg:maxPollInterval": "0.05"
}.items():
    stack.set_config(key, automation.ConfigValue(value))
up = stack.up()
print("URL", up.outputs["url"].value, up.outputs["apiKey"].secret)
stack.destroy()
"""

#: As Pulumi's language host decides, for each installed distribution whose name begins so.
_DECIDE = """
import importlib.metadata, importlib.util, json, pathlib
for found in importlib.metadata.distributions():
    name = found.metadata["Name"]
    if name.startswith("pulumi-"):
        spec = importlib.util.find_spec(name.replace("-", "_"))
        folders = list(spec.submodule_search_locations or ()) if spec else []
        files = [pathlib.Path(folder, "pulumi-plugin.json") for folder in folders]
        declared = [json.loads(file.read_text()) for file in files if file.is_file()]
        if not declared or declared[0].get("resource"):
            print(name)
"""


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with wheel and sdist; the wheel is built from the sdist."""
    folder = tmp_path_factory.mktemp("dist")
    _patiently(sys.executable, "-m", "build", "--outdir", str(folder), str(_ROOT))
    return folder


def _patiently(*command: str) -> None:
    """Run what asks the registry, which may answer badly."""
    constraints = str(_ROOT / "constraints.txt")
    environment = {
        **MACHINE,
        "PIP_CONSTRAINT": constraints,
        "PIP_BUILD_CONSTRAINT": constraints,
        "PIP_USE_PEP517": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    for attempt in range(_ATTEMPTS):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return
        time.sleep(5 * attempt)
    raise AssertionError(done.stdout + done.stderr)


def _sources() -> set[str]:
    """Every file of the package, with its path from the root."""
    return {
        path.relative_to(_ROOT).as_posix()
        for path in (_ROOT / _PACKAGE).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def _wheel(dist: Path) -> Path:
    (wheel,) = dist.glob("*.whl")
    return wheel


@pytest.mark.timeout(300)
def test_published_files_are_complete_and_well_described(dist: Path) -> None:
    """Twine finds nothing, the wheel has each file of the package, and the sdist its tests."""
    (sdist,) = dist.glob("*.tar.gz")
    subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", str(sdist), str(_wheel(dist))],
        check=True,
        capture_output=True,
    )

    with zipfile.ZipFile(_wheel(dist)) as archive:
        files = set(archive.namelist())
        (information,) = {name.partition("/")[0] for name in files if ".dist-info/" in name}
        points = archive.read(f"{information}/entry_points.txt").decode()
        metadata = archive.read(f"{information}/METADATA").decode()
    own = {name for name in files if not name.startswith(information)}
    assert own == _sources()
    assert {f"{_PACKAGE}/py.typed", f"{information}/licenses/LICENSE"} <= files
    assert "[console_scripts]\npulumi-adbpg-model = pulumi_adbpg_model.cli:main\n" in points
    assert "[pytest11]\nadbpg_simulator = pulumi_adbpg_model.pytest_plugin\n" in points
    assert "License-Expression: Apache-2.0\n" in metadata

    with tarfile.open(sdist) as packed:
        inside = {member.name.partition("/")[2] for member in packed if member.isfile()}
    assert _sources() <= inside
    # What `make test` reads, so that it can be run from an unpacked sdist.
    for name in ("Makefile", "constraints.txt", "noxfile.py", "tests/conftest.py"):
        assert name in inside
    # And the files that its tests read of what only GitHub and agents do.
    assert {"AGENTS.md", "SECURITY.md", ".github/workflows/ci.yml"} <= inside


@pytest.mark.timeout(300)
@pytest.mark.skipif(
    _ENGINE is None and not os.environ.get("ADBPG_REQUIRE_ENGINE"), reason="no Pulumi CLI"
)
def test_wheel_alone_runs_an_example(dist: Path, tmp_path: Path) -> None:
    """In a clean environment, on the real engine, against what its own command simulates."""
    clean = tmp_path / "venv"
    venv.create(clean)
    commands = clean / ("Scripts" if sys.platform == "win32" else "bin")
    python = str(commands / "python")
    pip = (sys.executable, "-m", "pip", "--python", python)
    # What is imported is compiled then; most of it is not.
    _patiently(*pip, "install", "--quiet", "--no-compile", "--no-deps", str(_wheel(dist)))
    _link_what_is_asked_for(python)
    _patiently(*pip, "check")
    assert _plugins_of(python) == []
    project = tmp_path / "embedding"
    shutil.copytree(_ROOT / "examples" / "embedding", project)
    (project / "driver.py").write_text(_DRIVER, encoding="utf-8")

    with subprocess.Popen(
        [commands / "pulumi-adbpg-model", "simulate", "--provision-seconds", "0"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    ) as simulator:
        assert simulator.stdout is not None
        endpoint = simulator.stdout.readline().rpartition(" ")[2].strip()
        try:
            done = subprocess.run(
                [python, "driver.py"],
                cwd=project,
                env=_environment(tmp_path, endpoint) | {"PULUMI_PYTHON_CMD": python},
                capture_output=True,
                text=True,
                check=False,
            )
        finally:
            simulator.terminate()
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("URL http://ms-")
    assert done.stdout.endswith(".gp-demo.rds.aliyuncs.com True\n")
    assert simulator.returncode == 0


def _link_what_is_asked_for(python: str) -> None:
    """
    Give an environment what its package asks for, and that in turn, from the one of the tests.

    To install the same files again takes ten seconds of work, and shows nothing more: what is asked
    for is read in the clean environment.
    """
    site = Path(_printed(python, "import sysconfig; print(sysconfig.get_path('purelib'))"))
    (installed,) = importlib.metadata.distributions(path=[str(site)])
    asked = [(name, "") for name in installed.requires or ()]
    linked: set[tuple[str, str]] = set()
    while asked:
        text, extra = asked.pop()
        requirement = Requirement(text)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        found = importlib.metadata.distribution(requirement.name)
        for one in {"", *requirement.extras}:
            if (found.name, one) not in linked:
                linked.add((found.name, one))
                asked += [(text, one) for text in found.requires or ()]
                if one == "":
                    _link(found, site)


def _link(distribution: importlib.metadata.Distribution, site: Path) -> None:
    """Every file of it but its commands, which lie elsewhere."""
    for file in distribution.files or ():
        if ".." not in file.parts:
            target = site / file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(Path(str(file.locate())).resolve())


def _printed(python: str, code: str) -> str:
    return subprocess.run(
        [python, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_a_package_without_the_file_would_be_taken_for_a_plugin(dist: Path, tmp_path: Path) -> None:
    """So that the assertion above can fail: the file alone decides."""
    shutil.unpack_archive(_wheel(dist), tmp_path, "zip")  # as pip does, but for the scripts
    (declaration,) = tmp_path.rglob("pulumi-plugin.json")
    alone = (sys.executable, "-S")  # without what is installed here
    assert _plugins_of(*alone, PYTHONPATH=str(tmp_path)) == []
    declaration.unlink()
    assert _plugins_of(*alone, PYTHONPATH=str(tmp_path)) == ["pulumi-adbpg-model"]


def _plugins_of(*python: str, **environment: str) -> list[str]:
    """What `pulumi install` would take for packages with a plugin, and try to download."""
    done = subprocess.run(
        [*python, "-c", _DECIDE],
        cwd=Path(python[0]).parent,  # elsewhere than this checkout, which would be found first
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def _environment(home: Path, endpoint: str) -> dict[str, str]:
    """The engine, a state in a folder, the simulated cloud; nothing of this checkout."""
    (home / "state").mkdir()
    return {
        "PATH": f"{Path(str(_ENGINE)).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "PULUMI_HOME": str(home / "pulumi-home"),
        "PULUMI_BACKEND_URL": (home / "state").as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "test",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true",
        "ADBPG_ENDPOINT": endpoint,
        "ALICLOUD_REGION": "cn-hangzhou",
        "ALICLOUD_ACCESS_KEY": "simulator-key-id",
        "ALICLOUD_SECRET_KEY": "simulator-key-secret",
    }
