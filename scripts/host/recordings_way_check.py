"""Checks of the way of recordings in a pool, for host_check.py: on its balancer, and on each server."""

import glob
import os
import time
from concurrent.futures import ThreadPoolExecutor

import node_recordings
import pool
import pool_recordings
from checks import Doubtful, worst
from whole_files import read_json

# For so long a recording may be on its way, or wait for the importer: the balancer asks once a minute.
LATE = 3600


def way_from(fqdn, member):
    """Returns what is wrong with the way of recordings from a server; None for one that is open."""
    try:
        pool_recordings.probe(fqdn, member["secret"])
    except (pool_recordings.Failure, OSError, ValueError) as error:
        return f"{fqdn}: {pool.reason_of(error)}"
    return None


def check_way(nodes):
    """Goes the way of a recording from each server to the spool, without one, and looks for any that is stuck."""
    members = {name: member for name, member in pool.members().items() if name in nodes}
    findings = []
    with ThreadPoolExecutor(16) as threads:
        shut = [problem for problem in threads.map(way_from, members, members.values()) if problem]
    if shut:
        findings.append(Doubtful(f"no recording comes from {'; '.join(shut)}. Nothing is lost: they stay on their server", "journalctl -u bbb-deploy-collect here; systemctl status nginx bbb-deploy-node-state on each; df -h /var/bigbluebutton here"))
    report = read_json(pool_recordings.REPORT) or {"servers": {}}
    stuck = [f"{name}: {one['problem']}" for name, one in report["servers"].items() if one["problem"] and name in nodes and name not in " ".join(shut)]
    if stuck:
        findings.append(Doubtful(f"not here yet: {'; '.join(stuck)}. Nothing is lost: it stays on its server", "the reason says what to do; it is tried again each minute"))
    old = [path for path in glob.glob(f"{pool_recordings.SPOOL}/*.tar") if time.time() - os.stat(path).st_mtime > LATE]
    if old:
        findings.append(Doubtful(f"Scalelite's importer has not taken {pool.plural(len(old), 'recording')} for more than an hour, e.g. {os.path.basename(old[0])}", f"{pool_recordings.JOURNAL}; systemctl restart bbb-deploy-scalelite-recording-importer"))
    waiting = sum(len(one["waiting"]) for one in report["servers"].values())
    return worst([*findings, f"the way is open from {len(members) - len(shut)} of {len(members)}" + (f"; {waiting} on their way" if waiting else "")])


def check_waiting():
    """Checks that what is published here comes to the balancer."""
    waiting = node_recordings.waiting()
    if not waiting:
        return "all that is published is on the balancer"
    oldest = node_recordings.oldest(waiting) or time.time()
    told = f"{len(waiting)} not on the balancer yet, the first for {(time.time() - oldest) / 3600:.1f} h; they stay here until then"
    if time.time() - oldest > LATE:
        raise Doubtful(told, "on the balancer: journalctl -u bbb-deploy-collect, and its own check, say why")
    return told
