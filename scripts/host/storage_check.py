"""Checks of a host's disks: the root disk, the recordings volume with all that is bound to it, and /tmp."""

import os
import shutil

from checks import GB, Doubtful, Wrong, worst
from recordings_mounts import GREENLIGHT, MOUNT_POINT, ON_BALANCER, bound

ROOT = os.environ.get("BBB_DEPLOY_ROOT", "")


def room(free, total, free_inodes, inodes, remedy):
    """Finding about a file system's free space. A large one may be filled further than a small one."""
    told = f"{free / GB:.1f} of {total / GB:.1f} GB free"
    if inodes and free_inodes / inodes < 0.03:
        return Wrong(f"{told}, but almost no room for further files (df -i)", remedy)
    if free < 0.05 * total and free < 5 * GB:
        return Wrong(told, remedy)
    if free < 0.15 * total and free < 20 * GB:
        return Doubtful(told, remedy)
    return told


def read_only(path):
    """True for a file system that accepts no writes, as ext4 after an error; newer kernels
    only note it in its options.
    """
    if os.statvfs(path).f_flag & os.ST_RDONLY:
        return True
    with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as file:
        mounts = [line.split() for line in file]
    return any(mount[4] == path and "emergency_ro" in mount[-1].split(",") for mount in mounts)


def disk_finding(path):
    usage, inodes = shutil.disk_usage(ROOT + path), os.statvfs(ROOT + path)
    remedy = f"du -xh --max-depth 2 {path} | sort -h | tail shows what has it; remove what may go, or take a larger disk or volume"
    return room(usage.free, usage.total, inodes.f_favail, inodes.f_files, remedy)


def check_disk(path):
    findings = [disk_finding(path)]
    if read_only(ROOT + path):
        remedy = f"dmesg | grep -i error says why; outside of meetings: mount -o remount,rw {path}, or reboot the host, which checks the disk"
        findings.append(Wrong(f"{path} is mounted read-only: nothing can be written", remedy))
    return worst(findings)


def check_recordings():
    """Checks that BigBlueButton writes to the recordings volume, which accepts writes and has free space."""
    if not os.path.ismount(ROOT + MOUNT_POINT):
        remedy = "mount -a; if that fails, look whether the volume is attached (lsblk), and reboot the host"
        raise Wrong(f"the volume is not mounted at {MOUNT_POINT}: recordings would fill the root disk", remedy)
    places = bound(ROOT or "/")
    stop, start = ("systemctl stop bbb-deploy-collect.timer 'bbb-deploy-scalelite-*' nginx", "systemctl reboot") if places == ON_BALANCER else ("bbb-conf --stop", "bbb-conf --start")
    findings = [finding for finding in map(bound_finding, places) if finding]
    try:
        os.listdir(ROOT + MOUNT_POINT)
        findings.append(disk_finding(MOUNT_POINT))
        if GREENLIGHT[0] not in places and os.path.isdir(ROOT + GREENLIGHT[0]):
            findings.append("Greenlight is on the server's own disk: a new text of the setting upgrade moves it here")
    except OSError as error:
        remedy = "dmesg | tail says more; look in the cloud's console that the volume is attached, then outside of meetings reboot the host"
        findings.append(Wrong(f"the volume can't be read: {error.strerror}", remedy))
    if read_only(ROOT + MOUNT_POINT):
        remedy = (
            "dmesg | grep -i ext4 says why. Without errors there: mount -o remount,rw " + MOUNT_POINT + ". With errors, outside of meetings: "
            f"{stop}; umount {' '.join(places)} {MOUNT_POINT}; fsck -f $(findmnt -sno SOURCE {MOUNT_POINT}); mount -a; {start}"
        )
        findings.append(Wrong(f"the volume at {MOUNT_POINT} is mounted read-only: nothing is recorded", remedy))
    return worst(findings)


def bound_finding(path):
    """Returns None for a directory that is the volume's own, and accepts writes."""
    source = MOUNT_POINT + path
    try:
        if os.path.samefile(ROOT + path, ROOT + source):
            if not read_only(ROOT + path) or read_only(ROOT + MOUNT_POINT):
                return None
            return Wrong(f"{path} is mounted read-only: nothing is recorded there", f"mount -o remount,bind,rw {path}")
    except OSError:  # one of the two is not there, or the volume can't be read
        pass
    with open(f"{ROOT}/etc/fstab", encoding="utf-8", errors="replace") as file:
        known = any(line.split()[1:2] == [path] for line in file if not line.startswith("#"))
    mount = f"mount {path}" if known else f"put the line '{source} {path} none bind,nofail 0 0 # bbb-deploy' into /etc/fstab and mount {path}"
    told = f"{path} is not on the volume: what is recorded there fills the root disk, and is lost with the server"
    return Wrong(told, f"outside of meetings: rsync -aHAX --remove-source-files {path}/ {source}/ && {mount}")


def check_temporary(role):
    """Checks that /tmp accepts files, and lets programs run from there."""
    flags, findings = os.statvfs(f"{ROOT}/tmp").f_flag, []
    lasting = "and so that it stays, without it in /etc/fstab or in systemctl cat tmp.mount"
    if flags & os.ST_NOEXEC:
        told = "mounted noexec: scripts of packages can't run from there"
        remedy = f"mount -o remount,exec /tmp, {lasting}"
        if role == "bbb":
            findings.append(Wrong(f"{told}, and bbb-web can't load what converts presentations", f"{remedy}; then systemctl restart bbb-web"))
        else:
            findings.append(Doubtful(told, remedy))
    if flags & os.ST_RDONLY:
        findings.append(Wrong("mounted read-only", f"mount -o remount,rw /tmp, {lasting}"))
    if os.path.ismount(f"{ROOT}/tmp"):
        findings.append(disk_finding("/tmp"))
    return worst(findings or ["on the root disk, programs may run there"])
