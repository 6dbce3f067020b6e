"""What the checks of a deployment have in common: a record of each, its bound in time, and the form of the page.

A check is a function that returns what came back, or raises Wrong, Doubtful or NotAsked. Its record, one JSON object a
line (the form that scripts/check reads) or one aligned line of text:

    verdict   ok | warn | FAIL | skip (not asked)
    name      of the check
    asked     what was asked
    answer    what came back, in one line
    seconds   how long it took
    remedy    what to do, where something is to be done

Python 3.8 or newer, standard library only.
"""

import contextlib
import json
import signal
import sys
import time

HEAD = f"{'':<4}  {'took':>7}  {'check':<18}  {'asked':<38}  came back"


class Wrong(Exception):
    """A check that failed: what came back, and what to do."""

    verdict = "FAIL"

    def __init__(self, answer, remedy=None):
        super().__init__(answer)
        self.remedy = remedy


class Doubtful(Wrong):
    """Not right, or soon to be wrong; the deployment works all the same."""

    verdict = "warn"


class NotAsked(Wrong):
    verdict = "skip"


class TimeIsUp(BaseException):
    """Not an Exception: no check's own handling may take it for an answer."""


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


def worst(findings):
    """One answer out of several, each a text or a Wrong: the worst decides, and what is wrong comes first.

    Returns the texts joined, or raises what they amount to.
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


def line(record):
    """A record as the page has it, with its remedy below."""
    text = "{verdict:<4}  {seconds:>5.1f} s  {name:<18}  {asked:<38}  {answer}".format(**record)
    return text + (f"\n               to do: {record['remedy']}" if record.get("remedy") else "")


class Page:
    """Prints each check as soon as it has ended."""

    def __init__(self, as_json, hidden=()):
        """hidden: secrets that no record may show, whoever printed them."""
        self.as_json = as_json
        self.hidden = [secret for secret in hidden if secret]
        self.failed = 0
        if not as_json:
            self.say(HEAD)

    def say(self, text):
        print(text, flush=True)

    def check(self, name, asked, function, *arguments, limit=60):
        """Runs a check of at most `limit` seconds and returns its verdict."""
        began = time.monotonic()
        verdict, remedy = "ok", None
        try:
            with bounded(limit):
                answer = function(*arguments)
        except Wrong as wrong:
            verdict, answer, remedy = wrong.verdict, str(wrong), wrong.remedy
        except TimeIsUp:
            verdict, answer, remedy = "FAIL", f"no end within {limit} s", "the host may be overloaded: see uptime and top there"
        except Exception as error:  # a check that is at a loss must not keep the others from being made
            where = error.__traceback__
            while where.tb_next:
                where = where.tb_next
            told = f"{type(error).__name__} in line {where.tb_lineno} of {where.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}"
            verdict, answer, remedy = "FAIL", f"could not be checked: {told}", "look on the host itself"
        self.add(name, asked, verdict, answer, time.monotonic() - began, remedy)
        return verdict

    def add(self, name, asked, verdict, answer, seconds, remedy=None):
        record = {"name": name, "asked": asked, "verdict": verdict, "answer": self.clean(answer), "seconds": round(seconds, 3)}
        if remedy:
            record["remedy"] = self.clean(remedy)
        if verdict == "FAIL":
            self.failed += 1
        self.say(json.dumps(record, ensure_ascii=False) if self.as_json else line(record))

    def clean(self, text):
        for secret in self.hidden:
            text = text.replace(secret, "(secret)")
        return " ".join(text.split())


if __name__ == "__main__":
    # Records on standard input as a page, for tests of its form.
    print(HEAD)
    for given in sys.stdin:
        print(line(json.loads(given)))
