"""moto's server on a free port of the loopback, which it prints; it ends when its standard input does.

Corrects only the errors of moto that no request or answer could put right from outside; all others are corrected in
rules/. Each change says what EC2 does instead.
"""

import os
import sys
import threading

from moto.ec2.models import instances, subnets, vpcs
from moto.ec2.models.amis import Ami
from moto.moto_api._internal import mock_random
from moto.server import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server


def documentation_ipv6_block() -> str:
    """IPv6 block of a VPC from the ranges reserved for documentation; EC2's are Amazon's addresses."""
    return f"2001:db8:a{mock_random.get_random_hex(3)}:{mock_random.get_random_hex(2)}00::/56"


vpcs.random_ipv6_cidr = documentation_ipv6_block

Instance = instances.Instance
moto_terminate = Instance.terminate


def terminate(self):
    """Frees a network interface that is not deleted with its instance; it keeps its addresses."""
    previous = moto_terminate(self)
    for interface in self.nics.values():
        for elastic in self.ec2_backend.addresses:
            if elastic.eni is interface:
                elastic.instance = None
        interface.instance = interface.attachment_id = interface.attach_time = interface.device_index = None
        interface.status = "available"
    return previous


def unless_terminated(name, default):
    """Describes a terminated instance without its network."""
    moto_property = getattr(Instance, name).fget
    setattr(Instance, name, property(lambda self: default if self.state == "terminated" else moto_property(self)))


Instance.terminate = terminate
unless_terminated("network_interfaces", [])
unless_terminated("private_ip_address", None)
unless_terminated("public_ip_address", None)


moto_create_image = Ami.__init__


def create_image(self, *args, **kwargs):
    """Gives Canonical's images their owner; moto calls all of them Amazon's."""
    moto_create_image(self, *args, **{**kwargs, "owner_alias": None})


def block_device_mappings(self):
    """Gives Canonical's images a root disk of 8 GB, deleted with the instance."""
    ebs = {"SnapshotId": self.ebs_snapshot.id, "VolumeSize": 8, "DeleteOnTermination": True, "VolumeType": "gp3"}
    return [{"DeviceName": self.root_device_name, "Ebs": ebs}]


Ami.__init__ = create_image
Ami.block_device_mappings = property(block_device_mappings)


def ipv6_cidr_block_association_set(self):
    """Text of an association's state; moto puts a Python dictionary into the XML."""
    return [
        {
            "associationId": association["associationId"],
            "ipv6CidrBlock": association["ipv6CidrBlock"],
            "ipv6CidrBlockState": {"state": association["ipv6CidrBlockState"]["State"]},
        }
        for association in self.ipv6_cidr_block_associations.values()
        if association["ipv6CidrBlockState"]["State"] == "associated"
    ]


subnets.Subnet.ipv6_cidr_block_association_set = property(ipv6_cidr_block_association_set)


def end_with_parent():
    sys.stdin.buffer.read()
    os._exit(0)


threading.Thread(target=end_with_parent, daemon=True).start()
application = DomainDispatcherApplication(create_backend_app)
server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=MotoRequestHandler)
print(server.port, flush=True)
server.serve_forever()
