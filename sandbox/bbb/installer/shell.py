"""Commands and files as a shell script without errexit treats them: what fails is told, and the next line follows."""

import subprocess
import sys

NAME = "bbb-install (stand-in)"


def say(text):
    print(f"{NAME}: {text}")


class Refusal(Exception):
    """Ends the installer with 1, after a message: the only thing that does."""

    usage = None
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
    """One whose message goes to standard output, without the installer's name."""

    bare = True


def run(*command, quiet=False, **more):
    """Runs a command; returns its exit code, 127 where there is none of that name."""
    streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL} if quiet else {}
    sys.stdout.flush()
    try:
        return subprocess.run(command, check=False, **{**streams, **more}).returncode
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        return 127


def output(*command):
    """A command's standard output without the newline at its end; empty where there is no such command."""
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
    """Replaces a file's text by what change makes of it; a file that is missing stays so."""
    before = read(path)
    after = change(before) if before else before
    if after != before:
        write(path, after)
