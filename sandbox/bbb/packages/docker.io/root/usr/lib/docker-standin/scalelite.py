#!/usr/bin/python3
"""Stand-in for Scalelite v1.8.5, written from measurements of what it does.

    scalelite.py api|poller|recording-importer    what the container of that name runs
    scalelite.py rake TASK                        servers:sync[…], servers:yaml[…], poll:all, db:migrate

Its settings are environment variables, under Scalelite's own names. It keeps everything but recordings in Redis, and loses it
with that.
"""

import os
import re
import sys
import time
import urllib.parse

import yaml

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import scalelite_api as api
import scalelite_nodes as nodes
import scalelite_recordings as recordings
from scalelite_store import Store


def wait_for(store):
    """Ends the program where the database is not migrated, as the real one's first request would."""
    for _ in range(10):
        try:
            store.check()
            return
        except OSError as error:
            print(error, flush=True)
            time.sleep(1)
    sys.exit(1)


def run_api(store):
    wait_for(store)
    bound = urllib.parse.urlsplit(os.environ.get("BIND") or f"tcp://0.0.0.0:{os.environ.get('PORT') or 3000}")
    api.serve(api.Api(store, os.environ), (bound.hostname, bound.port))


def run_poller(store):
    wait_for(store)
    poller = nodes.Poller(store, os.environ)
    while True:
        begun = time.monotonic()
        try:
            poller.poll_all()
        except OSError as error:
            print(error, flush=True)
        time.sleep(max(1.0, float(os.environ.get("POLL_INTERVAL") or 60) - (time.monotonic() - begun)))


def run_importer(store):
    wait_for(store)
    recordings.run_importer(store, os.environ)


def sync(store, path="-", mode="cordon", dry_run=""):
    if path == "-":
        text = sys.stdin.read()
    else:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    wanted = (yaml.safe_load(text) or {}).get("servers")
    if not isinstance(wanted, dict) or any(not (one or {}).get("secret") for one in wanted.values()):
        sys.exit("rake aborted!\nthe file has no map of servers, each with its secret")
    dry = dry_run == "true"
    here = store.servers.all()
    for name, values in wanted.items():
        add_or_change(store, name, values, here.get(name), dry)
    for name in here:
        if name not in wanted and mode != "keep":
            leave(store, name, here[name], mode, dry)


def add_or_change(store, name, values, here, dry):
    state = "enabled" if values.get("enabled", True) else "disabled"
    settings = {"secret": values["secret"], "url": values.get("url") or f"https://{name}/bigbluebutton/api"}
    if here is None:
        print(f"[{name}] Creating server ({state})")
        if not dry:
            store.servers.put(name, {**settings, "state": state, "online": False})
        return
    changed = {key: value for key, value in settings.items() if here[key] != value}
    for key in changed:
        print(f"[{name}] Updating {key}")
    if here["state"] != "enabled" and state == "enabled":
        print(f"[{name}] Enabling server")
        changed["state"] = state
    if here["state"] == "enabled" and state == "disabled":
        print(f"[{name}] Cordoning server")
        changed["state"] = "cordoned"
    if changed and not dry:
        store.servers.change(name, **changed)


def leave(store, name, server, mode, dry):
    if store.meetings_of(name) and mode != "force":
        if server["state"] == "enabled":
            print(f"[{name}] Server not empty. Cordoned for removal")
            if not dry:
                store.servers.change(name, state="cordoned")
        return
    print(f"[{name}] Removing server")
    if not dry:
        for meeting in store.meetings_of(name):
            store.meetings.remove(meeting)
        for records in (store.servers, store.loads, store.good, store.bad):
            records.remove(name)


def tell(store, verbose="false"):
    shown = {}
    for name, server in sorted(store.servers.all().items()):
        shown[name] = {"secret": server["secret"], "url": server["url"], "enabled": server["state"] == "enabled"}
        if verbose == "true":
            shown[name].update(state=server["state"], load=store.loads.get(name), online=server["online"])
    print(yaml.safe_dump({"servers": shown}), end="")


def main():
    store = Store(os.environ)
    kind, *more = sys.argv[1:]
    if kind != "rake":
        {"api": run_api, "poller": run_poller, "recording-importer": run_importer}[kind](store)
        return
    found = re.fullmatch(r"([a-z:]+)(?:\[([^\]]*)\])?", more[0])
    task, arguments = (found[1], found[2].split(",") if found[2] else []) if found else ("", [])
    if task == "servers:sync":
        sync(store, *arguments)
    elif task == "servers:yaml":
        tell(store, *arguments)
    elif task == "poll:all":
        nodes.Poller(store, os.environ).poll_all()
    elif task == "db:migrate":
        store.migrate()
    else:
        sys.exit(f"rake aborted!\nDon't know how to build task '{more[0]}' (stand-in)")


if __name__ == "__main__":
    main()
