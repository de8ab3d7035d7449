"""Dialects of the values in reads: words for a status, texts, names, whitelists, fields."""

from __future__ import annotations

from typing import Any

import pytest

from pulumi_adbpg_model.testing import Simulator
from tests.simulator.conftest import FakeClock, Sdk, Start
from tests.simulator.dialects.conftest import Read
from tests.simulator.dialects.registry import dialect

SENT = "10.2.3.4/8,9.9.9.9/32,1.1.1.1,10.0.0.0/8,1.1.1.1"


def _statuses(sdk: Sdk, service_id: str) -> tuple[str | None, str | None]:
    """The word of describe and that of the list."""
    listed = sdk.list()["ModelServices"][0].get("Status")
    return sdk.describe(service_id).get("Status"), listed


def _whitelist(sdk: Sdk, sent: str | None) -> str:
    """What comes back for a list that is sent, from describe; the list must agree."""
    service_id = sdk.create("ai-1", security_iplist=sent)
    shown: str = sdk.describe(service_id)["SecurityIpList"]
    assert sdk.list()["ModelServices"][0]["SecurityIPList"] == shown
    return shown


@dialect("status-capitalised")
def test_status_capitalised(sdk: Sdk, clock: FakeClock) -> None:
    """Status words start with a capital and are spelt rightly, in both reads."""
    service_id = sdk.create("ai-1")
    assert _statuses(sdk, service_id) == ("Deploying", "Deploying")
    clock.advance(1.0)
    assert _statuses(sdk, service_id) == ("Active", "Active")


@dialect("status-deploying")
def test_status_deploying(sdk: Sdk, clock: FakeClock) -> None:
    """The pending word is spelt rightly; the others are as ever."""
    service_id = sdk.create("ai-1")
    assert _statuses(sdk, service_id) == ("deploying", "deploying")
    clock.advance(1.0)
    assert _statuses(sdk, service_id) == ("active", "active")


@dialect("status-unknown-words", provision_seconds=10.0, delete_seconds=10.0)
def test_status_unknown_words(sdk: Sdk, clock: FakeClock) -> None:
    """Nobody knows the words before and after active."""
    service_id = sdk.create("ai-1")
    assert _statuses(sdk, service_id) == ("initializing", "initializing")
    clock.advance(5.0)
    assert _statuses(sdk, service_id) == ("PREPARING", "PREPARING")
    clock.advance(5.0)
    assert _statuses(sdk, service_id) == ("active", "active")
    sdk.delete(service_id)
    assert _statuses(sdk, service_id) == ("Terminating", "Terminating")


@dialect("status-missing", delete_seconds=10.0)
def test_status_missing(sdk: Sdk, clock: FakeClock, read: Read) -> None:
    """There is no Status until there is a final one, and again while deleting."""
    service_id = sdk.create("ai-1")
    assert "Status" not in read("DescribeModelService", ModelServiceId=service_id)
    assert "Status" not in read("ListModelServices")["ModelServices"][0]
    clock.advance(1.0)
    assert _statuses(sdk, service_id) == ("active", "active")
    sdk.delete(service_id)
    assert _statuses(sdk, service_id) == ("deleting", "deleting")


@pytest.mark.parametrize("failed", ["deploy_failed", "create_error"])
@dialect("failure-failed")
def test_failure_failed(simulator: Simulator, sdk: Sdk, clock: FakeClock, failed: str) -> None:
    """A failed deployment is Failed, whatever the simulator calls it."""
    _fails_as("Failed", simulator, sdk, clock, failed)


@pytest.mark.parametrize("failed", ["deploy_failed", "create_error"])
@dialect("failure-create-failed", "status-capitalised")
def test_failure_create_failed(
    simulator: Simulator, sdk: Sdk, clock: FakeClock, failed: str
) -> None:
    """A failed deployment is CreateFailed, spelt so beside other dialects too."""
    _fails_as("CreateFailed", simulator, sdk, clock, failed)


@dialect("failure-error")
def test_failure_error(simulator: Simulator, sdk: Sdk, clock: FakeClock) -> None:
    """A failed deployment is in error."""
    _fails_as("error", simulator, sdk, clock, "deploy_failed")


@dialect("failure-abnormal")
def test_failure_abnormal(simulator: Simulator, sdk: Sdk, clock: FakeClock) -> None:
    """A failed deployment has a word that does not sound like failing."""
    _fails_as("abnormal", simulator, sdk, clock, "deploy_failed")


def _fails_as(word: str, simulator: Simulator, sdk: Sdk, clock: FakeClock, failed: str) -> None:
    simulator.fail_next_deployment(failed)
    service_id = sdk.create("ai-1")
    assert sdk.describe(service_id)["Status"].lower() in ("deployming", "deploying")
    clock.advance(1.0)
    assert _statuses(sdk, service_id) == (word, word)
    assert simulator.service(service_id).status == failed

    simulator.change_service(service_id, status="active")
    assert sdk.describe(service_id)["Status"].lower() == "active"
    simulator.fail_service(service_id, failed)
    assert _statuses(sdk, service_id) == (word, word)


