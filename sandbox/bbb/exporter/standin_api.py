"""Part of the stand-in for bigbluebutton-exporter: the API's meetings."""

import hashlib
import logging

import requests
import xmltodict


def meetings(base, secret):
    """Returns the running meetings; None where the API gives no answer."""
    checksum = hashlib.sha1(f"getMeetings{secret}".encode()).hexdigest()
    try:
        answer = requests.get(f"{base}getMeetings?checksum={checksum}", timeout=15)
        answer.raise_for_status()
        response = xmltodict.parse(answer.text)["response"]
    except Exception as error:
        logging.error("getMeetings: %s", error)
        return None
    if response.get("returncode") != "SUCCESS":
        logging.error("getMeetings: %s", response.get("message"))
        return None
    found = (response.get("meetings") or {}).get("meeting") or []
    return found if isinstance(found, list) else [found]
