"""turn-stun-servers.xml, written anew on every run."""

import secrets
from xml.sax.saxutils import quoteattr

from shell import run, say, write

PATH = "/etc/bigbluebutton/turn-stun-servers.xml"
CLASSES = "org.bigbluebutton.web.services.turn"
SCHEMAS = "http://www.springframework.org/schema/beans"
HEAD = f"""<?xml version="1.0" encoding="UTF-8"?>
<beans xmlns="{SCHEMAS}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  xsi:schemaLocation="{SCHEMAS} {SCHEMAS}/spring-beans-2.5.xsd">
"""


def server(number, secret, url):
    values = enumerate((secret, url, "86400"))
    arguments = "".join(f'<constructor-arg index="{index}" value={quoteattr(value)}/>' for index, value in values)
    return f'  <bean id="turn{number}" class="{CLASSES}.TurnServer">{arguments}</bean>\n'


def document(host, secret):
    urls = [f"turn:{host}:3478", f"turns:{host}:443?transport=tcp"]
    servers = "".join(server(number, secret, url) for number, url in enumerate(urls))
    references = "".join(f'<ref bean="turn{number}"/>' for number, _ in enumerate(urls))
    sets = {"stunServers": "", "turnServers": references}
    properties = "".join(f'<property name="{name}"><set>{content}</set></property>' for name, content in sets.items())
    service = f'  <bean id="stunTurnService" class="{CLASSES}.StunTurnService">{properties}</bean>\n'
    return f"{HEAD}{servers}{service}</beans>\n"


def write_servers(wish):
    host, secret = wish.coturn_host, wish.coturn_secret
    if not wish.coturn:
        say("without -c the original installs coturn and haproxy here; the stand-in has neither")
        host, secret = wish.host, secrets.token_urlsafe(32)
    write(PATH, document(host, secret))
    run("chown", "root:bigbluebutton", PATH)
    run("chmod", "640", PATH)
