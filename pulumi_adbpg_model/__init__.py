"""Manage AnalyticDB for PostgreSQL model services with Pulumi."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pulumi_adbpg_model.functions import (
        GetAiNodePoolsNodeResult,
        GetAiNodePoolsPoolResult,
        GetAiNodePoolsResult,
        GetApiKeyResult,
        GetModelServicesResult,
        GetModelServicesServiceResult,
        GetSupportedModelsResult,
        get_ai_node_pools,
        get_ai_node_pools_output,
        get_api_key,
        get_api_key_output,
        get_model_services,
        get_model_services_output,
        get_supported_models,
        get_supported_models_output,
    )
    from pulumi_adbpg_model.resource import ModelService
    from pulumi_adbpg_model.resource._arguments import ModelServiceArgs, ModelServiceArgsDict

__all__ = [
    "GetAiNodePoolsNodeResult",
    "GetAiNodePoolsPoolResult",
    "GetAiNodePoolsResult",
    "GetApiKeyResult",
    "GetModelServicesResult",
    "GetModelServicesServiceResult",
    "GetSupportedModelsResult",
    "ModelService",
    "ModelServiceArgs",
    "ModelServiceArgsDict",
    "get_ai_node_pools",
    "get_ai_node_pools_output",
    "get_api_key",
    "get_api_key_output",
    "get_model_services",
    "get_model_services_output",
    "get_supported_models",
    "get_supported_models_output",
]

if not TYPE_CHECKING:
    # Loaded when asked for: every run of pytest imports the package, for the sake of its plugin,
    # and should not load Pulumi with it.
    def __getattr__(name: str) -> Any:
        if name in __all__:
            for home in ("resource", "functions"):
                module = import_module(f"{__name__}.{home}")
                if name in module.__all__:
                    return getattr(module, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return [*globals(), *__all__]
