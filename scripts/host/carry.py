"""State of a BigBlueButton server that its installer does not make again: what is carried to another server.

`places` tells which files these are, `manifest` describes them, and `merge` brings them to a server that was installed
anew. Files that the deployment itself makes (turn-stun-servers.xml, secrets, addresses) are not carried: the new
server has its own. Changed files of packages are named only, since they belong to a version.
"""

import contextlib
import filecmp
import grp
import json
import os
import pwd
import re
import shutil
import time

import whole_files
from checks import Unanswered, run
from keyed_text import FORMATS, Unreadable
from owned_keys import read_record

ROOT = os.environ.get("BBB_DEPLOY_ROOT", "")
STATE = os.environ.get("BBB_DEPLOY_STATE", f"{ROOT}/var/lib/bbb-deploy")

# Files whose keys are merged one by one; bigbluebutton/overrideFiles.ts has the same rows and more.
KEYED = {
    "/etc/bigbluebutton/bbb-web.properties": "properties",
    "/etc/bigbluebutton/bbb-html5.yml": "yaml",
    "/etc/bigbluebutton/bbb-apps-akka.conf": "hocon",
    "/etc/bigbluebutton/bbb-fsesl-akka.conf": "hocon",
    "/etc/bigbluebutton/bbb-webrtc-sfu/production.yml": "yaml",
    "/etc/bigbluebutton/bbb-webrtc-recorder.yml": "yaml",
    "/etc/bigbluebutton/bbb-graphql-middleware.yml": "yaml",
    "/etc/bigbluebutton/bbb-graphql-server.env": "env",
    "/etc/bigbluebutton/bbb-webhooks/production.yml": "yaml",
    "/etc/bigbluebutton/livekit.yaml": "yaml",
    "/etc/bigbluebutton/recording/recording.yml": "yaml",
    "/etc/bigbluebutton/recording/presentation.yml": "yaml",
    "/etc/default/bigbluebutton-cron-config": "env",
}
# Keys that are the server's own, by their names: each server has others.
OWN_KEYS = re.compile(r"serverURL|salt|secret|password|passwd|token|admin.?key|api.?key|^keys$|credential|redis|postgres", re.IGNORECASE)
OWN_VALUES = re.compile(r"(?<![\d.])(?!127\.|0\.0\.0\.0)\d{1,3}(?:\.\d{1,3}){3}(?![\d.])")
# Keys that a release no longer has.
GONE = {"4.0": {"lockSettingsDisableNote": "lockSettingsDisableNotes", "defaultMeetingLayout": None}}

# Folders whose files, but for those of packages and of the deployment, people have put there.
FOLDERS = (
    "/etc/bigbluebutton",
    "/etc/nginx/conf.d",
    "/etc/nginx/sites-available",
    "/etc/cron.d",
    "/etc/cron.daily",
    "/etc/systemd/system",
    "/var/www/bigbluebutton-default/assets",
    "/usr/share/bigbluebutton/html5-client/resources/images/virtual-backgrounds",
    "/usr/share/bigbluebutton/nginx",
    "/usr/local/bigbluebutton/core/scripts/post_publish",
    "/usr/local/bigbluebutton/core/scripts/post_archive",
    "/usr/local/share/fonts",
    "/opt/freeswitch/etc/freeswitch/dialplan",
    "/opt/freeswitch/etc/freeswitch/directory",
    "/opt/freeswitch/etc/freeswitch/sip_profiles",
    "/opt/freeswitch/share/freeswitch/sounds",
)
# What installers and the deployment make anew on each server, and what is in the way there.
MADE_ANEW = re.compile(
    r"/turn-stun-servers\.xml$|bbb-deploy|/bbb-(alerts|backup|turn-metrics)|/bigbluebutton-exporter|\.wants/|\.requires/|/etc/systemd/system/(snap|dbus-|syslog|sshd|cloud-|multi-user|certbot|dummy-nic)"
    r"|/sites-available/(bigbluebutton|default)$|/greenlight-v3\.nginx$|\.dpkg-(old|new|dist)$|\.(swp|bak|old|new)$|~$|/bigbluebutton-release$|/default-fe\.nginx|\.disabled$"
)
CERTIFICATES = ("live", "archive", "renewal", "accounts")


def below(path, root=None):
    return f"{ROOT if root is None else root}{path}"


def owned_by_packages(paths):
    """Returns those of some paths that a package has brought."""
    found: set = set()
    for at in range(0, len(paths), 200):
        _, printed = run("dpkg-query", "-S", *paths[at : at + 200], limit=120)
        for line in printed.splitlines():
            if not line.startswith("diversion by"):
                found.add(line.partition(": ")[2])
    return found


def files_in(folder):
    """Returns the files and links below a folder, by the paths they have on the server."""
    found = []
    for directory, _, names in os.walk(below(folder)):
        found += [os.path.join(directory, name)[len(ROOT) :] for name in names]
    return found


