#!/usr/bin/python3
"""Sets up Greenlight: its image, keys of its .env, and once it is well its first administrator, site settings and limits of rooms.

    greenlight.py --records DIRECTORY <REQUEST

REQUEST is bigbluebutton/greenlight.ts's: one line of JSON, with secrets, which no output shows. The work in Greenlight
is greenlight.rb's, which gets it by standard input. DIRECTORY has the values from before the first change: what is no
longer asked for goes back to them. Standard output: lines for the operator; standard error: details for the log. Exit
code 1 with a last line that says what is wrong, and what to do.
"""

import argparse
import base64
import json
import os
import re
import shutil
import subprocess
import sys
import time

import greenlight_check
import greenlight_image
import whole_files
from checks import NotAsked, Wrong
from owned_keys import Owned, read_record

ROOT = os.environ.get("BBB_DEPLOY_ROOT", "")
HERE = os.path.dirname(os.path.abspath(__file__))
HOME = "/root/greenlight-v3"
ENVIRONMENT = f"{HOME}/.env"
COMPOSE_FILE = f"{HOME}/docker-compose.yml"
CONTAINER = "greenlight-v3"
# Its first start compiles its pages and makes its tables.
PATIENCE = float(os.environ.get("BBB_DEPLOY_PATIENCE", "600"))
RUNNER_LIMIT = 240
COMPOSE_LIMIT = 600
KINDS = ("settings", "roomLimits")


class Failure(Exception):
    """Sentence for the operator: what is wrong, and what to do."""


def say(text):
    print(text, flush=True)


def wait_until_well(base):
    end, told = time.monotonic() + PATIENCE, False
    while True:
        try:
            greenlight_check.ask_health(base)
            return say("Greenlight is well")
        except Wrong as wrong:
            last = wrong
        if time.monotonic() > end:
            raise Failure(f"Greenlight is not well after {PATIENCE:.0f} s: {last}. To do: {last.remedy}; then run pulumi up again")
        if not told:
            say("waiting for Greenlight to start")
            told = True
        time.sleep(min(2, max(PATIENCE / 10, 0.05)))


