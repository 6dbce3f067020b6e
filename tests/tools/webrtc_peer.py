"""WebRTC peer in place of a media server: sends back the sound that it hears and the messages that it gets.

Reads one JSON object a line from standard input, {"offer": SDP}; prints {"answer": SDP} for each. Ends with its
input.
"""

import asyncio
import json
import sys

from aiortc import RTCPeerConnection, RTCSessionDescription

connections: list = []


async def answer(offer):
    connection = RTCPeerConnection()
    connections.append(connection)
    connection.on("track", connection.addTrack)

    @connection.on("datachannel")
    def echo(channel):
        channel.on("message", channel.send)

    await connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
    await connection.setLocalDescription(await connection.createAnswer())
    return connection.localDescription.sdp


async def main():
    reader = asyncio.StreamReader(limit=1 << 20)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    print("ready", flush=True)
    while line := await reader.readline():
        print(json.dumps({"answer": await answer(json.loads(line)["offer"])}), flush=True)
    for connection in connections:
        await connection.close()


asyncio.run(main())
