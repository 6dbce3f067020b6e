"""Lists all objects of the emulated Hetzner project, by Hetzner's own Python client.

Reads {"endpoint", "token"} as JSON from standard input. Prints {kind: [name, …]} of the kinds that have any; snapshots by
their ids, record sets without each zone's own NS and SOA.
"""

import json
import sys

import hcloud

KINDS = ("servers", "firewalls", "primary_ips", "volumes", "ssh_keys", "networks", "floating_ips", "placement_groups")


def main():
    wish = json.load(sys.stdin)
    client = hcloud.Client(token=wish["token"], api_endpoint=wish["endpoint"])
    found = {}
    for kind in KINDS:
        try:
            found[kind] = [item.name for item in getattr(client, kind).get_all()]
        except hcloud.APIException as error:
            if error.code != "not_found":  # what the emulator does not serve, it can't hold either
                raise
    found["images"] = [str(image.id) for image in client.images.get_all(type=["snapshot"])]
    found["records"] = [
        f"{rrset.name} {rrset.type}"
        for zone in client.zones.get_all()
        for rrset in client.zones.get_rrset_all(zone)
        if not (rrset.name == "@" and rrset.type in ("NS", "SOA"))
    ]
    print(json.dumps({kind: names for kind, names in found.items() if names}))


if __name__ == "__main__":
    main()
