"""Creates, lists, updates and deletes every resource through Hetzner's official client.

Usage: contract.py ENDPOINT, with the token on standard input. Prints one line for each resource.
"""

import sys

from hcloud import APIException, Client
from hcloud.firewalls.domain import FirewallResource, FirewallRule
from hcloud.images.domain import Image
from hcloud.locations.domain import Location
from hcloud.server_types.domain import ServerType
from hcloud.servers.domain import Server, ServerCreatePublicNetwork
from hcloud.zones.domain import ZoneRecord

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGRvbnQtdXNlLXRoaXMta2V5LWl0LWlzLWEtdGVzdCEh a@b"
FSN1 = Location(name="fsn1")


def refused(code, call):
    """Expects that the call raises an API error of that code."""
    try:
        call()
    except APIException as error:
        assert error.code == code, f"expected {code}, got {error.code}: {error.message}"
        return error
    raise AssertionError(f"expected {code}, got success")


def catalogue(client):
    assert {location.name for location in client.locations.get_all()} == {"fsn1", "nbg1", "hel1", "ash", "hil", "sin"}
    assert client.locations.get_by_name("hil").network_zone == "us-west"
    ccx33 = client.server_types.get_by_name("ccx33")
    assert (ccx33.cores, ccx33.memory, ccx33.disk, ccx33.cpu_type, ccx33.architecture) == (8, 32, 240, "dedicated", "x86")
    assert client.server_types.get_by_id(ccx33.id).name == "ccx33"
    # One more page than fits into one answer.
    assert len(client.server_types.get_all()) > 25
    assert client.server_types.get_by_name("cx22").locations[0].deprecation.unavailable_after.year == 2025
    assert all(len(one.prices) == len(one.locations) for one in client.server_types.get_all())
    x86 = client.images.get_by_name_and_architecture("ubuntu-22.04", "x86")
    arm = client.images.get_by_name_and_architecture("ubuntu-22.04", "arm")
    assert (x86.id, arm.id) == (67794396, 103907373)
    assert client.images.get_by_name_and_architecture("ubuntu-20.04", "x86") is None
    old = client.images.get_by_name_and_architecture("ubuntu-20.04", "x86", include_deprecated=True)
    assert old.deprecation.announced.year == 2025
    assert client.images.get_by_id(x86.id).os_version == "22.04"


def ssh_keys(client):
    key = client.ssh_keys.create(name="k", public_key=KEY, labels={"a": "1"})
    assert client.ssh_keys.get_by_name("k").id == key.id
    assert client.ssh_keys.get_by_fingerprint(key.fingerprint).id == key.id
    error = refused("uniqueness_error", lambda: client.ssh_keys.create(name="other", public_key=KEY))
    assert error.message == "SSH key with the same fingerprint already exists"
    assert key.update(name="k2", labels={"b": "2"}).labels == {"b": "2"}
    assert [one.name for one in client.ssh_keys.get_all(label_selector="b=2")] == ["k2"]
    refused("invalid_input", lambda: client.ssh_keys.create(name="bad", public_key="no key"))
    key.delete()
    assert client.ssh_keys.get_all() == []


def placement_groups(client):
    group = client.placement_groups.create(name="pg", type="spread").placement_group
    assert group.update(name="pg2", labels={"a": "1"}).name == "pg2"
    assert client.placement_groups.get_by_name("pg2").labels == {"a": "1"}
    refused("uniqueness_error", lambda: client.placement_groups.create(name="pg2", type="spread"))
    group.delete()
    refused("not_found", lambda: client.placement_groups.get_by_id(group.id))


def primary_ips(client):
    made = client.primary_ips.create(type="ipv6", name="ip", location=FSN1, auto_delete=False, labels={"a": "1"})
    ip = made.primary_ip
    assert made.action is None and ip.ip.endswith("::/64") and ip.assignee_id is None
    address = ip.ip.replace("/64", "1")
    ip.change_dns_ptr(address, "bbb.example.com").wait_until_finished()
    ip.reload()
    assert ip.dns_ptr == [{"ip": address, "dns_ptr": "bbb.example.com"}], ip.dns_ptr
    ip.change_dns_ptr(address, None).wait_until_finished()
    ip.change_protection(delete=True).wait_until_finished()
    refused("protected", ip.delete)
    ip.change_protection(delete=False).wait_until_finished()
    assert ip.update(name="ip2", auto_delete=True).auto_delete is True
    assert client.primary_ips.get_by_name("ip2").id == ip.id
    ip.delete()
    assert client.primary_ips.get_all() == []


