# Stand-in: rap_worker.py does this stage of the format podcast.
