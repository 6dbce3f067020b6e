#!/usr/bin/python3
"""Stand-in for the workers that process recordings: the queues and steps of a recording, without any sound or picture.

    rap_worker.py [--root DIRECTORY] [--once]

As many workers as COUNT says take jobs from the queues that QUEUE names, the first one first. Each tells in its command
line what it does, ends by SIGQUIT when its job is done, and loses a job at which it is killed. The steps are those of
bigbluebutton.yml, whose maps recording.yml replaces whole; settings are read at a worker's start. PROCESS_SECONDS: that
a format takes. --once: works in this process until the queues are empty.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from xml.sax.saxutils import escape

import yaml

SCRIPTS = "usr/local/bigbluebutton/core/scripts"
OVERRIDES = "etc/bigbluebutton/recording"
BASE = "var/bigbluebutton"
PYTHON = "/usr/bin/python3"
LINKS = {
    "presentation": "playback/presentation/2.3/{id}",
    "video": "playback/video/{id}/",
    "screenshare": "recording/screenshare/{id}/",
    "podcast": "podcast/{id}/audio.ogg",
}
FILES = {"video": ["video-0.m4v"], "screenshare": ["screenshare.webm"], "podcast": ["audio.ogg"]}


def settings(root, packaged, override):
    """Returns the packaged map with the override's keys in place of its own."""
    found: dict = {}
    for path in (os.path.join(root, SCRIPTS, packaged), os.path.join(root, OVERRIDES, override)):
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                found.update(yaml.safe_load(file) or {})
    return found


def touch(path, text=""):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


class Pipeline:
    """Steps of recordings, and the queues between them: a file a job, of its recording's name and its format's."""

    def __init__(self, root, names):
        self.root = root
        self.names = names
        self.recording = settings(root, "bigbluebutton.yml", "recording.yml")
        self.presentation = settings(root, "presentation.yml", "presentation.yml")

    def path(self, *names):
        return os.path.join(self.root, BASE, *names)

    def folder(self, queue):
        # bbb-rap-starter's part: what has ended and was recorded.
        return self.path("recording/status/recorded") if queue == "rap:archive" else self.path("recording/resque", queue)

    def take(self):
        """Returns the next job, which is in no queue any more, as (step, recording, format); None if there is none."""
        for queue in self.names:
            folder = self.folder(queue)
            jobs = [os.path.join(folder, name) for name in os.listdir(folder)] if os.path.isdir(folder) else []
            for job in sorted(jobs, key=os.path.getmtime):
                name = os.path.basename(job)
                try:
                    os.unlink(job)
                except FileNotFoundError:
                    continue
                recording, _, form = name.replace(".done", "").partition(":")
                return queue.split(":")[1], recording, form
        return None

    def do(self, step, recording, form):
        if step == "archive":
            touch(self.path("recording/status/archived", f"{recording}.done"))
        elif step == "sanity":
            touch(self.path("recording/status/sanity", f"{recording}.done"))
        # As in the original, a format without a script is passed over.
        elif step in ("process", "publish") and os.path.exists(os.path.join(self.root, SCRIPTS, step, f"{form}.rb")):
            getattr(self, step)(recording, form)
        following = self.recording["steps"].get(f"{step}:{form}" if form else step)
        for one in following if isinstance(following, list) else [following] if following else []:
            name, _, form_of = one.partition(":")
            touch(os.path.join(self.folder(f"rap:{name}"), f"{recording}:{form_of or form}"))

    def process(self, recording, form):
        time.sleep(float(os.environ.get("PROCESS_SECONDS", "0")))
        os.makedirs(self.path("recording/process", form, recording), exist_ok=True)
        touch(self.path("recording/status/processed", f"{recording}-{form}.done"))

    def publish(self, recording, form):
        with open(self.path("recording/raw", recording, "meeting.json"), encoding="utf-8") as file:
            meeting = json.load(file)
        published = self.path("published", form, recording)
        names = [f"video/webcams.{one}" for one in self.presentation.get("video_formats", ["webm"])]
        for name in FILES.get(form, names):
            touch(os.path.join(published, name))
        base = f"{self.recording['playback_protocol']}://{self.recording['playback_host']}"
        values = {**meeting, "format": form, "link": f"{base}/{LINKS[form].format(id=recording)}"}
        texts = {name: escape(str(value)) for name, value in values.items()}
        touch(
            os.path.join(published, "metadata.xml"),
            "<recording><id>{id}</id><state>published</state><published>true</published><start_time>{start}</start_time>"
            "<end_time>{end}</end_time><participants>{participants}</participants><meta><meetingId>{meetingId}</meetingId>"
            "<meetingName>{meetingName}</meetingName></meta><playback><format>{format}</format><link>{link}</link>"
            "<duration>0</duration><size>0</size></playback></recording>\n".format(**texts),
        )
        touch(self.path("recording/status/published", f"{recording}-{form}.done"))


def begin(title, *arguments):
    """Starts this program once more, with a command line that tells what it does."""
    return subprocess.Popen([f"resque-standin: {title}", "-I", os.path.abspath(__file__), *arguments], executable=PYTHON)


def work(options, pipeline):
    ending = []
    signal.signal(signal.SIGQUIT, lambda *_: ending.append(True))
    while not ending:
        job = pipeline.take()
        if job:
            begin(f"Processing rap:{job[0]} since {int(time.time())}", "--root", options.root, "--job", json.dumps(job)).wait()
        else:
            time.sleep(0.5)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", default="/")
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--worker", action="store_true")
    parser.add_argument("--job")
    options = parser.parse_args()
    names = os.environ.get("QUEUE", "rap:archive,rap:publish,rap:process,rap:sanity,rap:captions")
    pipeline = Pipeline(options.root, names.split(","))
    if options.job:
        pipeline.do(*json.loads(options.job))
    elif options.once:
        while job := pipeline.take():
            pipeline.do(*job)
    elif options.worker:
        work(options, pipeline)
    else:
        started = [begin(f"Waiting for {names}", "--root", options.root, "--worker") for _ in range(int(os.environ.get("COUNT", "1")))]
        for one in started:
            one.wait()


if __name__ == "__main__":
    sys.exit(main())
