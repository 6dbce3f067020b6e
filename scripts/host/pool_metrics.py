#!/usr/bin/python3
"""Writes the numbers of a pool's servers into a file in Prometheus' form once a minute, for node_exporter on its balancer.

    pool_metrics.py FILE [once]

Python 3.8 or newer.
"""

import sys
import time

import pool
import pool_state
from whole_files import replace

PAUSE = 60
STATES = ("online", "offline", "cordoned", "leaving", "missing")
NUMBERS = {
    "load": "Load of a server by Scalelite's last poll.",
    "meetings": "Meetings of a server, by its own account.",
    "people": "People in the meetings and breakout rooms of a server, by its own account.",
}


def metric(name, text, lines):
    return [f"# HELP {name} {text}", f"# TYPE {name} gauge", *lines]


def render(found):
    """Returns the text of a pool. found: of pool_state.look, None where Scalelite does not tell."""
    lines = metric("bbb_pool_up", "1 if the balancer tells of its servers, 0 otherwise.", [f"bbb_pool_up {int(found is not None)}"])
    if found is None:
        return "\n".join(lines) + "\n"
    count = {state: sum(1 for one in found.values() if one["state"] == state) for state in STATES}
    lines += metric("bbb_pool_servers", "Servers of the pool in a state; those that are online take new meetings.", [f'bbb_pool_servers{{state="{state}"}} {number}' for state, number in count.items()])
    lines += metric("bbb_pool_server_state", "1 for the state that a server has.", [f'bbb_pool_server_state{{server="{name}",state="{one["state"]}"}} 1' for name, one in found.items()])
    for key, text in NUMBERS.items():
        lines += metric(f"bbb_pool_{key}", text, [f'bbb_pool_{key}{{server="{name}"}} {one[key]}' for name, one in found.items() if isinstance(one[key], (int, float))])
    return "\n".join(lines) + "\n"


def measure():
    try:
        return pool_state.look(sorted(pool.members()))
    except pool.Failure as failure:
        print(failure, flush=True)
        return None


def main():
    path, once = sys.argv[1], sys.argv[2:] == ["once"]
    while True:
        text = render(measure())
        replace(path, text, mode=0o644)
        if once:
            return
        time.sleep(PAUSE)


if __name__ == "__main__":
    main()
