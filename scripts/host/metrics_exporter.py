#!/usr/bin/python3
"""Runs bigbluebutton-exporter with its settings from standard input: so the API's secret is in no file that the service can
read, and in no environment that the host shows.

    metrics_exporter.py DIRECTORY <SETTINGS

SETTINGS is a JSON object with the exporter's variables.
"""

import json
import logging
import os
import re
import runpy
import sys


def unsigned(*arguments, **more):
    """Record for the log. A call's checksum in it would let others make the same call."""
    record = logging.LogRecord(*arguments, **more)
    record.msg, record.args = re.sub(r"checksum=\w+", "checksum=(secret)", record.getMessage()), None
    return record


if __name__ == "__main__":
    os.environ.update(json.load(sys.stdin))
    logging.setLogRecordFactory(unsigned)
    # It would write two lines each time it is asked.
    logging.disable(logging.INFO)
    sys.path.insert(0, sys.argv[1])
    runpy.run_path(os.path.join(sys.argv[1], "server.py"), run_name="__main__")
