"""Starting, stopping, serving as a program, and standing alone."""

from __future__ import annotations

import ast
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import requests

import pulumi_adbpg_model.simulator as package
from pulumi_adbpg_model import testing
from pulumi_adbpg_model.testing import Simulator
from tests.simulator.conftest import Refuse, Sdk, Start

PROGRAM = """
import sys
from pulumi_adbpg_model.simulator import Simulator, serve_forever
serve_forever(Simulator(state=sys.argv[1]), lambda line: print(line, flush=True))
print("stopped")
"""


def test_it_is_a_context_manager_on_loopback() -> None:
    """Inside the block it answers on 127.0.0.1; outside it refuses."""
    with Simulator() as simulator:
        assert simulator.endpoint == f"http://127.0.0.1:{simulator.port}"
        assert requests.post(simulator.endpoint, timeout=5).status_code == 400
    with pytest.raises(requests.ConnectionError):
        requests.post(simulator.endpoint, timeout=5)


def test_it_listens_on_loopback_only(simulator: Simulator) -> None:
    """No other address of this machine is bound."""
    with socket.socket() as other:
        other.bind(("127.0.0.2", simulator.port))


def test_stop_and_start_is_an_outage(simulator: Simulator, sdk: Sdk, refusal: Refuse) -> None:
    """It comes back at the same address with everything that was there."""
    service_id = sdk.create("ai-1")
    endpoint = simulator.endpoint
    simulator.stop()
    with pytest.raises(requests.ConnectionError):
        requests.post(endpoint, timeout=5)
    simulator.start()

    assert simulator.endpoint == endpoint
    assert sdk.describe(service_id)["ModelServiceId"] == service_id
    assert len(simulator.calls("CreateModelService")) == 1


def test_starting_twice_is_an_error_and_stopping_twice_is_not() -> None:
    """start() on a running one raises; stop() is harmless at any time."""
    simulator = Simulator()
    simulator.stop()
    simulator.start()
    with pytest.raises(RuntimeError, match="running already"):
        simulator.start()
    simulator.stop()
    simulator.stop()


def test_a_taken_port_is_an_error_at_start(simulator: Simulator) -> None:
    """The error comes out of start(), and the object can be used again."""
    second = Simulator(port=simulator.port)
    with pytest.raises(OSError, match="in use"):
        second.start()
    simulator.stop()
    with second:
        assert requests.post(second.endpoint, timeout=5).status_code == 400


def test_simulators_are_independent(start: Start, connect: type[Sdk]) -> None:
    """Two of them in a process share nothing."""
    first, second = start(), start()
    connect(first).create("ai-1")
    assert second.services == []
    assert second.requests == []


def test_no_thread_is_left_behind() -> None:
    """After stop() the server's thread is gone."""
    before = set(threading.enumerate())
    with Simulator():
        (server,) = set(threading.enumerate()) - before
        assert server.name == "adbpg-simulator"
    assert not server.is_alive()


def test_environment_points_the_provider_here(start: Start) -> None:
    """The variables are the provider's own, the token only when there is one."""
    plain = start()
    assert plain.environment() == {
        "ADBPG_ENDPOINT": plain.endpoint,
        "ALICLOUD_REGION": "cn-hangzhou",
        "ALICLOUD_ACCESS_KEY": "simulator-key-id",
        "ALICLOUD_SECRET_KEY": "simulator-key-secret",
    }
    temporary = start(security_token="sts", region="cn-beijing")
    assert temporary.environment()["ALICLOUD_SECURITY_TOKEN"] == "sts"
    assert temporary.environment()["ALICLOUD_REGION"] == "cn-beijing"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serving_until_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    """As a program it prints one line, serves, and ends with 0 on a signal."""
    root = Path(package.__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "state.json")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=root,
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("listening on http://127.0.0.1:")
        url = line.removeprefix("listening on ").strip()
        assert requests.post(url, timeout=5).status_code == 400
        process.send_signal(number)
        out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (0, "stopped\n", "")


def test_signal_handlers_are_given_back() -> None:
    """serve_forever leaves the process as it was."""
    before = signal.getsignal(signal.SIGTERM)
    announced: list[str] = []

    def announce(line: str) -> None:
        announced.append(line)
        signal.raise_signal(signal.SIGTERM)

    package.serve_forever(Simulator(), announce)
    assert len(announced) == 1
    assert signal.getsignal(signal.SIGTERM) is before


def test_the_simulator_stands_alone() -> None:
    """It imports nothing of the provider and nothing of the vendor's."""
    for path in Path(package.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert node.level <= 1, path
                names = [] if node.level else [node.module or ""]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                continue
            roots = {name.partition(".")[0] for name in names}
            assert roots <= {"aiohttp", "typing_extensions"} | set(sys.stdlib_module_names), path


def test_public_names_are_sorted_and_exist() -> None:
    """__all__ is sorted, complete and importable."""
    for module in (package, testing):
        assert module.__all__ == sorted(module.__all__)
        assert all(hasattr(module, name) for name in module.__all__)
