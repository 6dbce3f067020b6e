"""Stand-in for bbb-install: its command line, checks, messages and habits, for one line of BigBlueButton.

Habits that matter to a deployment: after the checks only a message of its own ends it. A failed command and a missing file
do not. Its exit code is that of the last command, `bbb-conf --check`, which is 0 even with faults. It shows its
environment, replaces edited configuration files by dist-upgrade, rewrites the nginx site and turn-stun-servers.xml on
every run, and takes the TURN secret as an argument.

Missing here: the contents of other package sources, Docker, the local TURN server and haproxy, LTI, Keycloak, ImageMagick,
Java.
"""

import os
import sys

import addresses
import greenlight
import hardening
import media
import options
import packages
import requirements
import site_tls
import turn
from shell import Refusal, run, say


def install(arguments):
    requirements.need_x64()
    wish = options.read(arguments)
    if wish.host:
        options.check_name(wish, wish.host)
    if wish.version:
        packages.check_version(wish)
    if not wish.skip_apache:
        requirements.no_apache()
    if wish.coturn and not wish.version:
        if not wish.email:
            raise Refusal("Installing coturn needs an e-mail address for Let's Encrypt")
        raise Refusal("Installing coturn on a host of its own is not part of the stand-in (and broken in the original since 2.6).")
    if not wish.version:
        return options.show_usage()
    if wish.keycloak and not wish.greenlight:
        raise Refusal("Keycloak cannot be installed without Greenlight.")

    say("this is the STAND-IN: it installs no BigBlueButton")
    run("env")
    requirements.check(wish)
    packages.need("xmlstarlet")
    host = addresses.find(wish.host)
    packages.add_sources(wish)
    packages.upgrade()
    packages.need("bigbluebutton")
    packages.need("bbb-html5")
    packages.wait_for_web()

    media.announce(host)
    hardening.raise_open_files()
    if wish.link:
        # After the packages made the directory: the link ends up inside it.
        run("ln", "-s", wish.link, "/var/bigbluebutton")
    if wish.own_certificate or (wish.host and wish.email):
        site_tls.install(wish, host)
    turn.write_servers(wish)
    run("apt-get", "auto-remove", "-y")
    hardening.firewall(wish)
    hardening.secure_shell(wish)
    run("bbb-conf", "--setip", wish.host or host.public)
    hardening.utf8()
    if wish.lti:
        say("the LTI framework is not part of the stand-in")
    if wish.greenlight:
        greenlight.install(wish)
    return run("bbb-conf", "--check")


def main():
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    try:
        return install(sys.argv[1:])
    except Refusal as refusal:
        return refusal.tell()


if __name__ == "__main__":
    sys.exit(main())
