"""For plugins: `flyte.extend`, with Flyte's names.

from dataclasses import dataclass
from flyte_jupyter.extend import AsyncFunctionTaskTemplate, TaskPluginRegistry

@dataclass
class Database:
    url: str

class DatabaseTask(AsyncFunctionTaskTemplate):
    async def pre(self, *args, **kwargs):
        return {"connection": connect(self.plugin_config.url)}

    async def post(self, return_vals):
        flyte.ctx().data["connection"].close()

TaskPluginRegistry.register(Database, DatabaseTask)
env = flyte.TaskEnvironment("with_database", plugin_config=Database("..."))
"""

from __future__ import annotations

from .config.plugin import TaskPluginRegistry
from .config.values.pod_template import PRIMARY as PRIMARY_CONTAINER_DEFAULT_NAME
from .task import Task

AsyncFunctionTaskTemplate = Task
"""Every task here is one: a function with its configuration, and hooks around it."""

TaskTemplate = Task

__all__ = ["PRIMARY_CONTAINER_DEFAULT_NAME", "AsyncFunctionTaskTemplate", "TaskPluginRegistry", "TaskTemplate"]
