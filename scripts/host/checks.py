"""Common parts of a deployment's checks: the record of a check, its time limit, and the form of the page.

A check is a function that returns its answer, or raises Wrong, Doubtful or NotAsked. Its record is one JSON object a
line (the form that scripts/check reads) or one aligned line of text:

    verdict   ok | warn | FAIL | skip (not asked)
    name      of the check
    asked     the question
    answer    the answer in one line
    seconds   its duration
    remedy    the advice, if there is any

All commands of a check go through `run`, all names through `resolver_bound`: a command or a look-up that hangs or
fails gives a doubtful finding in words, not a failure of the host.

Python 3.8 or newer, standard library only.
"""

import contextlib
import itertools
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time

GB = 1e9
# From this width on each part of a record has a column of its own.
WIDE = 100


class Wrong(Exception):
    """Failure of a check: the answer, and the advice."""

    verdict = "FAIL"

    def __init__(self, answer, remedy=None):
        super().__init__(answer)
        self.remedy = remedy


class Doubtful(Wrong):
    """Warning of a check: something is wrong or soon will be, while the deployment works."""

    verdict = "warn"


class NotAsked(Wrong):
    verdict = "skip"


class Unanswered(Doubtful):
    """Failure of a check's helper (a command, the resolver): the question has no answer."""


class TimeIsUp(BaseException):
    """Time limit of a check. It is no Exception, so that no check's own handling takes it for an answer."""


@contextlib.contextmanager
def bounded(seconds):
    def end(*_):
        raise TimeIsUp

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def run(*command, limit=20, merged=False):
    """Returns (exit code, standard output) of a command; with `merged`, standard error is in it.

    @raise FileNotFoundError for a command that doesn't exist, Unanswered for one that doesn't end within `limit`
    seconds or can't be started
    """
    by_hand = f"run it by hand on that host: {shlex.join(command)}; systemctl --failed and uptime show what it may wait for"
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if merged else subprocess.DEVNULL,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            start_new_session=True,
        )
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Unanswered(f"{command[0]} can't be started: {error.strerror}", by_hand) from None
    try:
        printed = process.communicate(timeout=limit)[0].decode(errors="replace")
    except BaseException as error:
        # Its children, too, which would keep the pipe open; one that the kernel does not let go of is not waited for.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(1)
        if process.stdout:
            process.stdout.close()
        if isinstance(error, subprocess.TimeoutExpired):
            raise Unanswered(f"{os.path.basename(command[0])} did not answer within {limit} s", by_hand) from None
        raise
    return process.returncode, printed


def output(*command, limit=20):
    """Returns a command's standard output, after any exit code; "" for a command that doesn't
    exist. @raise Unanswered
    """
    try:
        return run(*command, limit=limit)[1]
    except FileNotFoundError:
        return ""


RESOLVER_REMEDY = "resolvectl status and /etc/resolv.conf show whom it asks; systemctl restart systemd-resolved; see that nothing stops its traffic to port 53"
RESOLVER_REST = 60


def resolver_bound(known, limit=10):
    """Makes every look-up of a name in this process end within `limit` seconds.

    known: {name: [addresses]}, used when the resolver gives no answer, so that the deployment is checked, and not
    twice the resolver. For other names the look-up raises Unanswered.
    """
    look_up = socket.getaddrinfo
    failed: dict = {}  # name: (when, why)

    def ask(host, *arguments, **named):
        heard: list = []

        def listen():
            try:
                heard.append((look_up(host, *arguments, **named), None))
            except Exception as error:
                heard.append((None, error))

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        thread.join(limit)
        if not heard:
            raise Unanswered(f"the host's resolver did not answer within {limit} s for {host}", RESOLVER_REMEDY)
        found, error = heard[0]
        if isinstance(error, socket.gaierror) and error.errno in (socket.EAI_AGAIN, socket.EAI_FAIL):
            raise Unanswered(f"the host's resolver could not answer for {host}: {error.strerror}", RESOLVER_REMEDY)
        if error:
            raise error
        return found

    def of_known(host, *arguments, **named):
        found = []
        for address in known.get(host, []):
            with contextlib.suppress(socket.gaierror):
                found += look_up(address, *arguments, **named)
        return found

    def getaddrinfo(host, *arguments, **named):
        at, why = failed.get(host, (-RESOLVER_REST, None))
        if time.monotonic() - at >= RESOLVER_REST:
            try:
                return ask(host, *arguments, **named)
            except Unanswered as error:
                failed[host] = (time.monotonic(), error)
                why = error
        found = of_known(host, *arguments, **named)
        if not found:
            raise Unanswered(str(why), why.remedy)
        return found

    socket.getaddrinfo = getaddrinfo
    return ask


def worst(findings):
    """Joins several answers, each a text or a Wrong, to one: the worst decides, and faults come first.

    Returns the texts joined, or raises the worst.
    """
    wrong = [one for one in findings if isinstance(one, Wrong)]
    fine = [one for one in findings if not isinstance(one, Wrong)]
    order = ("FAIL", "warn")
    wrong.sort(key=lambda one: order.index(one.verdict))
    answer = "; ".join([str(one) for one in wrong] + fine)
    if not wrong:
        return answer
    remedies = dict.fromkeys(one.remedy for one in wrong if one.remedy)
    raise type(wrong[0])(answer, "; ".join(remedies) or None)


