"""STAND-IN for bigbluebutton-exporter: the metrics that docs/metrics uses, under the names of the real one, with the same
variables and the same libraries. It asks the API once each time that it is asked itself.
"""

import os
import sys
import time

import standin_api
from prometheus_client import REGISTRY, start_http_server
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)

RECORDINGS = "/var/bigbluebutton"
RELEASE = "/etc/bigbluebutton/bigbluebutton-release"
# Name: what of each meeting is added up.
SUMS = {
    "bbb_meetings_participants": "participantCount",
    "bbb_meetings_listeners": "listenerCount",
    "bbb_meetings_voice_participants": "voiceParticipantCount",
    "bbb_meetings_video_participants": "videoCount",
}
FOLDERS = {
    "bbb_recordings_unprocessed": "recording/status/sanity",
    "bbb_recordings_processing": "recording/process/presentation",
    "bbb_recordings_published": "published/presentation",
}


def on(variable):
    return os.environ.get(variable, "false").lower() != "false"


def gauge(name, value, **labels):
    metric = GaugeMetricFamily(name, f"{name} (stand-in)", labels=list(labels))
    metric.add_metric(list(labels.values()), value)
    return metric


def entries(folder):
    path = os.path.join(RECORDINGS, folder)
    return len(os.listdir(path)) if os.path.isdir(path) else 0


class Collector:
    def __init__(self, base, secret):
        self.base = base
        self.secret = secret
        self.calls = 0
        self.seconds = 0.0
        self.seen: set = set()

    def collect(self):
        began = time.monotonic()
        meetings = standin_api.meetings(self.base, self.secret)
        self.calls += 1
        self.seconds += time.monotonic() - began
        yield gauge("bbb_api_up", 0 if meetings is None else 1)
        latency = HistogramMetricFamily("bbb_api_latency", "bbb_api_latency (stand-in)", labels=["endpoint", "parameters"])
        latency.add_metric(["getMeetings", ""], [("+Inf", self.calls)], self.seconds)
        yield latency
        running = meetings or []
        yield gauge("bbb_meetings", len(running))
        for name, field in SUMS.items():
            yield gauge(name, sum(int(meeting[field]) for meeting in running))
        self.seen |= {meeting["internalMeetingID"] for meeting in running}
        unique = CounterMetricFamily("bbb_unique_meetings", "bbb_unique_meetings (stand-in)")
        unique.add_metric([], len(self.seen))
        yield unique
        if on("RECORDINGS_METRICS_READ_FROM_DISK"):
            for name, folder in FOLDERS.items():
                yield gauge(name, entries(folder))
        if on("BBB_VERSION_READ_FROM_DISK"):
            with open(RELEASE, encoding="utf-8") as file:
                yield gauge("bbb_version", 1, version=file.read().strip().split("=")[1])
        yield gauge("bbb_exporter", 1, version="0.7.1-stand-in")


if __name__ == "__main__":
    if not os.environ["API_BASE_URL"].endswith("/"):
        sys.exit("API_BASE_URL must end with a slash")
    start_http_server(int(os.environ.get("PORT", "9688")), addr=os.environ.get("BIND_IP", "0.0.0.0"))
    REGISTRY.register(Collector(os.environ["API_BASE_URL"], os.environ["API_SECRET"]))
    while True:
        time.sleep(1)
