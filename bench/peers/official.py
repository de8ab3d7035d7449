"""The official generated SDK, as its documentation sets it up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alibabacloud_gpdb20160503 import models
from alibabacloud_gpdb20160503.client import Client
from alibabacloud_tea_openapi.utils_models import Config

from bench.names import INSTANCE


def official(environment: Mapping[str, str]) -> Any:
    """A client for the cloud that the environment leads to."""
    protocol, _, host = environment["ADBPG_ENDPOINT"].partition("://")
    return Client(
        Config(
            endpoint=host,
            protocol=protocol,
            region_id=environment["ALICLOUD_REGION"],
            access_key_id=environment["ALICLOUD_ACCESS_KEY"],
            access_key_secret=environment["ALICLOUD_SECRET_KEY"],
        )
    )


def describe(client: Any, service: str) -> Any:
    """The SDK's answer about one service, by its name."""
    request = models.DescribeModelServiceRequest(dbinstance_id=INSTANCE, model_service_id=service)
    return client.describe_model_service(request)
