"""Builds the API reference as HTML: ``python -W error .ci/reference.py <folder>``.

pdoc does not support all docstring fields of the Azure SDK, so this rewrites the unsupported ones first.
"""

import re
import sys
from pathlib import Path

import pdoc
import pdoc.docstrings

from azure.communication.rooms import emulator

FIELDS = [
    (r"(?m)^:(type|paramtype|rtype)\b.*\n?(?:[ \t]+.*\n?)*", ""),  # signatures show the types
    (r"(?m)^:(?:param|keyword)\b[^:]*?(\w+):", r":param \1:"),
    (r"~[\w.]+\.(\w+)", r"\1"),
    (r"(?m)^(:(?:param|return|raises)\b[^:]*:) ", "\\1\n "),  # otherwise pdoc splits the line at its last colon
]

markdown_from_rst = pdoc.docstrings.rst


def markdown_from_azure_rst(contents: str, source_file: Path | None) -> str:
    for pattern, replacement in FIELDS:
        contents = re.sub(pattern, replacement, contents)
    return markdown_from_rst(contents, source_file)


pdoc.docstrings.rst = markdown_from_azure_rst
for name in emulator.__all__:  # pdoc documents only names that are already imported; these are imported on first use
    setattr(emulator, name, getattr(emulator, name))
pdoc.render.configure(docformat="restructuredtext", show_source=False)
pdoc.pdoc("azure.communication.rooms", emulator.__name__, output_directory=Path(sys.argv[1]))
