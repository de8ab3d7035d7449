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


def _run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_subprocess(*arguments)


def test_start_of_pytest_loads_neither_pulumi_nor_the_simulator() -> None:
    """Every run of pytest imports the plugin, most of them for nothing."""
    heavy = {"aiohttp", "grpc", "pulumi", "Tea", "pulumi_adbpg_model.simulator"}
    code = f"import sys, pulumi_adbpg_model.pytest_plugin; print({heavy} & sys.modules.keys())"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "set()\n" == done.stdout


def test_program_in_the_process_finds_the_simulator_and_nothing_real(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Credentials, endpoint and proxies of the machine are away for the test, and back after it."""
    for name, value in _REAL.items():
        monkeypatch.setenv(name, value)
    pytester.makepyfile(
        f"""
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
    )
    _run(pytester).assert_outcomes(passed=2)


def test_marker_says_what_the_simulator_is_like(pytester: pytest.Pytester) -> None:
    """That of the test goes before the module's, argument by argument; each test has a new one."""
    pytester.makepyfile(
        """
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
    )
    _run(pytester).assert_outcomes(passed=2)


def test_wrong_marker_is_an_error(pytester: pytest.Pytester) -> None:
    """It is told, and not passed over."""
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.adbpg_simulator(2)
        def test_positional(adbpg_simulator): pass

        @pytest.mark.adbpg_simulator(nonsense=2)
        def test_unknown_argument(adbpg_simulator): pass

        @pytest.mark.adbpg_simulator(dialects=["no-dialect"])
        def test_unknown_dialect(adbpg_simulator): pass
        """
    )
    done = _run(pytester)
    done.assert_outcomes(errors=3)
    for told in ("takes keyword arguments only", "argument 'nonsense'", "no-dialect"):
        done.stdout.fnmatch_lines([f"E *{told}*"])


def test_fixture_can_be_replaced(pytester: pytest.Pytester) -> None:
    """A project's own fixture may build on it."""
    pytester.makeconftest(
        """
        import pytest

        @pytest.fixture
        def adbpg_simulator(adbpg_simulator):
            adbpg_simulator.fail_next_deployment()
            return adbpg_simulator
        """
    )
    pytester.makepyfile("def test_it(adbpg_simulator): assert adbpg_simulator.endpoint")
    _run(pytester).assert_outcomes(passed=1)


def test_plugin_explains_itself(pytester: pytest.Pytester) -> None:
    """Its marker and fixture stand in pytest's own lists."""
    _run(pytester, "--markers").stdout.fnmatch_lines(["@pytest.mark.adbpg_simulator(*"])
    _run(pytester, "--fixtures").stdout.fnmatch_lines(["adbpg_simulator -- *", "*simulator*"])


def test_plugin_can_be_left_out(pytester: pytest.Pytester) -> None:
    """`-p no:adbpg_simulator` takes the fixture away, and nothing else."""
    pytester.makepyfile(
        """
        def test_without(): pass
        def test_with(adbpg_simulator): pass
        """
    )
    done = _run(pytester, "-p", "no:adbpg_simulator")
    done.assert_outcomes(passed=1, errors=1)
    done.stdout.fnmatch_lines(["*fixture 'adbpg_simulator' not found*"])
