#!/usr/bin/python3
"""Where a recordings volume is mounted, and the places that are bound to it from there; prints them one a line.

All that a meeting or its recording leaves: published, raw, and what FreeSWITCH, mediasoup, the recorder and (up to
BigBlueButton 2.6) Kurento write before it is archived. recordings.sh mounts them, system_check.py looks after them.
"""

MOUNT_POINT = "/srv/bigbluebutton"
DIRECTORIES = ["/var/bigbluebutton", "/var/freeswitch/meetings", "/var/mediasoup", "/var/lib/bbb-webrtc-recorder", "/var/kurento"]

if __name__ == "__main__":
    print("\n".join([MOUNT_POINT, *DIRECTORIES]))
