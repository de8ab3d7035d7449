"""The quick start as a newcomer types it, with Pulumi's own language host, where there is one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.pages import ROOT, blocks
from tests.engine.support.stack import language_host
from tests.packaging.test_packaging import MACHINE

_PAGE = ROOT / "docs/quick-start.md"
_CHECKOUT = "/path/to/checkout"

pytestmark = pytest.mark.skipif(
    language_host() is None,
    reason="no pulumi-language-python beside the CLI or on the PATH, so `pulumi install` is not "
    "typed; what it decides about this package is in test_packaging.py",
)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("toolchain", ["pip", "uv"])
def test_quick_start_works_as_it_is_typed(toolchain: str, tmp_path: Path) -> None:
    """Install, log in, up, a second up that changes nothing, and destroy: all as the page says."""
    if toolchain == "uv" and shutil.which("uv") is None:
        pytest.skip("no uv on the PATH")
    project = tmp_path / "embedding"
    project.mkdir()
    for block in blocks(_PAGE, "file: ") + (blocks(_PAGE, "uv: ") if toolchain == "uv" else []):
        name = block.mark.partition(": ")[2]
        text = block.text.replace(_CHECKOUT, str(ROOT))
        (project / name).write_text(text.replace("toolchain: pip", f"toolchain: {toolchain}"))
    if toolchain == "uv":
        (project / "requirements.txt").unlink()

    with Simulator(provision_seconds=1) as simulator:
        (environment,) = blocks(_PAGE, "environment")
        exports = environment.text.replace("http://127.0.0.1:8080", simulator.endpoint)
        steps = [block.text for block in blocks(_PAGE, "typed")]
        created = _typed(project, tmp_path, steps[0] + exports + steps[1])
        (service,) = simulator.services
        assert service.api_key is not None
        assert created.splitlines()[-2:] == [service.private_connect_url, service.api_key]
        again = exports + "$ pulumi up --expect-no-changes\n$ pulumi refresh --expect-no-changes\n"
        _typed(project, tmp_path, again)
        _typed(project, tmp_path, exports + steps[2])
        assert simulator.services == []


@pytest.mark.timeout(600)
def test_example_works_as_it_is_typed(tmp_path: Path) -> None:
    """Configured, up and destroyed, with the lines of the page; in a copy, which is left behind."""
    (block,) = blocks(_PAGE, "typed: example")
    folder, _, rest = block.text.partition("\n")
    example = ROOT / folder.removeprefix("$ cd path/to/checkout/")
    project = tmp_path / "checkout" / example.relative_to(ROOT)
    left = shutil.ignore_patterns("venv", "wheels", "__pycache__")
    shutil.copytree(example, project, ignore=left)
    assert (example / "../..").resolve() == ROOT
    typed = rest.replace(" ../..\n", f" {ROOT}\n", 1)
    assert typed != rest
    configured, up, destroyed = typed.partition("$ pulumi up\n")
    with Simulator(provision_seconds=0) as simulator:
        variables = simulator.environment().items()
        exports = "".join(f"$ export {name}={text}\n" for name, text in variables)
        login = "$ pulumi login --local\n"
        _typed(project, tmp_path, exports + login + configured + up)
        assert len(simulator.services) == configured.count("Node ")
        _typed(project, tmp_path, exports + destroyed)
        assert simulator.services == []


def _typed(project: Path, home: Path, text: str) -> str:
    """Type commands into one shell, which stops at the first that fails; what they print."""
    # "--local" means the real home of this user, whatever HOME says.
    text = text.replace("login --local", f"login {home.as_uri()}").replace("=…", "=test")
    lines = [line[2:] for line in text.splitlines()]
    assert all(line.startswith("$ ") for line in text.splitlines())
    done = subprocess.run(
        ["bash", "-e", "-c", "\n".join(lines)],
        cwd=project,
        env={
            # `pulumi install` asks the registry, perhaps through a proxy of this machine.
            **{name: text for name, text in MACHINE.items() if not _PRIVATE.match(name)},
            "PATH": f"{Path(str(language_host())).parent}{os.pathsep}{MACHINE['PATH']}",
            "HOME": str(home),
            "PULUMI_HOME": str(home / "pulumi-home"),
            "NO_PROXY": "127.0.0.1",
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_OPTION_YES": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true",
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


_PRIVATE = re.compile(r"(ALIBABA_?CLOUD|ALICLOUD|ADBPG|PULUMI)_")
