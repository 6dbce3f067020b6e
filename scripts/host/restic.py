"""Repository of the backups: runs restic for it, and tells its failures in a sentence with what to do.

The settings (bigbluebutton/backup.ts) hold secrets. restic gets them by files that root alone can read, never by a
command line or an environment.
"""

import json
import os
import re
import shlex
import socket
import subprocess
import tempfile
import threading
import time
import urllib.parse

import whole_files

HERE = os.path.join(os.environ.get("BBB_DEPLOY_STATE", os.environ.get("BBB_DEPLOY_ROOT", "") + "/var/lib/bbb-deploy"), "backup")
SETTINGS = f"{HERE}/settings.json"
CACHE = f"{HERE}/cache"
REACH_SECONDS = float(os.environ.get("BBB_BACKUP_REACH_SECONDS", "15"))
# It tries a refused request again for a quarter of an hour.
ASK_SECONDS = float(os.environ.get("BBB_BACKUP_ASK_SECONDS", "120"))
HOUR = 3600.0
LOCKED = "already locked"
NO_SESSION = "unable to start the sftp session"
NO_ROOM = r"no space left|[Qq]uota|remaining disk space|StorageFull|InsufficientStorage|EntityTooLarge|Disk full"
# It tries these again as well, though they stay the same.
REFUSED = re.compile(r"retrying after .*(Access Denied|AccessDenied|InvalidAccessKeyId|SignatureDoesNotMatch|[Bb]ucket does not exist|403 Forbidden)")
# Exit code of a backup in which some files could not be read.
INCOMPLETE = 3

KEPT = "What was saved before is untouched, and BigBlueButton is not affected."
THEN = "then scripts/backup run STACK"


class Failure(Exception):
    """Sentence for the operator: what is wrong, what to do, and what is safe."""


def failures(settings):
    """Returns (pattern of restic's words, sentence) of each known failure; the first that fits counts."""
    to = shown(settings["to"])
    if settings.get("appendOnly"):
        return [*failures_of_box(to), *failures({**settings, "appendOnly": False})]
    keys = "backup.accessKeyId and backup.secretAccessKey" if settings["to"].startswith("s3:") else "backup.sshKey"
    return [
        (r"wrong password or no key found", f"the repository {to} was made with another password than this stack's. Give the one with which it was made: pulumi config set --secret --path backup.password; or let the setting backup.to name an empty place. Then pulumi up"),
        (r"Host key verification failed|HOST IDENTIFICATION HAS CHANGED", f"another machine than backup.hostKey says answers for {to}. If its key was changed on purpose: ssh-keyscan shows the new one; set backup.hostKey, then pulumi up"),
        (r"Permission denied \(|Too many authentication failures", f"{to} does not let the server in. Set backup.sshKey to a private key whose public half is in the authorized keys there, then pulumi up"),
        (NO_SESSION, f"{to} ended the connection: it does not let the server in, or offers no SFTP. Set backup.sshKey to a private key whose public half is in the authorized keys there, and look whether backup.to is right; then pulumi up"),
        (r"[Bb]ucket does not exist|NoSuchBucket|bucket .* not found", f"there is no such bucket: {to}. Make it where your storage is, or correct backup.to; then pulumi up"),
        (NO_ROOM, f"there is no room left at {to}. Order more, or remove what is old: scripts/backup prune STACK; {THEN}"),
        (r"Access Denied|AccessDenied|InvalidAccessKeyId|SignatureDoesNotMatch|Access Key|403 Forbidden|[Ff]orbidden", f"the storage refuses the keys for {to}. Set {keys} to keys that may read and write there, then pulumi up"),
        (f"{LOCKED}|unable to create lock", "another backup, check or prune is at work in the repository. Wait for its end and run this again; a lock that a killed one left is removed by itself after half an hour"),
        (r"ciphertext verification failed|repository contains errors|pack .* (damaged|not found|does not|contains)|hash mismatch|invalid data returned|not found in index|load.* returned error", f"the repository {to} is damaged: parts of it are missing or changed. Keep it as it is for what can still be read; let backup.to name a new empty place, run pulumi up, {THEN}, and see docs/backup.md#a-damaged-repository"),
        (r"Is there a repository at the following location|unable to open config file|config file does not exist|does not exist", f"there is no repository at {to}: it was removed, or backup.to names another place than before. pulumi up makes a new one where there is none"),
        (r"dial tcp|connection refused|no such host|i/o timeout|network is unreachable|[Cc]onnection (closed|reset|timed out)|Could not resolve|x509", f"{to} does not answer as it should. Look whether your storage is up and backup.to is right; the next night tries again, or {THEN[5:]}"),
    ]