def in_container(request):
    """Runs greenlight.rb in the container and returns its answer."""
    with open(os.path.join(HERE, "greenlight.rb"), encoding="utf-8") as file:
        program = file.read()
    encoded = base64.b64encode(json.dumps(request).encode()).decode()
    command = ["docker", "exec", "-i", CONTAINER, "bundle", "exec", "rails", "runner", "-"]
    advice = "docker logs greenlight-v3 and /var/log/bbb-deploy/greenlight.log say more; then run pulumi up again"
    try:
        done = subprocess.run(command, input=f'REQUEST = "{encoded}"\n{program}'.encode(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=RUNNER_LIMIT, check=False)
    except subprocess.TimeoutExpired:
        raise Failure(f"Greenlight's container did not do its part within {RUNNER_LIMIT} s: {advice}") from None
    except OSError as error:
        raise Failure(f"docker could not be run: {error.strerror}; {advice}") from None
    printed = hidden(done.stdout.decode(errors="replace"), request, encoded)
    print(printed, file=sys.stderr, flush=True)
    answers = [line for line in printed.splitlines() if line.startswith("BBB_DEPLOY ")]
    if done.returncode != 0 or not answers:
        last = next((line.strip() for line in reversed(printed.splitlines()) if line.strip()), "it said nothing")
        raise Failure(f"Greenlight's container refused (exit code {done.returncode}): {last[:200]}. {advice}")
    answer = json.loads(answers[-1].partition(" ")[2])
    if answer["problems"]:
        raise Failure("; ".join(answer["problems"]) + ": " + remedy_of(answer["problems"]))
    return answer


def hidden(text, request, encoded):
    password = (request["admin"] or {}).get("password")
    for secret in filter(None, (encoded, password)):
        text = text.replace(secret, "(secret)")
    return text


def remedy_of(problems):
    if any("no administrator's" in one for one in problems):
        return (
            "nobody's account is made an administrator's unasked. Name another address (greenlight.admin.email), or, if the account may be one: "
            f"docker exec {CONTAINER} bundle exec rake 'user:set_admin_role[ADDRESS]'; then run pulumi up again"
        )
    return "change the setting greenlight, then run pulumi up again"


def write_private(path, text):
    """Writes a file that root alone can read, whole or not at all."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    whole_files.replace(path, text)


def write_record(path, record):
    write_private(path, json.dumps(record))


def pin_image(wanted, path):
    """Has docker-compose.yml name one version, which is fetched before."""
    with open(f"{ROOT}{COMPOSE_FILE}", encoding="utf-8", errors="surrogateescape", newline="") as file:
        before = file.read()
    record = greenlight_image.read_record(path)
    text, version, note = greenlight_image.pin(before, wanted, record)
    if note:
        say(f"note: {note}")
    if text != before:
        image = f"{wanted['name']}:v{version}"
        say(f"fetching {image}")
        problem = greenlight_image.pull(image)
        if problem and (record or wanted.get("chosen")):
            raise Failure(f"the image {image} could not be fetched: {problem[:200]}. Run pulumi up again later; where there is no such version, set greenlight.version to one that there is")
        if problem:
            # The installer's runs: what else was asked for need not wait.
            say(f"note: the image {image} could not be fetched, and Greenlight stays as it is: {problem[:200]}")
            return
        write_private(f"{ROOT}{COMPOSE_FILE}", text)
    if version:
        write_record(path, {"version": version, "upgrade": wanted["upgrade"]})


def own_environment(keys, path):
    """Writes the wanted keys into .env, and has the containers take them up.

    They are made anew where .env has changed since they were, also by hand or by a run that was cut off.
    """
    quoted_keys = [{**one, "value": quoted(one["value"])} for one in keys]
    owned = Owned(ROOT or "/", {"files": [{"path": ENVIRONMENT, "format": "env", "keys": quoted_keys}]}, read_record(path))
    before = owned.text_of(ENVIRONMENT)
    made = owned.applied(ENVIRONMENT, before)
    write_record(path, owned.begun())
    if made != before:
        say(f"writing {ENVIRONMENT}, for {', '.join(sorted({setting for setting, _ in owned.changed}))}")
        write_private(f"{ROOT}{ENVIRONMENT}", made)
    os.chmod(f"{ROOT}{ENVIRONMENT}", 0o600)
    # For the check of the host.
    write_record(f"{os.path.dirname(path)}/{greenlight_check.DEPLOYED}", {one["key"]: greenlight_check.digest(one["value"]) for one in keys})
    compose("up", "-d")
    write_record(path, owned.done())


def quoted(value):
    """Returns a value as a line of .env holds it: in single quotes Compose takes every letter as it is."""
    return value if re.fullmatch(r"[\w@%+=:,./-]+", value, re.ASCII) else f"'{value}'"


def compose(*words):
    command = ["docker-compose"] if shutil.which("docker-compose") and not has_plugin() else ["docker", "compose"]
    advice = f"the log, and docker compose logs in {HOME}, say why; then run pulumi up again"
    try:
        done = subprocess.run([*command, *words], cwd=f"{ROOT}{HOME}", stdin=subprocess.DEVNULL, stdout=sys.stderr, stderr=sys.stderr, timeout=COMPOSE_LIMIT, check=False)
    except (OSError, subprocess.TimeoutExpired):
        raise Failure(f"Greenlight's containers did not start: {advice}") from None
    if done.returncode != 0:
        raise Failure(f"Greenlight's containers did not start (exit code {done.returncode}): {advice}")


def has_plugin():
    """True where compose is a part of docker; releases before BigBlueButton 4.0 may have the program of before."""
    try:
        return subprocess.run(["docker", "compose", "version"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=30, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def set_up(wanted, path):
    """Applies what is wanted; returns what became of the administrator.

    What is no longer wanted returns to its recorded value. The record is written before the first change.
    """
    record = read_record(path) or {kind: {} for kind in KINDS}
    asked = {kind: {**record[kind], **wanted[kind]} for kind in KINDS}
    request = {"admin": wanted.get("admin"), **asked, "wanted": {kind: list(wanted[kind]) for kind in KINDS}}
    if request["admin"] is None and not any(asked.values()):
        return None
    if any(name not in record[kind] for kind in KINDS for name in wanted[kind]):
        found = in_container({**request, "write": False})["before"]
        for kind in KINDS:
            record[kind] = {**found[kind], **record[kind]}
        write_record(path, record)
    answer = in_container({**request, "write": True})
    for kind in KINDS:
        for name, value in asked[kind].items():
            before = answer["before"][kind].get(name, value)
            if before != value:
                say(f"{name}: {before} -> {value}")
        record[kind] = {name: value for name, value in record[kind].items() if name in wanted[kind]}
    write_record(path, record)
    return answer.get("admin")


def tell_administrator(became, wanted):
    email = wanted["admin"]["email"]
    if became == "made":
        try:
            pages, _ = greenlight_check.sign_in(wanted["url"], email, wanted["admin"]["password"])
            pages.call("DELETE", "sessions/signout.json")
        except NotAsked as reason:
            say(f"made the administrator {email}; not signed in: {reason}")
        except (Wrong, greenlight_check.Refused, OSError) as error:
            raise Failure(f"the administrator {email} was made, but: {error}. To do: {getattr(error, 'remedy', None) or greenlight_check.CONTAINERS}") from None
        else:
            say(f"made the administrator {email}, who signs in with the password of the output greenlightAdminPassword")
    elif became == "there":
        say(f"the administrator {email} is there already, and left alone")
    else:
        say(f"there is another administrator than {email} already, who is left alone; none was made")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", required=True)
    options = parser.parse_args()
    wanted = json.loads(sys.stdin.readline())
    missing = [path for path in (ENVIRONMENT, COMPOSE_FILE) if not os.path.exists(f"{ROOT}{path}")]
    if missing:
        raise Failure(f"Greenlight is not installed: there is no {' and no '.join(missing)}. Give the setting upgrade a new text, then run pulumi up")
    pin_image(wanted["image"], f"{options.records}/image.json")
    own_environment(wanted["env"], f"{options.records}/env.json")
    wait_until_well(os.environ.get("BBB_DEPLOY_GREENLIGHT", greenlight_check.LOCAL))
    became = set_up(wanted, f"{options.records}/before.json")
    if wanted.get("admin"):
        tell_administrator(became, wanted)


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        say(str(failure))
        sys.exit(1)
