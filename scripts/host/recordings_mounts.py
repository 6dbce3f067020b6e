#!/usr/bin/python3
"""Mount point of a recordings volume, and the places that are bound to it from there; prints them one a line.

They hold everything that a meeting or its recording leaves: published, raw, and the files that FreeSWITCH,
mediasoup, the recorder and (up to BigBlueButton 2.6) Kurento write before archival. recordings.sh mounts them,
system_check.py checks them.
"""

MOUNT_POINT = "/srv/bigbluebutton"
DIRECTORIES = ["/var/bigbluebutton", "/var/freeswitch/meetings", "/var/mediasoup", "/var/lib/bbb-webrtc-recorder", "/var/kurento"]

if __name__ == "__main__":
    print("\n".join([MOUNT_POINT, *DIRECTORIES]))