def failures_of_box(to):
    """Returns those of a Storage Box, whose keys and host key are none of the operator's settings."""
    return [
        (r"Host key verification failed|HOST IDENTIFICATION HAS CHANGED", f"another machine than a Storage Box answers for {to}: it has not the key that Hetzner publishes (https://docs.hetzner.com/storage/storage-box/general). If there is a new one on that page, give it by the setting backup.hostKey, then pulumi up"),
        (r"Permission denied \(|Too many authentication failures", f"the Storage Box {to} does not let the server in. pulumi up gives it the server's key again; look in the console whether the box has SSH support on"),
        (NO_ROOM, f"there is no room left at {to}. Order a larger one by the setting backup.boxType, or remove what is old: scripts/backup prune STACK; {THEN}"),
        (r"blob not removed", f"the server's key for {to} may add only, not delete: scripts/backup does that with the key in the stack's outputs"),
        (r"refusing to overwrite", f"a transfer to {to} was cut off. The next night tries again, or {THEN[5:]}"),
    ]


def shown(to):
    """Returns a restic URL without a password."""
    return re.sub(r"//[^/@]*:[^/@]*@", "//", to)


def meaning(settings, printed):
    """Returns restic's words as a sentence for the operator."""
    for pattern, sentence in failures(settings):
        if re.search(pattern, printed):
            return f"{sentence}. {KEPT}"
    last = next((line.strip() for line in reversed(printed.splitlines()) if line.strip() and not line.startswith("{")), "it said nothing")
    return f'restic could not do it: "{last[:300]}". /var/log/bbb-deploy/backup.log on the server has all of it. {KEPT}'


