"""For `test_doors`: an extension of a server that writes down our handlers, and who may do what by a file."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from jupyter_server.auth import Authorizer

_FOLDER = Path(os.environ.get("FLYTE_TEST_WALK", "."))


class ByFile(Authorizer):
    """Lets do with our resource what the file `allowed` says."""

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        return resource != "flyte_jupyter" or action in (_FOLDER / "allowed").read_text().split()


def _load_jupyter_server_extension(serverapp: Any) -> None:
    """All other extensions are loaded: the name of this module is the last one."""
    rules = [rule for router in serverapp.web_app.wildcard_router.rules for rule in [router]]
    rules += [rule for host in serverapp.web_app.default_router.rules for rule in getattr(host.target, "rules", [])]
    ours = [rule for rule in rules if getattr(rule.target, "__module__", "").startswith("flyte_jupyter.")]
    found = sorted({(rule.matcher.regex.pattern, rule.target.__name__, _methods(rule.target)) for rule in ours})
    (_FOLDER / "handlers.json").write_text(json.dumps(found))


def _methods(handler: Any) -> tuple[str, ...]:
    from tornado.web import RequestHandler

    names = ("get", "post", "put", "patch", "delete")
    return tuple(name for name in names if getattr(handler, name) is not RequestHandler._unimplemented_method)