def own_files():
    """Returns the files that people have put on this server, as far as is known where."""
    candidates = [path for folder in FOLDERS for path in files_in(folder) if not MADE_ANEW.search(path) and path not in KEYED]
    packaged = owned_by_packages(candidates) if candidates else set()
    deployed = deployed_files()
    return sorted(path for path in candidates if path not in packaged and path not in deployed and not os.path.islink(below(path)))


def deployed_files():
    """Returns whole files that the settings have put there, as they do on a new server."""
    record = read_record(f"{STATE}/owned-keys.json") or {"files": {}}
    return {path for path, file in record["files"].items() if file.get("format") == "file"}


def certificate_files():
    """Returns the folders of certbot's certificates and account."""
    return [path for path in (f"/etc/letsencrypt/{name}" for name in CERTIFICATES) if os.path.isdir(below(path))]


def places():
    """Returns the files and folders to carry that are on this server."""
    keyed = [path for path in KEYED if os.path.isfile(below(path))]
    return [*keyed, *own_files(), *certificate_files()]


def owner_names(path):
    found = os.lstat(path)
    with contextlib.suppress(KeyError):
        return [pwd.getpwuid(found.st_uid).pw_name, grp.getgrgid(found.st_gid).gr_name]
    return ["root", "root"]


def changed_package_files():
    """Returns {path: digest} of files that are not as their package brought them. @raise Unanswered"""
    try:
        _, printed = run("dpkg", "--verify", limit=300)
    except FileNotFoundError:
        return {}
    found = {}
    for line in printed.splitlines():
        path = line[line.find("/") :] if "/" in line else ""
        if path.startswith(("/etc/", "/usr/share/", "/usr/local/", "/opt/freeswitch/", "/var/www/")) and os.path.isfile(below(path)):
            with contextlib.suppress(OSError):
                found[path] = whole_files.digest(below(path))
    return found


def keep_baseline(path):
    """Notes which files of packages the installers have changed, where that is not noted yet."""
    if os.path.exists(path):
        return
    with contextlib.suppress(Unanswered):
        whole_files.replace(path, json.dumps(changed_package_files(), indent=1) + "\n")


def changed_by_people(baseline_path):
    """Returns the files of packages that have changed since the baseline was taken."""
    baseline = whole_files.read_json(baseline_path) or {}
    try:
        now = changed_package_files()
    except Unanswered:
        return []
    return sorted(path for path, digest in now.items() if baseline.get(path) != digest)


def version_of():
    """Returns the version line of BigBlueButton, e.g. "3.0"; None where it does not tell."""
    with contextlib.suppress(OSError):
        found = re.search(r"(\d+\.\d+)", whole_files.read(below("/etc/bigbluebutton/bigbluebutton-release")))
        return found[1] if found else None
    return None


def manifest(paths, host, baseline_path):
    """Describes what is carried: owners by their names, since another server may number them differently."""
    files = [path for path in paths if os.path.isfile(below(path)) or os.path.islink(below(path))]
    return {
        "host": host,
        "bigbluebutton": version_of(),
        "owners": {path: owner_names(below(path)) for path in files},
        "changedPackageFiles": changed_by_people(baseline_path),
    }


# --- to another server ------------------------------------------------------------------------------------------------


class Merged:
    """Outcome of a merge, for the operator."""

    def __init__(self):
        self.lines: list = []
        self.keys = 0
        # One folder for all that a merge changes, however long it takes.
        self.kept = f"{STATE}/restore/kept/{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
        # Files that were put, each with where the one of before is kept, or None where there was none.
        self.put: dict = {}

    def note(self, text):
        self.lines.append(f"note: {text}")

    @property
    def changed(self):
        return self.keys + len(self.put) > 0


def leaves(value, way=()):
    """Returns (key, value) of each value in a map of maps; lists are values."""
    if isinstance(value, dict) and value:
        return [leaf for name, inner in value.items() for leaf in leaves(inner, (*way, name))]
    return [(list(way), value)] if way else []


def entries_of(form, text):
    """Returns (key, value) of each entry of a file. @raise Unreadable"""
    if form == "yaml":
        return [(key, value) for key, value in leaves(FORMATS["yaml"].data(text) or {}) if all(isinstance(step, str) for step in key)]
    names = dict.fromkeys(name for name, _ in FORMATS[form].entries(text) if name)
    return [(name, FORMATS[form].value(text, name)) for name in names]


def is_servers_own(key, value):
    words = key if isinstance(key, list) else [key]
    return any(OWN_KEYS.search(word) for word in words) or bool(OWN_VALUES.search(json.dumps(value, default=str)))


def owned_keys_of(path):
    """Returns the keys that the deployment's settings decide about, as JSON."""
    record = read_record(f"{STATE}/owned-keys.json") or {"files": {}}
    return {json.dumps(one["key"]) for one in record["files"].get(path, {}).get("keys", [])}


def moved(value, old, new):
    """Returns a value with the new server's name in place of the old one's."""
    if old == new:
        return value
    return json.loads(json.dumps(value).replace(old, new))