def volumes(client):
    made = client.volumes.create(size=10, name="v", location=FSN1, format="ext4", labels={"a": "1"})
    made.action.wait_until_finished()
    volume = made.volume
    assert volume.linux_device == f"/dev/disk/by-id/scsi-0HC_Volume_{volume.id}"
    volume.resize(20).wait_until_finished()
    refused("invalid_input", lambda: volume.resize(15))
    assert volume.update(name="v2").name == "v2"
    assert client.volumes.get_by_name("v2").size == 20
    volume.change_protection(delete=True).wait_until_finished()
    refused("protected", volume.delete)
    volume.change_protection(delete=False).wait_until_finished()
    volume.delete()
    assert client.volumes.get_all() == []


def firewalls(client):
    rule = FirewallRule("in", "tcp", ["0.0.0.0/0", "::/0"], "443", description="https")
    firewall = client.firewalls.create(name="fw", rules=[rule], labels={"a": "1"}).firewall
    ping = FirewallRule("in", "icmp", ["0.0.0.0/0"])
    for action in firewall.set_rules([ping]):
        action.wait_until_finished()
    firewall.reload()
    assert [(one.protocol, one.port) for one in firewall.rules] == [("icmp", None)]
    assert firewall.update(name="fw2", labels={}).name == "fw2"
    bad = FirewallRule("in", "tcp", ["0.0.0.0/0"], "99999")
    error = refused("invalid_input", lambda: firewall.set_rules([bad]))
    assert error.details["fields"][0]["name"] == "rules.0.port"
    firewall.delete()
    assert client.firewalls.get_by_name("fw2") is None


def servers(client):
    key = client.ssh_keys.create(name="k", public_key=KEY)
    group = client.placement_groups.create(name="pg", type="spread").placement_group
    firewall = client.firewalls.create(name="fw").firewall
    ipv4 = client.primary_ips.create(type="ipv4", name="v4", location=FSN1).primary_ip
    volume = client.volumes.create(size=10, name="v", location=FSN1).volume
    made = client.servers.create(
        name="bbb",
        server_type=ServerType(name="ccx13"),
        image=Image(name="ubuntu-22.04"),
        ssh_keys=[key],
        firewalls=[firewall],
        location=FSN1,
        labels={"role": "bbb"},
        user_data="#cloud-config\n{}\n",
        placement_group=group,
        public_net=ServerCreatePublicNetwork(ipv4=ipv4, enable_ipv6=True),
    )
    assert made.root_password is None and made.server.status == "initializing"
    made.action.wait_until_finished()
    for action in made.next_actions:
        action.wait_until_finished()
    server = client.servers.get_by_name("bbb")
    assert server.status == "running" and not server.locked
    assert server.public_net.primary_ipv4.id == ipv4.id
    assert [one.firewall.id for one in server.public_net.firewalls] == [firewall.id]
    assert server.placement_group.id == group.id and server.image.name == "ubuntu-22.04"
    refused("resource_in_use", group.delete)
    assert client.servers.get_all(label_selector="role==bbb", status=["running"])[0].id == server.id

    volume.attach(server).wait_until_finished()
    server.reload()
    assert [one.id for one in server.volumes] == [volume.id]
    server.enable_backup().wait_until_finished()
    server.change_protection(delete=True, rebuild=True).wait_until_finished()
    refused("protected", server.delete)
    server.change_protection(delete=False, rebuild=False).wait_until_finished()
    assert server.update(name="bbb2", labels={"role": "x"}).name == "bbb2"
    refused("server_not_stopped", ipv4.unassign)
    server.shutdown().wait_until_finished()
    server.reload()
    assert server.status == "off" and server.backup_window
    ipv4.unassign().wait_until_finished()
    ipv4.assign(server.id, "server").wait_until_finished()
    server.change_type(ServerType(name="ccx23"), upgrade_disk=False).wait_until_finished()
    server.reload()
    assert (server.server_type.name, server.primary_disk_size) == ("ccx23", 80)
    for power in (server.power_off, server.power_on, server.reboot):
        power().wait_until_finished()
    server.disable_backup().wait_until_finished()

    target = [FirewallResource(type="server", server=Server(id=server.id))]
    refused("resource_in_use", firewall.delete)
    for action in firewall.remove_from_resources(target):
        action.wait_until_finished()
    for action in firewall.apply_to_resources(target):
        action.wait_until_finished()

    server.delete().wait_until_finished()
    refused("not_found", lambda: client.servers.get_by_id(server.id))
    volume.reload()
    assert volume.server is None
    for left in (volume, ipv4, firewall, group, key):
        left.delete()
    assert client.primary_ips.get_all() == [], "the automatic IPv6 address must go with its server"
    refused("invalid_input", lambda: client.servers.create("x", ServerType(name="cx1"), Image(name="ubuntu-22.04")))


