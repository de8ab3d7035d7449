"""Each recipe of docs/recipes.md is done as the page says, command by command."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from click.testing import CliRunner

from pulumi_adbpg_model.cli import main
from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.model import Model, answering
from tests.engine.support.pages import DOCS, ROOT, blocks
from tests.engine.support.programs import declare, mutations, pulumi_ids
from tests.engine.support.programs import program as service
from tests.engine.support.stack import (
    STACK,
    EventLog,
    Failed,
    Program,
    Stack,
    language_host,
)

PAGE = DOCS / "recipes.md"
KEY_STORE = ROOT / "examples/key-store"
POLICY = ROOT / "examples/policy"


def _typed(mark: str) -> list[str]:
    """What the page has people type in the blocks with this mark, one text a block."""
    return [re.sub(r"^\$ ", "", one.text, flags=re.MULTILINE) for one in blocks(PAGE, mark)]


def _type(stack: Stack, script: str, **environment: str) -> str:
    """Type lines into a shell, in the project's folder; what they print."""
    environment = {"PULUMI_STACK": STACK, **environment}
    words = [f"export {name}={value}" for name, value in environment.items()]
    done = stack.type("bash", "-e", "-c", "\n".join([*words, script]))
    assert done.returncode == 0, done.stderr
    return done.stdout


def _follow(stack: Stack, mark: str) -> Iterator[None]:
    """Do what each block says: set the configuration, then `pulumi up`."""
    for script in _typed(mark):
        configure, up = script.splitlines()
        assert configure.startswith("pulumi config set ")
        assert up == "pulumi up"
        _type(stack, configure)
        stack.up()
        yield


