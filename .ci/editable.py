"""Makes an editable install expose only ``azure``, and not the checkout's ``tests`` and ``samples``.

The installed ``.pth`` file names the folder ``.editable``, which contains only a link to ``azure``. mypy and pyright
follow this link, but would not follow an import hook.
"""

import shutil
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class EditableHook(BuildHookInterface[Any]):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Create the link before an editable install. Other builds do not need it."""
        package = Path(self.root, "azure")
        link = Path(self.root, ".editable", "azure")
        if version != "editable" or (link.exists() and link.samefile(package)):
            return
        shutil.rmtree(link.parent, ignore_errors=True)  # in a copy of a checkout, the link may be a folder
        link.parent.mkdir()
        if sys.platform == "win32":
            import _winapi  # noqa: PLC0415 - it exists only on Windows

            _winapi.CreateJunction(str(package), str(link))  # a symbolic link needs privileges
        else:
            link.symlink_to(Path("..", "azure"))