def images(client):
    made = client.servers.create(name="model", server_type=ServerType(name="cx23"), image=Image(name="ubuntu-22.04"), location=FSN1)
    for action in (made.action, *made.next_actions):
        action.wait_until_finished()
    begun = made.server.create_image(description="baked", type="snapshot", labels={"image": "bbb"})
    assert begun.image.type == "snapshot" and begun.image.image_size is None
    begun.action.wait_until_finished()
    image = client.images.get_by_id(begun.image.id)
    assert (image.status, image.disk_size, image.image_size) == ("available", 40, 2)
    assert image.created_from.id == made.server.id and image.os_version == "22.04" and image.name is None
    newest = client.images.get_all(type=["snapshot"], label_selector="image=bbb", sort="created:desc")
    assert [one.id for one in newest] == [image.id]
    assert image.update(description="b", labels={"image": "turn"}).labels == {"image": "turn"}
    image.change_protection(delete=True).wait_until_finished()
    refused("protected", image.delete)
    image.change_protection(delete=False).wait_until_finished()
    made.server.delete().wait_until_finished()
    error = refused("invalid_input", lambda: client.servers.create("x", ServerType(name="cpx02"), image))
    assert error.message == "image disk is bigger than server type disk"
    copy = client.servers.create("copy", ServerType(name="cx23"), image, location=FSN1)
    for action in (copy.action, *copy.next_actions):
        action.wait_until_finished()
    assert client.servers.get_by_name("copy").image.id == image.id
    image.delete()
    refused("not_found", lambda: client.images.get_by_id(image.id))
    copy.server.delete().wait_until_finished()


def zones(client):
    made = client.zones.create(name="example.com", mode="primary", ttl=3600, labels={"a": "1"})
    made.action.wait_until_finished()
    zone = client.zones.get("example.com")
    assert client.zones.get(zone.id).name == "example.com" and zone.authoritative_nameservers.assigned

    made = zone.create_rrset(name="bbb", type="A", ttl=60, records=[ZoneRecord("203.0.113.10")])
    made.action.wait_until_finished()
    rrset = zone.get_rrset("bbb", "A")
    assert rrset.ttl == 60 and [record.value for record in rrset.records] == ["203.0.113.10"]
    rrset.set_rrset_records([ZoneRecord("203.0.113.11", comment="new")]).wait_until_finished()
    rrset.change_rrset_ttl(300).wait_until_finished()
    assert rrset.update_rrset(labels={"b": "2"}).labels == {"b": "2"}
    rrset = zone.get_rrset("bbb", "A")
    assert rrset.ttl == 300 and [(one.value, one.comment) for one in rrset.records] == [("203.0.113.11", "new")]
    assert [one.type for one in zone.get_rrset_all(name="bbb")] == ["A"]
    refused("uniqueness_error", lambda: zone.create_rrset(name="bbb", type="A", records=[ZoneRecord("203.0.113.1")]))
    refused("invalid_input", lambda: zone.create_rrset(name="t", type="TXT", records=[ZoneRecord("no quotes")]))
    rrset.delete_rrset().action.wait_until_finished()
    refused("not_found", lambda: client.zones.get("example.org"))


def main():
    client = Client(token=sys.stdin.readline().strip(), api_endpoint=sys.argv[1], poll_interval=0.02)
    for part in (catalogue, ssh_keys, placement_groups, primary_ips, volumes, firewalls, servers, images, zones):
        part(client)
        print(part.__name__, flush=True)


if __name__ == "__main__":
    main()