def test_key_goes_into_the_store_and_nowhere_else(
    tmp_path: Path, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tried again where the store was down, written anew with the service, removed with it."""
    monkeypatch.syspath_prepend(KEY_STORE)
    monkeypatch.delitem(sys.modules, "key_store", raising=False)
    config = {"dbInstanceId": "gp-demo", "aiNode": "ai-1"}
    debug = tmp_path / "debug.json"
    stack = Stack(
        tmp_path,
        simulator,
        project=KEY_STORE,
        config=config,
        environment={
            "PYTHONPATH": str(KEY_STORE),  # the program's folder, where it is typed
            "PULUMI_DEBUG_GRPC": str(debug),
        },
    )
    store = tmp_path / "project/secrets"
    entry = store / "dev/embedding"
    (excerpt,) = blocks(PAGE, "excerpt: key-store")
    assert excerpt.text in (KEY_STORE / "__main__.py").read_text(encoding="utf-8")

    entry.mkdir(parents=True)  # a folder in its place: the store is down
    with pytest.raises(Failed) as down:
        stack.up()
    assert down.value.log.failed == {"embedding"}
    (first,) = simulator.services
    assert not [one for one in store.rglob("*") if one.is_file()]
    entry.rmdir()
    told = [str(down.value), _everything(down.value.log)]

    up = stack.up()
    assert up.changes == {"create": 1, "same": 2}
    assert entry.read_text() == first.api_key
    assert (entry.stat().st_mode & 0o077) == 0
    assert list(up.outputs) == ["url"]
    told += [up.output, _everything(up.log)]

    (configure, _) = _typed("rotate")[0].splitlines()
    _type(stack, configure)
    up = stack.up()
    assert up.changes == {"replace": 1, "update": 1, "same": 1}
    (second,) = simulator.services
    assert entry.read_text() == second.api_key != first.api_key
    told += [up.output, _everything(up.log), stack.state_text()]
    told.append(json.dumps(stack.export(show_secrets=True)))

    entry.unlink()
    stack.up(replace=["**store:ApiKey::embedding"])
    assert entry.read_text() == second.api_key

    destroyed = stack.destroy()
    assert not entry.exists()
    assert simulator.services == []
    told += [destroyed.output, _everything(destroyed.log), stack.state_text(), debug.read_text()]
    for text in told:
        assert "ms-" in text  # of the service it is told
    for key in (first.api_key, second.api_key):
        assert key
        assert not any(key in text for text in told)


def _everything(log: EventLog) -> str:
    """The events of the engine, with all that they hold."""
    return json.dumps(log.events, default=vars)


def test_service_is_called_kept_from_readers_and_off_at_night(
    stack: Stack, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The outputs are enough to call it; who may not see it breaks nothing; its node is freed."""
    monkeypatch.delenv("SSL_CERT_FILE")  # the client wants some, if only for http
    monkeypatch.delenv("SSL_CERT_DIR")
    (program,) = blocks(PAGE, "run: daytime")
    (crontab,) = blocks(PAGE, "crontab")
    morning, evening = re.findall(r"pulumi config set running \w+", crontab.text)
    assert len(re.findall(r"pulumi up --yes --non-interactive$", crontab.text, re.MULTILINE)) == 2
    _type(stack, morning)
    stack.up(program.program())
    (service,) = simulator.services

    (client,) = blocks(PAGE, "calling: openai")
    (stack.home / "client.py").write_text(client.text, encoding="utf-8")
    scripts = _typed("calling: environment") + _typed("calling: curl")
    scripts += [f"{sys.executable} ../client.py"]
    model = Model(str(service.api_key), str(service.private_connect_url))
    with answering(model) as proxy:
        printed = _type(stack, "".join(scripts), http_proxy=proxy.address)
    assert printed == '{"results": [{"index": 1, "relevance_score": 0.9}]}5\n'
    base = f"{service.private_connect_url}/v1"
    assert [path for path, _ in proxy.asked] == [f"{base}/rerank", f"{base}/embeddings"]
    assert proxy.asked[0][1]["documents"] == ["a", "b"]
    for script in scripts:  # what `ps` and the history of the shell show
        assert str(service.api_key) not in script

    (policy,) = blocks(PAGE, "ram: deny")
    (statement,) = json.loads(policy.text)["Statement"]
    printed = CliRunner().invoke(main, ["policy", "--read-only"]).stdout
    reading = {action for one in json.loads(printed)["Statement"] for action in one["Action"]}
    assert statement.pop("Effect") == "Deny"
    assert statement["Resource"] == "*"
    denied = [action.removeprefix("gpdb:") for action in statement["Action"]]
    assert denied == ["DescribeModelService", "ListModelServices"]
    assert set(statement["Action"]) < reading
    for action in denied:
        simulator.inject("forbidden", action, times=None)
    assert stack.preview().changes == {"same": 2}
    with pytest.raises(Failed, match="Forbidden"):
        stack.refresh()
    assert stack.ids() == pulumi_ids(simulator)
    simulator.clear_faults()

    _type(stack, evening)
    assert stack.up().changes == {"delete": 1, "same": 1}
    assert simulator.services == []


def test_second_service_takes_over_without_a_gap(stack: Stack, simulator: Simulator) -> None:
    """At each step, what the outputs lead to answers, and what they led to before does too."""
    (program,) = blocks(PAGE, "run: blue-green")
    stack.set_config("liveService", "blue")
    stack.set_config("deployed", '["green"]')
    with pytest.raises(Failed, match=r"liveService is blue, which is not deployed: \['green'\]"):
        stack.preview(program.program())
    steps = _follow(stack, "step")
    next(steps)
    blue, green = sorted(simulator.services, key=lambda one: one.ai_nodes)
    assert stack.outputs() == {"url": blue.private_connect_url, "apiKey": blue.api_key}
    next(steps)
    assert stack.outputs() == {"url": green.private_connect_url, "apiKey": green.api_key}
    assert len(simulator.services) == 2
    assert list(steps) == [None]
    assert simulator.services == [green]
    assert mutations(simulator) == ["CreateModelService"] * 2 + ["DeleteModelService"]
    assert stack.outputs() == {"url": green.private_connect_url, "apiKey": green.api_key}


@pytest.fixture
def pack(tmp_path: Path) -> str:
    """The pack, with this Python: its folder for Pulumi's language host, else a program."""
    folder = tmp_path / "policy"
    shutil.copytree(POLICY, folder, ignore=shutil.ignore_patterns("venv", "__pycache__"))
    project = yaml.safe_load((folder / "PulumiPolicy.yaml").read_text(encoding="utf-8"))
    project["runtime"]["options"]["virtualenv"] = sys.prefix
    (folder / "PulumiPolicy.yaml").write_text(yaml.safe_dump(project), encoding="utf-8")
    if language_host():
        return str(folder)
    program = folder / "start"  # as the host would
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pulumi.policy "$1" "{folder}"\n')
    program.chmod(0o755)
    return str(program)


def _violations(done: Any) -> set[tuple[str, str, str]]:
    """Resource, policy and level of each violation that the engine told of."""
    told = [event.policy_event for event in done.log.events if event.policy_event]
    return {
        (one.resource_urn.rpartition("::")[2], one.policy_name, one.enforcement_level)
        for one in told
    }


def test_policy_pack_refuses_what_the_page_says(
    stack: Stack, simulator: Simulator, pack: str, tmp_path: Path
) -> None:
    """At preview, all violations; a service that exists is not touched by what is refused."""
    few = {
        "open": ["0.0.0.0/0"],
        "halves": ["0.0.0.0/1", "128.0.0.0/1"],
        "added-up": ["203.0.113.0/24", "198.51.100.7"],
        "wider": ["10.0.0.0/7"],
        "secret": ["0.0.0.0/0"],
        "empty": [],
        "unset": None,
    }
    fine = {
        "private": ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", " 203.0.113.9/24"],
        "twice": ["203.0.113.0/24", "203.0.113.7"],
    }

    def program() -> None:
        for name, entries in {**few, **fine}.items():
            listed = pulumi.Output.secret(entries) if name == "secret" else entries
            declare(name, ai_nodes=[name], security_ip_list=listed, security_ip_group="own")
        other = declare("other", model_name="Qwen3-32B", security_ip_list=["10.0.0.1"])
        late = other.model_service_id.apply(lambda _: "0.0.0.0/0")
        declare("late", ai_nodes=["ai-2"], security_ip_list=[late], security_ip_group="own")

    with pytest.raises(Failed) as refused:
        stack.preview(program, policy_packs=[pack])
    assert _violations(refused.value) == {
        *((name, "few-callers", "mandatory") for name in few),
        ("other", "known-models", "mandatory"),
        ("other", "own-whitelist-group", "mandatory"),
        ("late", "few-callers", "advisory"),
    }

    (config,) = blocks(PAGE, "file: policy-config.json")
    (tmp_path / "policy-config.json").write_text(config.text, encoding="utf-8")
    configured = {
        "policy_packs": [pack],
        "policy_pack_configs": [str(tmp_path / "policy-config.json")],
    }

    def admitting(network: str) -> Program:
        return service(model_name="Qwen3-8B", security_ip_group="own", security_ip_list=[network])

    stack.up(admitting("203.0.113.0/28"), **configured)
    with pytest.raises(Failed) as refused:
        stack.up(admitting("203.0.113.0/27"), **configured)
    assert _violations(refused.value) == {("model", "few-callers", "mandatory")}
    assert mutations(simulator) == ["CreateModelService"]
