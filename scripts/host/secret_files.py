"""Checks the files that hold BigBlueButton's shared secret: its value, and who on the host can read it.

Packages and bbb-conf leave these files readable by every user of the host. No output has the secret's value.
"""

import grp
import os
import re
import stat

from checks import Doubtful, Wrong, worst
from whole_files import read
from wire_files import AKKA, GROUP, WEB_OVERRIDE

REMEDY = "give the setting rotateSharedSecret a new value, then pulumi up; Greenlight and LMS need the new secret"

VALUES = {
    WEB_OVERRIDE: r"^[ \t]*securitySalt[ \t]*[=:][ \t]*(\S*)",
    AKKA: r'^[ \t]*(?:services\.)?sharedSecret[ \t]*[=:][ \t]*"?([^"\s]*)',
}


def group_name(gid):
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def access_finding(root, name):
    """Returns None when the services can read the file and no other user can."""
    found = os.stat(os.path.join(root, name))
    group = group_name(found.st_gid)
    remedy = f"chgrp {GROUP} /{name} && chmod 640 /{name}"
    if found.st_mode & stat.S_IRWXO:
        return Doubtful(f"every user of this host can read the shared secret in /{name}", remedy)
    if group != GROUP or not found.st_mode & stat.S_IRGRP:
        mode = f"{stat.S_IMODE(found.st_mode):o}"
        return Wrong(f"/{name} is {mode} of group {group}: BigBlueButton's services can't read it", remedy)
    return None


def check_shared_secret(root, secret):
    """Checks the shared secret in all files. @raise Wrong naming each file"""
    findings = []
    here = [name for name in VALUES if os.path.exists(os.path.join(root, name))]
    if not here:
        return "in this release's packaged files"
    for name in here:
        values = re.findall(VALUES[name], read(os.path.join(root, name)), re.MULTILINE)
        if values[-1:] != [secret]:
            findings.append(Wrong(f"/{name} has {'another' if values else 'no'} shared secret", REMEDY))
        findings.append(access_finding(root, name))
    findings = [finding for finding in findings if finding]
    return worst(findings) if findings else "as deployed, for BigBlueButton's services only"