def _description(sdk: Sdk, sent: str) -> str:
    """What comes back for a description that is sent, from describe; the list must agree."""
    service_id = sdk.create("ai-1", description=sent)
    shown: str = sdk.describe(service_id)["Description"]
    assert sdk.list()["ModelServices"][0]["Description"] == shown
    return shown


@dialect("description-stripped")
def test_description_stripped(sdk: Sdk) -> None:
    """A last newline is gone; what is inside stays."""
    assert _description(sdk, " a \r\nb\n\n") == "a \r\nb"


@dialect("description-padded")
def test_description_padded(sdk: Sdk) -> None:
    """There is white space where there was none."""
    assert _description(sdk, "a\r\nb") == " a\r\nb\n"


@dialect("description-padded")
def test_no_description_is_not_padded(sdk: Sdk) -> None:
    """What was never set stays out."""
    assert "Description" not in sdk.describe(sdk.create("ai-1"))


@dialect("description-lf", "description-stripped")
def test_description_lf(sdk: Sdk) -> None:
    """Every line ends as on Unix, beside other dialects too."""
    assert _description(sdk, "a\r\nb\rc\n\nd\n") == "a\nb\nc\n\nd"


@dialect("description-crlf", "description-padded")
def test_description_crlf(sdk: Sdk) -> None:
    """Every line ends as in HTTP, also one that another dialect adds."""
    assert _description(sdk, "a\r\nb\rc\n\nd") == " a\r\nb\r\nc\r\n\r\nd\r\n"


@dialect("names-padded")
def test_names_padded(sdk: Sdk) -> None:
    """Wherever a model or a node is named; what is sent is compared without."""
    shown = sdk.describe(sdk.create("ai-1", "ai-2"))
    (listed,) = sdk.list()["ModelServices"]
    for service in (shown, listed):
        assert (service["ModelName"], service["AiNodes"]) == (
            " Qwen3-Embedding-8B ",
            [" ai-1 ", " ai-2 "],
        )
    assert sdk.bound_nodes() == [" ai-1 ", " ai-2 "]
    assert " Qwen3-Embedding-8B " in sdk.models()["ModelNames"]["modelNames"]


@dialect("model-lower-case")
def test_model_lower_case(sdk: Sdk) -> None:
    """In both reads of a service, not in the list of what can be deployed."""
    assert _model(sdk) == "qwen3-embedding-8b"


@dialect("model-upper-case", "names-padded")
def test_model_upper_case(sdk: Sdk) -> None:
    """The other way round, beside other dialects too."""
    assert _model(sdk) == " QWEN3-EMBEDDING-8B "


def _model(sdk: Sdk) -> str:
    shown: str = sdk.describe(sdk.create("ai-1"))["ModelName"]
    assert sdk.list()["ModelServices"][0]["ModelName"] == shown
    listed = [name.strip() for name in sdk.models()["ModelNames"]["modelNames"]]
    assert "Qwen3-Embedding-8B" in listed
    return shown


@dialect("nodes-reordered")
def test_nodes_reordered(sdk: Sdk) -> None:
    """Nodes come back in another order than sent, in both reads."""
    service_id = sdk.create("ai-1", "ai-3", "ai-2")
    assert sdk.describe(service_id)["AiNodes"] == ["ai-3", "ai-2", "ai-1"]
    assert sdk.list()["ModelServices"][0]["AiNodes"] == ["ai-3", "ai-2", "ai-1"]


@dialect("whitelist-canonical")
def test_whitelist_canonical(sdk: Sdk) -> None:
    """Whitelists are networks: cleared, shortened, sorted and unique."""
    assert _whitelist(sdk, f"{SENT},0.0.0.0/0") == "0.0.0.0/0,1.1.1.1,9.9.9.9,10.0.0.0/8"


@dialect("whitelist-reordered")
def test_whitelist_reordered(sdk: Sdk) -> None:
    """Entries are as sent, in another order."""
    assert _whitelist(sdk, SENT) == "9.9.9.9/32,10.2.3.4/8,10.0.0.0/8,1.1.1.1,1.1.1.1"


@dialect("whitelist-deduplicated")
def test_whitelist_deduplicated(sdk: Sdk) -> None:
    """What is written the same is shown once; what only means the same stays."""
    assert _whitelist(sdk, SENT) == "10.2.3.4/8,9.9.9.9/32,1.1.1.1,10.0.0.0/8"


@dialect("whitelist-slash-32")
def test_whitelist_slash_32(sdk: Sdk) -> None:
    """Single addresses are networks of one."""
    assert _whitelist(sdk, SENT) == "10.2.3.4/8,9.9.9.9/32,1.1.1.1/32,10.0.0.0/8,1.1.1.1/32"


