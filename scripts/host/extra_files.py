"""Files of the operator's own that the deployment puts on this host: whose place each would take, and whether nginx takes it.

Python 3.8 or newer, standard library only.
"""

import grp
import os
import pwd
import shutil
import subprocess

from whole_files import Mistake

NGINX = "reload:nginx"


def is_extra(file):
    """True for a file of the operator's own; the deployment's other whole files have no owner in the document."""
    return "owner" in file


def package_of(path):
    """Returns the package that a file belongs to; None for a file that belongs to none."""
    try:
        found = subprocess.run(["dpkg-query", "-S", path], check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    except FileNotFoundError:
        return None
    return found.stdout.split(":")[0] if found.returncode == 0 else None


def refusal(root, file, text, wanted):
    """Returns why a file can't be put in its place, where the deployment has not put it yet; None if it can."""
    path = os.path.join(root, file["path"].lstrip("/"))
    setting = file["setting"]
    package = package_of(file["path"])
    if package:
        return f"{setting}: {file['path']} is of the package {package}, whose next upgrade would write over it. Take it out of the setting"
    if os.path.islink(path) or os.path.isdir(path):
        return f"{setting}: {file['path']} is a {'link' if os.path.islink(path) else 'folder'}. Remove it on the server, or take it out of the setting"
    if text is not None and text != wanted and not file["replace"]:
        return f"{setting}: {file['path']} is on the server already, with another content. Remove it there, or add replace: true, with which it comes back when the setting is taken back"
    return None


def owner_of(root, file):
    """Returns (uid, gid). @raise Mistake for a name that the host does not know"""
    user, group = file["owner"].split(":")
    if root != "/" or os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(user).pw_uid, grp.getgrnam(group).gr_gid
    except KeyError:
        raise Mistake(f"{file['setting']}: this host has no user {user} with a group {group}") from None


def nginx_refuses():
    """Returns what nginx says against its configuration; None if it takes it."""
    nginx = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if nginx is None:
        return None
    done = subprocess.run([nginx, "-t"], check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode == 0:
        return None
    lines = [line for line in done.stdout.splitlines() if "[emerg]" in line] or done.stdout.splitlines()
    return lines[0].strip() if lines else f"it ended with {done.returncode}"