def parts(text, width):
    """Returns a text wrapped between words; longer words stay whole."""
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]


def beside(cells, width):
    """Returns lines of (text, columns) cells side by side: wrapped within their columns, or one line for a `width` of
    None.
    """
    rows = itertools.zip_longest(*(parts(text, columns) if width else [text] for text, columns in cells), fillvalue="")
    return ["  ".join(text.ljust(columns) for text, (_, columns) in zip(row, cells)).rstrip() for row in rows]


def cells(verdict, took, name, asked, answer, width):
    """Returns a record's parts, side by side on a page of that width."""
    if width and width < WIDE:
        told = f"{asked}: {answer}" if asked else answer
        return [(verdict, 4), (name, 18), (told, max(width - 26, 20))]
    return [(verdict, 4), (took, 7), (name, 18), (asked, 38), (answer, (width or 0) - 75)]


def head(width=None):
    return "\n".join(beside(cells("", f"{'took':>7}", "check", "asked", "came back", width), width))


def line(record, width=None):
    """Returns a record in the page's form, with its advice below; operator/check/report.ts has the same form."""
    took = f"{record['seconds']:>5.1f} s"
    lines = beside(cells(record["verdict"], took, record["name"], record["asked"], record["answer"], width), width)
    if record.get("remedy"):
        label = " " * (6 if width and width < WIDE else 15) + "to do: "
        remedy = parts(record["remedy"], max(width - len(label), 20)) if width else [record["remedy"]]
        lines += [(label if number == 0 else " " * len(label)) + part for number, part in enumerate(remedy)]
    return "\n".join(lines)


def told_of(error):
    """Returns the obstacle to a check in words, without any value, which may be a secret."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    where = error.__traceback__
    while where.tb_next:
        where = where.tb_next
    file = os.path.basename(where.tb_frame.f_code.co_filename)
    return f"the check itself went wrong ({type(error).__name__}, {file} line {where.tb_lineno})"


def remedy_of(error, name):
    if isinstance(error, FileNotFoundError):
        return "run pulumi up with a new value of the setting upgrade, which puts back what the installation made"
    if isinstance(error, OSError):
        return "on that host: dmesg | tail and df -h show whether its disk is at fault; then ask again"
    return f"run pulumi up once, which installs the checks anew; if it stays, report it with this line, and look after {name} by hand"


class Page:
    """Prints each check as soon as it has ended."""

    def __init__(self, as_json, hidden=(), width=None, omitted=()):
        """hidden: secrets that no record may show, from any source. width: of the terminal, None for a log. omitted:
        names of checks that are not made, and have no record.
        """
        self.as_json = as_json
        self.omitted = omitted
        self.hidden = [secret for secret in hidden if secret]
        self.width = width
        self.failed = 0
        if not as_json:
            self.say(head(width))

    def say(self, text):
        print(text, flush=True)

    def check(self, name, asked, function, *arguments, limit=60, late=Doubtful):
        """Runs a check of at most `limit` seconds and returns its verdict.

        late: kind of finding after the limit. The answer is unknown then, as after a check's own failure, and no
        update should fail for that alone. Only a check of something that clients ask of the deployment says Wrong.
        """
        if name in self.omitted:
            return "skip"
        began = time.monotonic()
        verdict, remedy = "ok", None
        try:
            with bounded(limit):
                answer = function(*arguments)
        except Wrong as wrong:
            verdict, answer, remedy = wrong.verdict, str(wrong), wrong.remedy
        except TimeIsUp:
            verdict, answer = late.verdict, f"no end within {limit} s"
            remedy = "the host may be overloaded: uptime, top and systemctl list-jobs there show with what; then ask again"
        except Exception as error:  # a check that is at a loss must not keep the others from being made
            verdict, answer, remedy = "warn", f"could not be checked: {told_of(error)}", remedy_of(error, name)
        self.add(name, asked, verdict, answer, time.monotonic() - began, remedy)
        return verdict

    def add(self, name, asked, verdict, answer, seconds, remedy=None):
        record = {"name": name, "asked": asked, "verdict": verdict, "answer": self.clean(answer), "seconds": round(seconds, 3)}
        if remedy:
            record["remedy"] = self.clean(remedy)
        if verdict == "FAIL":
            self.failed += 1
        self.say(json.dumps(record, ensure_ascii=False) if self.as_json else line(record, self.width))

    def clean(self, text):
        for secret in self.hidden:
            text = text.replace(secret, "(secret)")
        return " ".join(text.split())


if __name__ == "__main__":
    # Records on standard input as a page of a width, for tests of its form.
    columns = int(sys.argv[1]) if len(sys.argv) > 1 else None
    print(head(columns))
    for given in sys.stdin:
        print(line(json.loads(given), columns))