def merge_keys(tree, path, owners, names, outcome, version):
    """Sets in this server's file the keys that another one's has otherwise, but for what is a server's own."""
    form, old_text = KEYED[path], whole_files.read(below(path, tree))
    here = below(path)
    text = before = whole_files.read(here) if os.path.exists(here) else ""
    short, decided = os.path.basename(path), owned_keys_of(path)
    for key, value in entries_of(form, old_text):
        name = ".".join(key) if isinstance(key, list) else key
        gone = GONE.get(version or "", {})
        if is_servers_own(key, value) or json.dumps(key) in decided:
            continue
        if name in gone:
            instead = f"; now it is {gone[name]}" if gone[name] else ""
            outcome.note(f"{name} of {short} was left out: BigBlueButton {version} does not have it{instead}")
            continue
        wanted = moved(value, *names)
        if FORMATS[form].value(text, key) == wanted:
            continue
        try:
            text = FORMATS[form].put(text, key, wanted)
            outcome.keys += 1
        except Unreadable as error:
            outcome.note(f"{name} of {short} was left as it is here: {error}")
    blocks = [line for line in old_text.splitlines() if form == "hocon" and line.rstrip().endswith("{") and line not in before]
    if blocks:
        outcome.note(f"{short} has blocks in braces, which are not carried over; its old text is in {below(path, tree)}")
    if text != before:
        owner, mode = attributes(tree, path, here, owners)
        if before:
            keep(path, outcome)
        os.makedirs(os.path.dirname(here), exist_ok=True)
        whole_files.replace(here, text, owner, mode)


def attributes(tree, path, here, owners):
    """Returns (owner, mode) for a file: as it is here, else as it was there."""
    if os.path.exists(here):
        found = os.stat(here)
        return (found.st_uid, found.st_gid) if os.geteuid() == 0 else None, found.st_mode & 0o7777
    mode = os.stat(below(path, tree)).st_mode & 0o7777
    return (ids_of(owners) if os.geteuid() == 0 else None), mode


def ids_of(names):
    try:
        return pwd.getpwnam(names[0]).pw_uid, grp.getgrnam(names[1]).gr_gid
    except KeyError:
        return 0, 0


def put_file(tree, path, owners, outcome):
    """Copies a file that people had put on the other server."""
    there, here = below(path, tree), below(path)
    if os.path.exists(here) and filecmp.cmp(there, here, shallow=False):
        return
    owner = ids_of(owners) if os.geteuid() == 0 else None
    mode = os.stat(there).st_mode & 0o7777
    os.makedirs(os.path.dirname(here), exist_ok=True)
    new = f"{os.path.dirname(here)}/.{os.path.basename(here)}.bbb-restore"
    shutil.copyfile(there, new)
    if owner:
        os.chown(new, *owner)
    os.chmod(new, mode)
    before = None
    if os.path.exists(here):
        before = keep(path, outcome)
        outcome.note(f"{path} was another here: that one is kept in {before}")
    os.replace(new, here)
    outcome.put[path] = before


def keep(path, outcome):
    """Keeps this server's file, whose place another one takes, and returns where."""
    kept = f"{outcome.kept}{path}"
    os.makedirs(os.path.dirname(kept), mode=0o700, exist_ok=True)
    shutil.copy2(below(path), kept)
    return kept


def leave_out_what_nginx_refuses(tree, outcome):
    """Takes the files of nginx back that were put, if nginx could not start with them: then no page would be shown."""
    put = [path for path in outcome.put if "/nginx/" in path]
    if not put:
        return
    try:
        code, _ = run("nginx", "-qt", limit=60)
    except (FileNotFoundError, Unanswered):
        return
    if code == 0:
        return
    for path in put:
        before = outcome.put.pop(path)
        if before is None:
            os.unlink(below(path))
        else:
            shutil.copyfile(before, below(path))
        outcome.note(f"{path} was left out: nginx does not start with it here. It is in {below(path, tree)}")


def merge(tree, carried):
    """Brings the state in a folder to this server, which was installed anew. It may run any number of times.

    tree: folder that stands for the other server's root. carried: its manifest, and the new server's name as "newHost".
    Returns the outcome.
    """
    outcome = Merged()
    names = (carried["host"], carried["newHost"])
    version, owners = version_of(), carried["owners"]
    if carried.get("bigbluebutton") and version and carried["bigbluebutton"] != version:
        outcome.note(f"the backup is of BigBlueButton {carried['bigbluebutton']}, this server has {version}: look at each changed setting once")
    decided = deployed_files()
    for path in sorted(owners):
        if not os.path.isfile(below(path, tree)) or path.startswith("/etc/letsencrypt/"):
            continue
        try:
            if path in KEYED:
                merge_keys(tree, path, owners[path], names, outcome, version)
            elif path not in decided:
                put_file(tree, path, owners[path], outcome)
        except (OSError, Unreadable) as error:
            outcome.note(f"{path} was not carried over: {getattr(error, 'strerror', None) or error}")
    leave_out_what_nginx_refuses(tree, outcome)
    for path in carried.get("changedPackageFiles", []):
        outcome.note(f"{path} of a package had been changed on the old server; it belongs to its version, so do that again here if it is still needed. The old text is in {below(path, tree)}")
    return outcome
