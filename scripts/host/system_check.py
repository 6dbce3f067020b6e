"""Checks of a host as a machine: its services, clock, memory, and the pending restarts."""

import os
import re
import time
import urllib.error
import urllib.request
from email.utils import parsedate_to_datetime

import upgrade_guard
from checks import GB, Doubtful, Unanswered, Wrong, output, worst

ROOT = os.environ.get("BBB_DEPLOY_ROOT", "")

# Of what a release installs, whatever is switched on must run; these always.
BBB_ALWAYS = ["nginx", "freeswitch", "bbb-apps-akka", "bbb-fsesl-akka", "bbb-web"]
BBB_SWITCHED_ON = """redis-server bbb-webrtc-sfu bbb-webrtc-recorder bbb-graphql-server bbb-graphql-actions
  bbb-graphql-middleware bbb-html5 mongod etherpad bbb-pads bbb-shared-notes-server bbb-export-annotations
  bbb-rap-resque-worker bbb-rap-starter bbb-rap-caption-inbox livekit-server livekit-sip bbb-webhooks""".split()


def states(question, units):
    """Returns {unit: answer} of systemctl is-active or is-enabled."""
    told = output("systemctl", question, *units)
    if not told.strip():
        raise Unanswered(f"systemctl {question} said nothing", "systemctl status on that host; where it fails, reboot it when no meeting is running")
    answers = told.split("\n")
    answers += [""] * len(units)
    return {unit: answer.strip() or "unknown" for unit, answer in zip(units, answers)}


def is_container():
    return output("systemd-detect-virt", "--container").strip() not in ("", "none")


def check_services(wait):
    """Checks BigBlueButton's services; those that are starting have `wait` seconds."""
    # is-enabled says nothing on standard output of a unit that there isn't: one by one
    enabled = [unit for unit in BBB_SWITCHED_ON if output("systemctl", "is-enabled", unit).startswith("enabled")]
    units = BBB_ALWAYS + enabled
    end = time.monotonic() + wait
    while True:
        down = {unit: state for unit, state in states("is-active", units).items() if state != "active"}
        if not down:
            return f"all {len(units)} active"
        if time.monotonic() >= end:
            told = ", ".join(f"{unit} is {state}" for unit, state in down.items())
            names = " ".join(down)
            raise Wrong(told, f"journalctl -u {names.replace(' ', ' -u ')} says why; then systemctl restart {names}")
        time.sleep(1)


def check_renewal(hostname, role, own):
    """Checks that the certificate in use is the one that is kept here, and that it is renewed if that is certbot's
    task.
    """
    lineage = f"{ROOT}/etc/letsencrypt/live/{hostname}/fullchain.pem"
    findings = [copy_finding(lineage, own_remedy() if own else renewal_remedy(hostname, role))] if role == "turn" else []
    if own:
        return worst([*findings, own_finding(lineage)])
    findings.append(lineage_finding(hostname, renewal_remedy(hostname, role)))
    state = states("is-active", ["certbot.timer"])["certbot.timer"]
    timer: object = "renewed by certbot.timer"
    if state != "active":
        timer = Wrong(f"nobody renews it: certbot.timer is {state}", "systemctl enable --now certbot.timer")
    return worst([finding for finding in (*findings, timer, last_renewal()) if finding])


def renewal_remedy(hostname, role):
    here = os.path.dirname(os.path.abspath(__file__))
    return f"on {hostname}: sudo {here}/certificate.sh --role {role} --hostname {hostname} gets one that certbot renews"


def own_remedy():
    return "run pulumi up with the file of a new certificate"


def copy_finding(lineage, remedy):
    copy = f"{ROOT}/etc/turnserver/fullchain.pem"
    try:
        with open(lineage, "rb") as one, open(copy, "rb") as other:
            if one.read() == other.read():
                return "coturn has the host's certificate"
    except FileNotFoundError as error:
        return Wrong(f"there is no {error.filename}", remedy)
    return Wrong("coturn's certificate is not the one that this host keeps", "run /etc/letsencrypt/renewal-hooks/deploy/bbb-deploy-coturn")


def own_finding(lineage):
    if os.path.realpath(lineage).endswith("/local/certs/fullchain.pem"):
        return "the operator's own: a new one comes by pulumi up, from certificateFile or turnCertificateFile"
    return Wrong("the operator's own certificate is not in use", own_remedy())


def lineage_finding(hostname, remedy):
    """Returns None when certbot has settings for the certificate in use, and its links are whole."""
    directory = f"{ROOT}/etc/letsencrypt"
    try:
        with open(f"{directory}/renewal/{hostname}.conf", encoding="utf-8", errors="replace") as file:
            known = {line.partition("=")[0].strip() for line in file}
    except FileNotFoundError:
        known = set()
    files = ("cert", "privkey", "chain", "fullchain")
    whole = all(os.path.islink(path) and os.path.exists(path) for path in (f"{directory}/live/{hostname}/{file}.pem" for file in files))
    if known.issuperset(files) and whole:
        return None
    return Wrong(f"certbot does not know the certificate of {hostname}, and will not renew it", remedy)


def last_renewal():
    """Returns None unless certbot.service has failed; then the reason, and the advice."""
    if states("is-active", ["certbot.service"])["certbot.service"] != "failed":
        return None
    when = output("systemctl", "show", "-p", "InactiveEnterTimestamp", "--value", "certbot.service").strip()
    why = output("/usr/bin/python3", "-B", f"{os.path.dirname(os.path.abspath(__file__))}/acme_failure.py").strip()
    told = f"the last renewal failed{f' ({when})' if when else ''}: {why or 'see journalctl -u certbot'}"
    return Wrong(told, "mend that, then systemctl start certbot.service tries again; else the certificate runs out")


