"""Check whether the other host of the deployment is alive, whatever runs on it."""

import socket

from checks import Wrong

# Open to everybody on both hosts. A host that is up refuses a connection where nothing listens.
PORTS = (443, 80)
SECONDS = 5


def answers(address, port):
    try:
        with socket.create_connection((address, port), SECONDS):
            return True
    except ConnectionRefusedError:
        return True
    except OSError:
        return False


def check_alive(addresses):
    for address in addresses:
        if any(answers(address, port) for port in PORTS):
            return "answers"
    asked = f"{', '.join(addresses)}, {' and '.join(f'{port}/tcp' for port in PORTS)}"
    raise Wrong(f"no sign of life at {asked}", "look in the cloud's console whether it runs, and start it; it tells nothing itself while it is off")
