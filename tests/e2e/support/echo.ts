import { killGroup, outside, start } from "./sandbox";

const SERVER = `
import select, socket, sys
service = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
service.bind(("", int(sys.argv[1])))
print("ready", flush=True)
while sys.stdin not in (ready := select.select([service, sys.stdin], [], [])[0]):
    service.sendto(*service.recvfrom(2048))
`;

/** Starts a UDP echo on a host; it runs until it is stopped. */
export async function startEcho(fqdn: string, port: number): Promise<{ stop(): Promise<void> }> {
  const child = start(["exec", "--at", fqdn, "--", "python3", "-c", SERVER, String(port)]);
  const ended = new Promise<void>((done) => child.on("close", () => done()));
  let output = "";
  child.stderr?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  await new Promise<void>((ready, failed) => {
    child.stdout?.once("data", () => ready());
    child.on("close", () => failed(new Error(`the echo on ${fqdn} did not start: ${output}`)));
  });
  return {
    async stop() {
      child.stdin?.end();
      setTimeout(() => killGroup(child), 10_000).unref();
      await ended;
    },
  };
}

const CLIENT = `
import socket, sys
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.settimeout(2)
for _ in range(5):
    client.sendto(b"echo", (sys.argv[1], int(sys.argv[2])))
    try:
        sys.exit(0 if client.recv(16) == b"echo" else 1)
    except TimeoutError:
        pass
sys.exit(1)
`;

/** True when an address answers a packet from the internet. */
export async function echoed(address: string, port: number): Promise<boolean> {
  return (await outside(["/usr/bin/python3", "-c", CLIENT, address, String(port)])).code === 0;
}
