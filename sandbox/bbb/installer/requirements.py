"""Requirements of a host. Most of them can be waived."""

import os
import re

from shell import BareRefusal, Refusal, output, read


def need_x64():
    if output("uname", "-m") != "x86_64":
        raise Refusal("You must run this command on a 64-bit server.")


def need_root():
    if os.geteuid() != 0:
        raise Refusal("You must run this command as root.")


def no_apache():
    if "apache2-bin" in output("dpkg", "-l"):
        raise BareRefusal("You must uninstall the Apache2 server first")


def shortcomings():
    memory = re.search(r"MemTotal: *(\d+)", read("/proc/meminfo"))
    if memory and int(memory[1]) < 3940000:
        yield "Your server should have (at least) 4 GB of memory."
    if int(output("nproc", "--all") or 0) < 4:
        yield "Your server needs to have (at least) 4 CPU cores (8 CPU cores recommended for production)."
    if not os.path.isfile("/proc/net/if_inet6"):
        yield "Your server does not support IPv6"


def check(wish):
    for text in shortcomings():
        if not wish.skip_requirements:
            raise BareRefusal(text)
        print(text)
