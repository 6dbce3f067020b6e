#!/usr/bin/python3
"""Packs a directory's files into a zip that Python runs: the same files give the same bytes.

    zip_tree.py DIRECTORY OUTPUT
"""

import pathlib
import sys
import zipfile

tree, output = map(pathlib.Path, sys.argv[1:])
with zipfile.ZipFile(output, "w") as archive:
    for path in sorted(tree.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            archive.writestr(zipfile.ZipInfo(str(path.relative_to(tree)), (2026, 1, 1, 0, 0, 0)), path.read_bytes())