def apart(seconds):
    return f"{seconds:.1f} s" if seconds < 60 else f"{seconds / 60:.0f} min"


def check_clock(other):
    """Checks that this clock is kept right; `other` is a URL, whose Date it is compared with."""
    findings: list = []
    told = output("timedatectl")
    synchronized = re.search(r"(?:System clock|NTP) synchronized: (\w+)", told)
    if is_container():
        findings.append("the machine's own")
    elif synchronized and synchronized[1] == "yes":
        findings.append("synchronized by NTP")
    elif not synchronized:
        findings.append(Doubtful("timedatectl does not tell whether it is synchronized", "timedatectl and systemctl status dbus systemd-timedated on that host"))
    else:
        findings.append(Doubtful("not synchronized by NTP", "timedatectl set-ntp true; then timedatectl timesync-status"))
    if other:
        findings.append(compare_clock(other))
    return worst(findings)


def compare_clock(url):
    """Compares this clock with a Date, which has whole seconds only."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=10) as answer:
            date = answer.headers["Date"]
    except urllib.error.HTTPError as error:
        date = error.headers["Date"]
    except OSError:
        return "the other host's could not be asked"
    if not date:
        return "the other host's was not told"
    difference = abs(time.time() - 0.5 - parsedate_to_datetime(date).timestamp())
    remedy = "on both hosts: timedatectl set-ntp true"
    if difference > 60:
        return Wrong(f"{apart(difference)} apart from {url}: TURN credentials will be refused", remedy)
    if difference > 5:
        return Doubtful(f"{apart(difference)} apart from {url}", remedy)
    return "within 2 s of the other host's" if difference < 2 else f"{apart(difference)} apart from the other host's"


def check_memory():
    with open(f"{ROOT}/proc/meminfo", encoding="ascii") as file:
        read = {key: int(value.split()[0]) * 1024 for key, value in (line.split(":", 1) for line in file)}
    total, available = read["MemTotal"], read.get("MemAvailable", read["MemFree"])
    swap, free = read.get("SwapTotal", 0), read.get("SwapFree", 0)
    told = f"{available / GB:.1f} of {total / GB:.1f} GB available"
    told += f", {(swap - free) / GB:.1f} of {swap / GB:.1f} GB swap used" if swap else ", no swap"
    remedy = "see top -o %MEM for who has it; a larger server type if meetings need it"
    if available < 0.04 * total:
        raise Wrong(told, remedy)
    if available < 0.1 * total or (swap and free < 0.25 * swap):
        raise Doubtful(told, remedy)
    return told


def check_units():
    listed = output("systemctl", "list-units", "--state=failed", "--plain", "--no-legend")
    failed = [line.split()[0] for line in listed.splitlines() if line.strip()]
    if failed:
        raise Doubtful(f"failed: {', '.join(failed)}", f"systemctl status {' '.join(failed)} says why; systemctl reset-failed forgets it")
    return "none failed"


def check_updates():
    """Checks for pending restarts and decisions."""
    findings: list = []
    required = f"{ROOT}/var/run/reboot-required"
    if os.path.exists(required):
        since = time.strftime("%F", time.gmtime(os.stat(required).st_mtime))
        packages = ""
        if os.path.exists(f"{required}.pkgs"):
            with open(f"{required}.pkgs", encoding="utf-8") as file:
                packages = f", for {', '.join(sorted(set(file.read().split())))}"
        findings.append(Doubtful(f"a reboot is pending since {since}{packages}", "systemctl reboot, when no meeting is running"))
    else:
        findings.append("no reboot pending")
    held = output("apt-mark", "showhold").split()
    if held:
        findings.append(Doubtful(f"held back: {', '.join(held)}", f"apt-mark unhold {' '.join(held)}, unless you hold them for a reason"))
    findings += [unattended_finding(), upgrade_guard.guard_finding()]
    return worst(findings)


def unattended_finding():
    if not os.path.exists(f"{ROOT}/usr/bin/unattended-upgrade"):
        return "no unattended upgrades installed"
    told = output("apt-config", "dump", "APT::Periodic::Unattended-Upgrade")
    if re.search(r'"0"', told) or not told.strip():
        return Doubtful("unattended upgrades are switched off", "dpkg-reconfigure unattended-upgrades, or upgrade by hand")
    stamp = f"{ROOT}/var/lib/apt/periodic/unattended-upgrades-stamp"
    if not os.path.exists(stamp):
        return "unattended upgrades have not run yet"
    days = (time.time() - os.stat(stamp).st_mtime) / 86400
    if days > 7:
        return Doubtful(f"unattended upgrades ran {days:.0f} days ago", "systemctl status apt-daily-upgrade.timer; /var/log/unattended-upgrades")
    return "unattended upgrades run"


def check_release(version):
    """Checks that the line of BigBlueButton is that of the settings."""
    try:
        with open(f"{ROOT}/etc/bigbluebutton/bigbluebutton-release", encoding="utf-8") as file:
            found = re.search(r"^BIGBLUEBUTTON_RELEASE=(\S+)", file.read(), re.MULTILINE)
    except FileNotFoundError:
        found = None
    if not found:
        raise Wrong("BigBlueButton is not installed", "run pulumi up with a new value of the setting upgrade")
    if not re.match(re.escape(version) + r"(\.|$)", found[1]):
        raise Wrong(f"{found[1]}, where the settings ask for {version}", "set release to what runs; a new release needs a new server")
    return found[1]
