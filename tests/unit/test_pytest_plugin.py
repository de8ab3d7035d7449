"""The pytest plugin as its users meet it: in a run of pytest of their own."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest_plugins = ["pytester"]

_REAL = {
    "ALIBABA_CLOUD_ACCESS_KEY_ID": "real-id",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "real-secret",
    "ALIBABA_CLOUD_PROFILE": "real-profile",
    "ALICLOUD_SECURITY_TOKEN": "real-token",
    "ADBPG_ENDPOINT": "https://gpdb.aliyuncs.com",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "https_proxy": "http://127.0.0.1:9",
}

_CALLS = """
    import os

    from pulumi_adbpg_model.clock import SystemClock
    from pulumi_adbpg_model.gateway import Gateway
    from pulumi_adbpg_model.settings import Settings

    def gateway():
        return Gateway(Settings.resolve(lambda key: None, os.environ), SystemClock())
"""


@pytest.fixture(autouse=True)
def _plugin(pytester: pytest.Pytester) -> None:
    """As installed, and with nothing else: warnings are errors, markers are strict."""
    pytester.makeini(
        "[pytest]\nfilterwarnings =\n    error\n"
        # As in our own pyproject.toml: the cloud SDK's way to ask for the time.
        "    ignore:datetime.datetime.utc:DeprecationWarning\n"
        "addopts = --strict-markers -p no:xdist -p no:cacheprovider"
    )
    pytester.makepyfile(calls=_CALLS)


#: In files, and folders, of one run: an interpreter that loads Pulumi takes its time.
_IN_USE = f"""
import os
from calls import gateway

REAL = {_REAL}

def test_in_use(adbpg_simulator):
    assert gateway().list_model_services("gp-demo") == []
    (request,) = adbpg_simulator.calls("ListModelServices")
    assert request.response_status == 200
    assert not set(REAL.values()) & set(os.environ.values())
    assert os.environ["ALIBABA_CLOUD_ECS_METADATA_DISABLED"] == "true"

def test_after_it():
    assert REAL.items() <= os.environ.items()
"""
_MARKED = """
import os
import pytest
from calls import gateway

pytestmark = pytest.mark.adbpg_simulator(instance="gp-own", nodes=["n-1"], region="ap-x-1")

def nodes():
    return [node.name for node in gateway().list_ai_nodes("gp-own")]

@pytest.mark.adbpg_simulator(nodes=["n-2"])
def test_marked(adbpg_simulator):
    assert os.environ["ALICLOUD_REGION"] == "ap-x-1"
    assert nodes() == ["n-2"]

def test_another(adbpg_simulator):
    assert adbpg_simulator.requests == []
    assert nodes() == ["n-1"]
"""
_MARKED_WRONGLY = """
import pytest

@pytest.mark.adbpg_simulator(2)
def test_positional(adbpg_simulator): pass

@pytest.mark.adbpg_simulator(nonsense=2)
def test_unknown_argument(adbpg_simulator): pass

@pytest.mark.adbpg_simulator(dialects=["no-dialect"])
def test_unknown_dialect(adbpg_simulator): pass
"""
_LIKE = """
from pathlib import Path
import pytest
from pulumi_adbpg_model.domain import ModelServiceSpec
from calls import gateway

SURVEY = Path(__file__).with_name("survey.json")
SURVEY.write_text(
    '{"format": 1, "dialects": ["status-capitalised"], "provision_seconds": 900, '
    '"delete_seconds": 900, "models": ["Mine"]}'
)
pytestmark = pytest.mark.adbpg_simulator(like=SURVEY)

def status():
    made = gateway().create_model_service(ModelServiceSpec("gp-demo", "Mine", ("ai-1",)), "t")
    return made.id, gateway().describe_model_service(made.id).status

def test_like_is_fast(adbpg_simulator):
    id_, shown = status()
    assert shown == "Active"
    gateway().delete_model_service(id_)
    assert adbpg_simulator.services == []

@pytest.mark.adbpg_simulator(provision_seconds=None)
def test_like_takes_its_time(adbpg_simulator):
    assert status()[1] == "Deploying"
"""
_REPLACED = """
import pytest

@pytest.fixture
def adbpg_simulator(adbpg_simulator):
    adbpg_simulator.fail_next_deployment()
    return adbpg_simulator
"""


def test_fixture_and_marker_do_as_they_say(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    What is real is away for the test, and back after it; a wrong marker is told, not passed over.

    The marker of the test goes before the module's, argument by argument, and each test has a new
    cloud. A survey does not make tests wait unless they ask for it. A project's own fixture may
    build on this one.
    """
    for name, value in _REAL.items():
        monkeypatch.setenv(name, value)
    pytester.makepyfile(
        test_in_use=_IN_USE,
        test_marked=_MARKED,
        test_marked_wrongly=_MARKED_WRONGLY,
        test_like=_LIKE,
        **{
            "replaced/conftest": _REPLACED,
            "replaced/test_it": "def test_it(adbpg_simulator): assert adbpg_simulator.endpoint",
        },
    )
    done = pytester.runpytest_subprocess()
    done.assert_outcomes(passed=7, errors=3)
    for told in ("takes keyword arguments only", "argument 'nonsense'", "no-dialect"):
        done.stdout.fnmatch_lines([f"E *{told}*"])


def test_start_of_pytest_loads_neither_pulumi_nor_the_simulator() -> None:
    """Every run of pytest imports the plugin, most of them for nothing."""
    heavy = {"aiohttp", "grpc", "pulumi", "Tea", "pulumi_adbpg_model.simulator"}
    code = f"import sys, pulumi_adbpg_model.pytest_plugin; print({heavy} & sys.modules.keys())"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "set()\n" == done.stdout


def test_plugin_explains_itself(pytester: pytest.Pytester) -> None:
    """Its marker and fixture stand in pytest's own lists."""
    markers = pytester.runpytest_inprocess("--markers").stdout
    markers.fnmatch_lines(["@pytest.mark.adbpg_simulator(*"])
    fixtures = pytester.runpytest_inprocess("--fixtures").stdout
    fixtures.fnmatch_lines(["adbpg_simulator -- *", "*simulator*"])


def test_plugin_can_be_left_out(pytester: pytest.Pytester) -> None:
    """`-p no:adbpg_simulator` takes the fixture away, and nothing else."""
    pytester.makepyfile(
        """
        def test_without(): pass
        def test_with(adbpg_simulator): pass
        """
    )
    done = pytester.runpytest_inprocess("-p", "no:adbpg_simulator")
    done.assert_outcomes(passed=1, errors=1)
    done.stdout.fnmatch_lines(["*fixture 'adbpg_simulator' not found*"])
