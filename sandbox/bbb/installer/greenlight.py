"""Greenlight 3 (stand-in): its files, its part of nginx's site, its container."""

import os
import re
import secrets
import shutil

import packages
from shell import Refusal, edit, output, run, say

HOME = os.path.expanduser("~/greenlight-v3")
SHARE = "/usr/share/bbb-greenlight-standin"
NGINX = "/usr/share/bigbluebutton/nginx"


def set_key(text, key, value):
    return re.sub(rf"^[# \t]*{key}=.*$", f"{key}={value}", text, flags=re.MULTILINE)


def set_empty_key(text, key, value):
    return re.sub(rf"^[# \t]*{key}=[ \t]*$", f"{key}={value}", text, flags=re.MULTILINE)


def connected(text, password):
    shown = output("bbb-conf", "--secret")
    for key, label in {"BIGBLUEBUTTON_ENDPOINT": "URL", "BIGBLUEBUTTON_SECRET": "Secret"}.items():
        found = re.search(rf"^ *{label}: (.*)$", shown, flags=re.MULTILINE)
        text = set_key(text, key, found[1] if found else "")
    database = f"postgres://postgres:{password}@postgres:5432/greenlight-v3-production"
    text = set_empty_key(text, "SECRET_KEY_BASE", secrets.token_hex(64))
    text = set_empty_key(text, "DATABASE_URL", database)
    return set_empty_key(text, "REDIS_URL", "redis://redis:6379/")


def install(wish):
    packages.need("bbb-greenlight-standin")
    compose, settings = f"{HOME}/docker-compose.yml", f"{HOME}/.env"
    os.makedirs(HOME, exist_ok=True)
    if not os.path.isfile(compose):
        run("cp", f"{SHARE}/docker-compose.yml", compose)
    if not os.path.isfile(settings):
        run("install", "-m", "0600", f"{SHARE}/sample.env", settings)
    if run("cp", "-v", settings, f"{settings}.old") == 0:
        say(f"old .env file can be retrieved at {settings}.old")
    password = secrets.token_hex(24)
    edit(settings, lambda text: connected(text, password))
    edit(compose, lambda text: re.sub(r"POSTGRES_PASSWORD=$", f"POSTGRES_PASSWORD={password}", text, flags=re.MULTILINE))

    if run("cp", f"{SHARE}/greenlight-v3.nginx", f"{NGINX}/greenlight-v3.nginx") == 0:
        say("added greenlight-v3 nginx file")
    front = f"{NGINX}/default-fe.nginx"
    if os.path.isfile(front):
        shutil.move(front, f"{front}.disabled")
        say("found default bbb-fe 'Welcome' and disabled it!")
    if run("nginx", "-qt") != 0:
        raise Refusal(
            "greenlight-v3 failed to install/update due to nginx tests failing to pass"
            " - if using the official image then please contact the maintainers."
        )
    if run("nginx", "-qs", "reload") == 0:
        say("greenlight-v3 was successfully configured")
    start(compose)
    say(f"greenlight-v3 is now installed and accessible on: https://{wish.host}/")
    say("To create Greenlight administrator account, see: https://docs.bigbluebutton.org/greenlight/v3/install#creating-an-admin-account")


def start(compose):
    for verb in (["down"], ["up", "-d"]):
        run("docker", "compose", "-f", compose, *verb)