@dialect("whitelist-spaced")
def test_whitelist_spaced(sdk: Sdk) -> None:
    """The separator is a comma and a space."""
    assert _whitelist(sdk, "1.1.1.1,2.2.2.2") == "1.1.1.1, 2.2.2.2"


@dialect("whitelist-default-added")
def test_whitelist_default_added(simulator: Simulator, sdk: Sdk) -> None:
    """127.0.0.1 is always there, and never twice."""
    assert _whitelist(sdk, "1.1.1.1,2.2.2.2") == "127.0.0.1,1.1.1.1,2.2.2.2"
    simulator.change_service(simulator.services[0].id, security_ip_list="1.1.1.1,127.0.0.1")
    assert sdk.describe(simulator.services[0].id)["SecurityIpList"] == "1.1.1.1,127.0.0.1"


FIELDS: tuple[dict[str, Any], dict[str, Any]] = (
    {
        "Description": "",
        "AiNodes": [],
        "ModelName": "",
        "ModelParams": {},
        "CreateTime": "",
        "PublicConnectUrl": "",
        "SecurityIpList": "",
    },
    {
        "Description": "",
        "AiNodes": [],
        "ModelName": "",
        "ModelParams": {},
        "CreateTime": "",
        "PublicConnUrl": "",
        "SecurityIPList": "",
    },
)


def _both(sdk: Sdk, read: Read, clock: FakeClock) -> tuple[dict[str, Any], dict[str, Any]]:
    """An active, public, described service by describe and by list."""
    service_id = sdk.create(
        "ai-1", description="mine", enable_public_connection=True, model_params={"a": "b"}
    )
    clock.advance(1.0)
    described = read("DescribeModelService", ModelServiceId=service_id)
    listed = read("ListModelServices")["ModelServices"][0]
    for shown in (described, listed):
        assert shown["ModelServiceId"] == service_id
        assert shown["Status"] == "active"
        assert shown["ApiKey"].startswith("sk-")
    return described, listed


@pytest.mark.parametrize("simulator", [{}], indirect=True)
def test_all_fields_are_there_in_no_dialect(sdk: Sdk, read: Read, clock: FakeClock) -> None:
    """What the dialects of fields take away is there, not null and not empty, without them."""
    for shown, fields in zip(_both(sdk, read, clock), FIELDS, strict=True):
        assert all(shown[key] for key in fields)


@dialect("fields-missing")
def test_fields_missing(sdk: Sdk, read: Read, clock: FakeClock) -> None:
    """Both reads leave them out, by their own spelling of the keys."""
    for shown, fields in zip(_both(sdk, read, clock), FIELDS, strict=True):
        assert not shown.keys() & fields.keys()


@dialect("fields-null")
def test_fields_null(sdk: Sdk, read: Read, clock: FakeClock) -> None:
    """Both reads have them as null."""
    for shown, fields in zip(_both(sdk, read, clock), FIELDS, strict=True):
        assert {key: shown[key] for key in fields} == dict.fromkeys(fields)


@dialect("fields-null")
def test_fields_that_were_never_set_are_null_too(sdk: Sdk, read: Read) -> None:
    """What other clouds leave out for want of a value is null here."""
    described = read("DescribeModelService", ModelServiceId=sdk.create("ai-1"))
    assert {key: described[key] for key in FIELDS[0]} == dict.fromkeys(FIELDS[0])


@dialect("fields-empty")
def test_fields_empty(sdk: Sdk, read: Read, clock: FakeClock) -> None:
    """Both reads have them as the empty value of their type."""
    for shown, fields in zip(_both(sdk, read, clock), FIELDS, strict=True):
        assert {key: shown[key] for key in fields} == fields


@dialect("fields-extra")
def test_fields_extra(sdk: Sdk, read: Read, clock: FakeClock) -> None:
    """Every read has unknown fields of every JSON type, in items too; creating has none."""
    described, listed = _both(sdk, read, clock)
    pools = read("ListAINodePools")
    pool = pools["AINodePoolInfos"][0]
    levels = [described, listed, read("ListModelServices"), read("ListSupportModels")]
    for level in (*levels, pools, pool, pool["AINodeInfos"][0]):
        kinds = {type(value) for key, value in level.items() if key.startswith("New")}
        assert kinds == {str, float, bool, type(None), list, dict}
    assert described["AiNodes"] == ["ai-1"]


def test_unknown_fields_do_not_hide_that_a_service_is_gone(
    start: Start, connect: type[Sdk]
) -> None:
    """An empty answer stays empty."""
    simulator = start(dialects=["fields-extra", "describe-gone-empty"])
    assert connect(simulator).describe("ms-1").keys() == {"RequestId"}
