"""Commands and files as a shell script without errexit treats them: a failure is told, and the next line follows."""

import subprocess
import sys

NAME = "bbb-install (stand-in)"


def say(text):
    print(f"{NAME}: {text}")


class Refusal(Exception):
    """Ends the installer with exit code 1, after a message. Nothing else ends it."""

    usage = ""
    bare = False

    def tell(self):
        if self.bare:
            print(self)
        else:
            print(f"{NAME}: {self}", file=sys.stderr)
        if self.usage:
            print(self.usage, file=sys.stderr)
        return 1


class BareRefusal(Refusal):
    """Refusal whose message goes to standard output, without the installer's name."""

    bare = True


def run(*command, quiet=False, **more):
    """Runs a command; returns its exit code, 127 for a command that doesn't exist."""
    streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL} if quiet else {}
    sys.stdout.flush()
    try:
        return subprocess.run(command, check=False, **{**streams, **more}).returncode
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        return 127


def output(*command):
    """Returns a command's standard output without the last newline; empty for a command that doesn't exist."""
    try:
        return subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True, errors="replace").stdout.rstrip("\n")
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        return ""


def exists(command):
    return run("which", command, quiet=True) == 0


def read(path):
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except OSError as error:
        print(f"{path}: {error.strerror}", file=sys.stderr)
        return ""


def write(path, text):
    try:
        with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
    except OSError as error:
        print(f"{path}: {error.strerror}", file=sys.stderr)


def edit(path, change):
    """Replaces a file's text by change's result; a missing file stays missing."""
    before = read(path)
    after = change(before) if before else before
    if after != before:
        write(path, after)
