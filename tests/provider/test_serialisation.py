"""The provider as every stack stores it, and what importing the package costs a program."""

from __future__ import annotations

import base64
import os
import pickle
import pickletools
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pulumi.dynamic import Config, ConfigureRequest
from pulumi.dynamic.dynamic import serialize_provider

from pulumi_adbpg_model import ModelService
from pulumi_adbpg_model.provider import ModelServiceProvider
from pulumi_adbpg_model.testing import Simulator
from tests.chaos.hosting import TimedHost
from tests.provider.dynamic_host import HostError, Properties

_TYPE = "urn:pulumi:dev::shop::pulumi-python:dynamic/adbpg:ModelService::"

# In the state of every stack: if these change, every user's next preview shows a change.
_STORED = (
    "gASVOwAAAAAAAACMG3B1bHVtaV9hZGJwZ19tb2RlbC5wcm92aWRlcpSMFE1v"
    "ZGVsU2VydmljZVByb3ZpZGVylJOUKYGULg=="
)
_STORED_SINCE_3_14 = (
    "gAWVOwAAAAAAAACMG3B1bHVtaV9hZGJwZ19tb2RlbC5wcm92aWRlcpSMFE1v"
    "ZGVsU2VydmljZVByb3ZpZGVylJOUKYGULg=="
)


def _run_python(code: str, folder: Path) -> str:
    """What a fresh interpreter prints, in a folder that has nothing of ours."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def _configured() -> ModelServiceProvider:
    provider = ModelServiceProvider()
    config = {"adbpg:accessKey": "made-up-id", "adbpg:secretKey": "made-up-secret"}
    provider.configure(ConfigureRequest(Config(config, "shop")))
    return provider


@pytest.mark.parametrize("make", [ModelServiceProvider, _configured])
@pytest.mark.parametrize(("protocol", "stored"), [(4, _STORED), (5, _STORED_SINCE_3_14)])
def test_provider_is_stored_by_reference(
    make: Callable[[], ModelServiceProvider],
    protocol: int,
    stored: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The stored text names module and class and holds nothing else, credentials least of all."""
    monkeypatch.setattr(pickle, "DEFAULT_PROTOCOL", protocol)  # as this Python, or another, does
    assert stored == serialize_provider(make())


def test_stored_provider_names_its_class_alone() -> None:
    """The frozen text is a reference to `provider.ModelServiceProvider`, made without arguments."""
    operations = [
        (operation.name, argument)
        for operation, argument, _ in pickletools.genops(base64.b64decode(_STORED))
        if operation.name not in ("PROTO", "FRAME", "MEMOIZE")
    ]

    assert [
        ("SHORT_BINUNICODE", "pulumi_adbpg_model.provider"),
        ("SHORT_BINUNICODE", "ModelServiceProvider"),
        ("STACK_GLOBAL", None),
        ("EMPTY_TUPLE", None),
        ("NEWOBJ", None),
        ("STOP", None),
    ] == operations


def test_stored_provider_loads_in_a_fresh_process(tmp_path: Path) -> None:
    """Any process that has the package can use what a state holds."""
    code = (
        "import base64, dill\n"
        f"provider = dill.loads(base64.b64decode({_STORED!r}))\n"
        "print(type(provider).__module__, type(provider).__name__, vars(provider))"
    )

    assert "pulumi_adbpg_model.provider ModelServiceProvider {}" == _run_python(code, tmp_path)


def test_provider_is_no_secret_in_the_state() -> None:
    """The reference hides nothing, so it stays readable in the state."""
    assert ModelServiceProvider.serialize_as_secret_always is False


def test_resource_type_is_frozen() -> None:
    """Type names are in the state too; a subclass has the type of its parent."""

    class Derived(ModelService):
        """As a user may write."""

    expected = "dynamic/adbpg:ModelService"
    assert [expected, expected] == [
        resource._resource_type_name for resource in (ModelService, Derived)
    ]


_HEAVY = ("alibabacloud_", "Tea", "darabonba", "aiohttp", "requests", "click")


def _loaded(code: str, folder: Path) -> set[str]:
    """The modules that a fresh interpreter has loaded after some code."""
    return set(_run_python(f"import sys\n{code}\nprint(*sys.modules)", folder).split())


def test_a_program_loads_only_what_it_declares_with(tmp_path: Path) -> None:
    """It does not pay for what the provider process does."""
    loaded = _loaded("from pulumi_adbpg_model import ModelService", tmp_path)
    ours = {name.partition(".")[2] for name in loaded if name.startswith("pulumi_adbpg_model.")}
    assert {
        "domain",
        "fields",
        "provider",
        "resource",
        "resource._arguments",
        "service",
        "service.state",
    } == ours


@pytest.mark.parametrize("name", ["ModelService", "get_api_key"])
def test_a_program_loads_no_cloud_sdk(name: str, tmp_path: Path) -> None:
    """It is there for the provider process, and for functions that are called."""
    loaded = _loaded(f"from pulumi_adbpg_model import {name}", tmp_path)
    assert "pulumi_adbpg_model.domain" in loaded
    assert [module for module in loaded if module.startswith(_HEAVY)] == []


def test_a_host_with_nothing_to_create_loads_no_cloud_sdk(tmp_path: Path) -> None:
    """An update without changes calls nothing, so it does not wait for what calls need."""
    code = (
        "from pulumi.dynamic import Config, ConfigureRequest\n"
        "from pulumi_adbpg_model.provider import ModelServiceProvider\n"
        "provider = ModelServiceProvider()\n"
        "keys = {'region': 'cn-hangzhou', 'accessKey': 'made-up', 'secretKey': 'made-up'}\n"
        "config = Config({f'adbpg:{name}': text for name, text in keys.items()}, 'shop')\n"
        "provider.configure(ConfigureRequest(config))\n"
        "there = dict(db_instance_id='gp-1', model_name='Qwen3-8B', ai_nodes=['ai-1'])\n"
        "checked = provider.check(there, there)\n"
        "assert not checked.failures, checked.failures\n"
        "assert not provider.diff('gp-1:ms-1', {**there, 'status': 'active'}, there).changes\n"
    )
    loaded = _loaded(code, tmp_path)
    assert "pulumi_adbpg_model.service.implementation" in loaded
    assert [name for name in loaded if name.startswith(_HEAVY)] == []


def test_references_of_two_pythons_lead_to_one_record(
    quick: TimedHost, following: TimedHost, cloud: Simulator, inputs: Properties
) -> None:
    """A state of an older Python, a program of a newer one: a deletion knows what is declared."""
    older = quick._provider
    newer = f"gAW{older[3:]}"
    one, two = (f"{_TYPE}{name}" for name in "ab")
    stored = quick.create(inputs, urn=one)
    cloud.clear_requests()

    quick._provider = newer
    unlisted = {**inputs, "model_name": "none such"}
    quick.check(unlisted, stored.outs, urn=one)
    assert quick.diff(stored, unlisted, urn=one).replaces
    quick.check(unlisted, urn=one)
    quick._provider = older
    with pytest.raises(HostError, match="what replaces it cannot be created"):
        quick.delete(stored, urn=one)

    following._provider = newer
    adopting = {**inputs, "__adopt": stored.id}
    following.check(adopting, urn=two)
    assert following.create(adopting, urn=two).id == stored.id
    following._provider = older
    following.delete(stored, urn=one)  # which leaves it alone
    assert cloud.mutations == []
