"""Command line. Each option is checked when it is read: an earlier option knows nothing of a later one."""

import re
import sys
from collections import namedtuple
from types import SimpleNamespace
from typing import NoReturn

import addresses
import packages
from release import IS_4, RELEASE
from shell import Refusal, output, write
from shell import read as read_file

# argument: None for a switch. effect: called with the wishes so far and the argument.
Option = namedtuple("Option", "letter argument text effect")


def sets(name):
    """Effect of an option that is only remembered."""
    return lambda wish, value: setattr(wish, name, True if value is None else value)


def refuses(example, message, name):
    """Effect of an option whose example in the documentation must not be used."""

    def effect(wish, value):
        setattr(wish, name, value)
        if value == example:
            raise Refusal(message)

    return effect


def take_coturn(wish, value):
    wish.coturn = value
    if ":" not in value:
        raise Refusal("Option for coturn must be <hostname>:<secret>")
    # A secret with a colon in it is cut there.
    wish.coturn_host, wish.coturn_secret = value.split(":")[:2]
    if not wish.coturn_host:
        raise Refusal("-c option must contain <hostname>")
    if not wish.coturn_secret:
        raise Refusal("-c option must contain <secret>")
    if wish.coturn_host == "turn.example.com":
        raise Refusal("You must specify a valid hostname (not the example given in the docs)")
    if wish.coturn_secret == "1234abcd":
        raise Refusal("You must specify a new password (not the example given in the docs).")
    check_name(wish, wish.coturn_host)


def take_lti(wish, value):
    if value == "MY_KEY:MY_SECRET":
        raise Refusal("You must use a valid complex credentials for your LTI setup (not the ones in the example).")
    if ":" not in value:
        raise Refusal("You must respect the format <key>:<secret> when specifying your LTI credentials.")
    wish.lti = True


def take_proxy(_wish, value):
    proxy = value if ":" in value else f"{value}:3142"
    write("/etc/apt/apt.conf.d/01proxy", f'Acquire::http::Proxy "http://{proxy}";\n')


def take_firewall(wish, _value):
    # The client's configuration, not sshd's.
    ports = re.findall(r"^(?!.*#).*Port\D*(\d+)", read_file("/etc/ssh/ssh_config"), flags=re.MULTILINE)
    if ports and ports[-1] != "22":
        raise Refusal(
            "Detected sshd not listening to standard port 22 -- unable to install default UFW firewall rules.  "
            "See https://docs.bigbluebutton.org/2.2/customize.html#secure-your-system--restrict-access-to-specific-ports"
        )
    wish.firewall = True


def no_demo(_wish, _value):
    raise Refusal(
        "Error: bbb-demo (API demos, '-a' option) were deprecated in BigBlueButton 2.6. Please use Greenlight or API MATE"
    )


def show_help(_wish, _value):
    show_usage()
    sys.exit(0)


OPTIONS = [
    Option("v", "<version>", f"which version, e.g. '{RELEASE.install}' (required)", sets("version")),
    Option(
        "s",
        "<hostname>",
        "the server's name",
        refuses("bbb.example.com", "You must specify a valid hostname (not the hostname given in the docs).", "host"),
    ),
    Option(
        "e",
        "<email>",
        "address for the certificate authority",
        refuses("info@example.com", "You must specify a valid email address (not the email in the docs).", "email"),
    ),
    Option("x", None, "certificate by DNS challenges, by hand", sets("by_dns")),
    Option("g", None, "Greenlight 3 (stand-in)", sets("greenlight")),
    Option("k", None, "Keycloak (not in the stand-in)", sets("keycloak")),
    Option("t", "<key>:<secret>", "LTI framework (not in the stand-in)", take_lti),
    Option("c", "<hostname>:<secret>", "TURN server on another host", take_coturn),
    Option("m", "<path>", "symbolic link from /var/bigbluebutton to there", sets("link")),
    Option("p", "<host>[:<port>]", "apt proxy", take_proxy),
    Option("r", "<host>", "another package source", sets("source")),
    Option("d", None, "certificate from /local/certs, none is requested", sets("own_certificate")),
    Option("w", None, "firewall on the host", take_firewall),
    Option("a", None, "(refused)", no_demo),
    Option("j", None, "go on with less than is required", sets("skip_requirements")),
    Option("i", None, "go on beside Apache", sets("skip_apache")),
    Option("h", None, "this text", show_help),
] + ([Option("b", None, "harden sshd", sets("hardened"))] if IS_4 else [])


def usage():
    rows = [f"  -{option.letter} {option.argument or '':<20} {option.text}" for option in OPTIONS]
    head = f"STAND-IN for the installer of BigBlueButton {RELEASE.line}\n\nUSAGE:\n    bash bbb-install.sh [OPTIONS]\n"
    return "\n".join([head, *rows, ""])


def show_usage():
    print(usage(), file=sys.stderr)
    return 0


def refuse_usage(letter) -> NoReturn:
    refusal = Refusal(f"Invalid option: -{letter}")
    refusal.usage = usage()
    raise refusal


def words(arguments):
    """Yields (letter, value) of each option up to the first word that is none, in the manner of the shell's getopts."""
    table = {option.letter: option for option in OPTIONS}
    rest = list(arguments)
    while rest and rest[0].startswith("-") and rest[0] not in ("-", "--"):
        letters = rest.pop(0)[1:]
        while letters:
            letter, letters = letters[0], letters[1:]
            option = table.get(letter)
            if option is None or (option.argument and not letters and not rest):
                # The shell says which; the message that follows it has lost the letter.
                print(f"illegal option or missing argument -- {letter}", file=sys.stderr)
                refuse_usage("")
            if option.argument:
                yield option, letters or rest.pop(0)
                break
            yield option, None


def no_wish():
    names = "version host email by_dns greenlight keycloak lti coturn coturn_host coturn_secret link own_certificate firewall"
    more = "skip_requirements skip_apache hardened"
    return SimpleNamespace(**dict.fromkeys(f"{names} {more}".split()), source=packages.SOURCE)


def read(arguments):
    wish = no_wish()
    for option, value in words(arguments):
        option.effect(wish, value)
    return wish


def check_name(wish, name):
    """Compares a name with this host while -s has not been read: for -c, only when it stands before -s."""
    if wish.own_certificate or wish.host:
        return
    packages.need("bind9-dnsutils")
    answers = re.findall(r"^[.0-9]+$", output("dig", "+short", name), flags=re.MULTILINE)
    if not answers:
        raise Refusal(f"Unable to resolve {name} to an IP address using DNS lookup.")
    own = addresses.find(name).public
    if answers[-1] != own:
        raise Refusal(f"DNS lookup for {name} resolved to {answers[-1]} but didn't match local {own}.")