def read_settings():
    """Returns the deployment's settings. @raise Failure where it makes no backups"""
    try:
        with open(SETTINGS, encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        raise Failure("this server makes no backups: set backup.to, then pulumi up; docs/backup.md has examples") from None


def server_of(to):
    """Returns (host, port) of a repository's server; None for a folder."""
    if to.startswith("s3:"):
        address = to[3:]
        parts = urllib.parse.urlsplit(address if "://" in address else f"https://{address}")
        return parts.hostname, parts.port or (80 if parts.scheme == "http" else 443)
    if to.startswith("sftp://"):
        parts = urllib.parse.urlsplit(to[5:])
        return parts.hostname, parts.port or 22
    if to.startswith("sftp:"):
        return to[5:].partition(":")[0].rpartition("@")[2], 22
    return None


def login_of(to):
    """Returns the account in an sftp URL, or None."""
    if to.startswith("sftp://"):
        return urllib.parse.urlsplit(to[5:]).username
    return to[5:].partition(":")[0].rpartition("@")[0] or None


class Repository:
    """Repository of this server's backups. read_only: puts no lock into it, for one that belongs to another server."""

    def __init__(self, settings, log=None, read_only=False):
        self.settings = settings
        self.log = log or (lambda _: None)
        self.read_only = read_only
        self.private = f"{HERE}/keys"

    def prepare(self):
        """Writes the secrets where restic reads them, for root alone."""
        os.makedirs(self.private, mode=0o700, exist_ok=True)
        self.write("password", self.settings["password"] + "\n")
        if self.settings["to"].startswith("s3:"):
            lines = [f"aws_access_key_id = {self.settings['accessKeyId']}", f"aws_secret_access_key = {self.settings['secretAccessKey']}"]
            self.write("s3", "\n".join(["[default]", *lines, ""]))
        if self.settings["to"].startswith("sftp:"):
            self.write("ssh", self.settings["sshKey"].strip() + "\n")
            host, port = server_of(self.settings["to"])
            names = f"[{host}]:{port}" if port != 22 else host
            self.write("known_hosts", f"{names} {self.settings['hostKey'].strip()}\n")

    def write(self, name, text):
        path = f"{self.private}/{name}"
        if not os.path.exists(path) or whole_files.read(path) != text:
            whole_files.replace(path, text)

    @property
    def environment(self):
        kept = {name: value for name, value in os.environ.items() if not re.match(r"AWS_|RESTIC_", name)}
        places = {
            # What it is called there the key itself says.
            "RESTIC_REPOSITORY": "rclone:" if self.append_only else self.settings["to"],
            "RESTIC_PASSWORD_FILE": f"{self.private}/password",
            "RESTIC_CACHE_DIR": CACHE,
            "AWS_SHARED_CREDENTIALS_FILE": f"{self.private}/s3",
            # Beside meetings it is not to use every core.
            "GOMAXPROCS": "2",
            "HOME": HERE,
            "LC_ALL": "C.UTF-8",
        }
        return {**kept, **places}

    @property
    def append_only(self):
        """Whether the server at the other end runs rclone for this key, which lets it add only."""
        return bool(self.settings.get("appendOnly"))

    @property
    def options(self):
        if self.append_only:
            return ["-o", f"rclone.program={shlex.join(self.ssh())}"]
        return ["-o", f"sftp.command={shlex.join([*self.ssh(), '-s', 'sftp'])}"] if self.settings["to"].startswith("sftp:") else []

    def ssh(self):
        """Returns the command that connects to an SSH server."""
        return ["ssh", *self.ssh_options(f"{self.private}/ssh"), server_of(self.settings["to"])[0]]

    def ssh_options(self, key):
        """Returns the options of ssh and sftp for a connection, with a file's private key."""
        login = login_of(self.settings["to"])
        options = [
            f"Port={server_of(self.settings['to'])[1]}",
            *([f"User={login}"] if login else []),
            *("BatchMode=yes", "IdentitiesOnly=yes", "StrictHostKeyChecking=yes", "ServerAliveInterval=30", "ConnectTimeout=15"),
            f"UserKnownHostsFile={self.private}/known_hosts",
        ]
        return ["-F", "/dev/null", "-i", key, *(word for option in options for word in ("-o", option))]

    def words_of_ssh(self):
        """Connects without restic, which may end before it has passed on what ssh says."""
        try:
            done = subprocess.run([*self.ssh(), "-s", "sftp"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=30, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return ""
        return done.stderr.decode(errors="replace")

    def reach(self):
        """Connects to the repository's server once. @raise Failure, soon, where restic would try for a quarter of an hour"""
        server = server_of(self.settings["to"])
        if server is None:
            return
        try:
            socket.create_connection(server, timeout=REACH_SECONDS).close()
        except OSError as error:
            why = error.strerror or str(error)
            raise Failure(f"the backup's place can't be reached: {server[0]}, port {server[1]}: {why}. Look whether your storage is up, and whether backup.to is right; the next night tries again, or {THEN[5:]}. {KEPT}") from None

    def run(self, *words, limit=HOUR, fine=(0,), on_line=None):
        """Runs restic and returns its standard output; with `on_line`, that gets each line, and nothing is returned.

        @raise Failure in the operator's words
        """
        code, printed, said = self.unlocked(*words, limit=limit, on_line=on_line)
        if code not in fine:
            raise Failure(meaning(self.settings, said + printed) if code is not None else self.late(said, limit))
        return printed

    def unlocked(self, *words, limit, on_line=None):
        """Runs restic; where a lock is in the way, once more without those of processes that no longer run.

        Asked for first, each run would pay for it: to open the repository costs a small server a second or more.
        """
        found = self.outcome(*words, limit=limit, on_line=on_line)
        if found[0] in (0, None) or not re.search(f"{LOCKED}|unable to create lock", found[2]):
            return found
        self.outcome("unlock", limit=ASK_SECONDS)
        return self.outcome(*words, limit=limit, on_line=on_line)

    def late(self, said, limit):
        # What it kept trying for is the reason, if it has said any.
        if any(re.search(pattern, said) for pattern, _ in failures(self.settings)):
            return meaning(self.settings, said)
        return f"the backup's place was not done within {limit / 60:.0f} minutes: {shown(self.settings['to'])} is slow or hangs. Look there, {THEN}. {KEPT}"

    def outcome(self, *words, limit=HOUR, on_line=None):
        """Runs restic and returns (exit code, or None where it was ended; standard output; standard error).

        It is ended at its limit, and where it is refused what it will be refused again.
        """
        command = ["restic", *self.options, *(["--no-lock"] if self.read_only else []), *words]
        self.log(f"restic {shlex.join(words)}"[:2000])
        with tempfile.TemporaryFile() as said:
            try:
                process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, env=self.environment)
            except FileNotFoundError:
                raise Failure("restic is not installed on this server: run pulumi up, which installs it") from None
            late = threading.Event()
            ended = threading.Event()

            def watch():
                end = time.monotonic() + limit
                while not ended.wait(1):
                    if time.monotonic() > end or REFUSED.search(os.pread(said.fileno(), 1 << 20, 0).decode(errors="replace")):
                        late.set()
                        process.kill()
                        return

            watcher = threading.Thread(target=watch, daemon=True)
            watcher.start()
            lines: list = []
            try:
                for raw in process.stdout or ():
                    line = raw.decode(errors="replace")
                    if on_line:
                        on_line(line)
                    else:
                        lines.append(line)
                code = process.wait()
            finally:
                ended.set()
                watcher.join()
                if process.poll() is None:
                    process.terminate()
                    process.wait()
            said.seek(0)
            words_said = said.read().decode(errors="replace")
        if NO_SESSION in words_said:
            words_said += self.words_of_ssh()
        for line in words_said.splitlines():
            self.log(f"  {line}"[:500])
        return None if late.is_set() else code, "".join(lines), words_said

    def exists(self):
        """Returns whether the repository is there. @raise Failure for another password, refused keys, and the like"""
        code, printed, said = self.outcome("cat", "config", "--no-lock", limit=ASK_SECONDS)
        if code == 0:
            return True
        told = said + printed
        if code is not None and re.search(r"Is there a repository at the following location|config file does not exist", told) and not re.search(r"[Dd]enied|[Bb]ucket does not exist|NoSuchBucket|dial tcp|InvalidAccessKey|SignatureDoes|Access Key", told):
            return False
        raise Failure(meaning(self.settings, told) if code is not None else self.late(told, ASK_SECONDS))

    def make(self):
        """Makes the repository, in the format that the restic of every Ubuntu release in use reads."""
        knows = "--repository-version" in self.outcome("help", "init")[1]
        self.run("init", *(["--repository-version", "1"] if knows else []), limit=ASK_SECONDS)

    def snapshots(self, host=None, tag=None):
        """Returns the snapshots, oldest first; those of one host, of one tag."""
        words = [*(["--host", host] if host else []), *(["--tag", tag] if tag else [])]
        found = json.loads(self.run("snapshots", "--json", *words, limit=ASK_SECONDS) or "[]") or []
        return sorted(found, key=lambda one: one["time"])

    def save(self, paths, tags, limit):
        """Makes a snapshot of some paths, and returns restic's summary of it.

        "incomplete" in it is true where files could not be read.
        """
        summary: dict = {}

        def read(line):
            try:
                message = json.loads(line)
            except ValueError:
                return
            if message.get("message_type") == "summary":
                summary.update(message)

        with tempfile.NamedTemporaryFile("w", dir=HERE, encoding="utf-8", errors="surrogateescape", prefix="paths.") as file:
            file.write("".join(f"{path}\0" for path in paths))
            file.flush()
            words = [word for tag in tags for word in ("--tag", tag)]
            command = ["backup", "--json", "--host", self.settings["host"], *words, "--files-from-raw", file.name]
            code, _, said = self.unlocked(*command, limit=limit, on_line=read)
        if code not in (0, INCOMPLETE) or "snapshot_id" not in summary:
            raise Failure(meaning(self.settings, said) if code is not None else self.late(said, limit))
        return {**summary, "incomplete": code == INCOMPLETE}
