"""Makes an editable install expose ``azure`` only, and not this checkout's ``tests`` and ``samples``.

The installed ``.pth`` file names the folder ``.editable``, which holds only a link to ``azure``. Unlike an import hook,
mypy and pyright follow it.
"""

import shutil
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class EditableHook(BuildHookInterface[Any]):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the link before an editable install; other builds need none."""
        package = Path(self.root, "azure")
        link = Path(self.root, ".editable", "azure")
        if version != "editable" or (link.exists() and link.samefile(package)):
            return
        shutil.rmtree(link.parent, ignore_errors=True)  # a copy of the link is a folder
        link.parent.mkdir()
        if sys.platform == "win32":
            import _winapi  # noqa: PLC0415 - it is there only

            _winapi.CreateJunction(str(package), str(link))  # a symbolic link would need privileges
        else:
            link.symlink_to(Path("..", "azure"))
