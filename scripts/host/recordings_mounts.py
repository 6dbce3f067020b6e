#!/usr/bin/python3
"""Mount point of a recordings volume, and the places that are bound to it from there; prints them one a line.

They hold everything that a meeting or its recording leaves: published, raw, and the files that FreeSWITCH,
mediasoup, the recorder and (up to BigBlueButton 2.6) Kurento write before archival. recordings.sh mounts them,
storage_check.py checks them. The balancer of a pool has published ones only (--balancer). Greenlight's directory is there with them, once recordings.sh has put it there, and what
greenlight.py has noted of the time before its changes.
"""

import os
import sys

MOUNT_POINT = "/srv/bigbluebutton"
DIRECTORIES = ["/var/bigbluebutton", "/var/freeswitch/meetings", "/var/mediasoup", "/var/lib/bbb-webrtc-recorder", "/var/kurento"]
ON_BALANCER = DIRECTORIES[:1]
GREENLIGHT = ["/root/greenlight-v3", "/var/lib/bbb-deploy/greenlight"]


def bound(root):
    """Returns the places that fstab binds to the volume, or those that it should at least."""
    try:
        with open(os.path.join(root, "etc/fstab"), encoding="utf-8", errors="replace") as file:
            places = [line.split()[1] for line in file if line.rstrip().endswith("# bbb-deploy") and len(line.split()) > 1]
    except FileNotFoundError:
        places = []
    balancer = os.path.isdir(os.path.join(root, "var/lib/bbb-deploy/balancer"))
    return [*(ON_BALANCER if balancer else DIRECTORIES), *(place for place in GREENLIGHT if place in places)]


if __name__ == "__main__":
    print("\n".join([MOUNT_POINT, *(ON_BALANCER if sys.argv[1:] == ["--balancer"] else DIRECTORIES)]))
