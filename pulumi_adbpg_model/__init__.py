"""Manage AnalyticDB for PostgreSQL model services with Pulumi."""

from __future__ import annotations

from pulumi_adbpg_model.arguments import ModelServiceArgs, ModelServiceArgsDict
from pulumi_adbpg_model.resource import ModelService

__all__ = ["ModelService", "ModelServiceArgs", "ModelServiceArgsDict"]
