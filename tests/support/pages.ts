import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const ANSWERS: Readonly<Record<string, readonly [status: number, location?: string]>> = {
  "/": [200],
  "/moved": [302, "/rooms?token=s3cr3t"],
  "/rooms?token=s3cr3t": [200],
  "/dead": [302, "/gone"],
  "/gone": [502],
  "/round": [301, "/round"],
};

/** Pages that people might open first: one that is there, moved, gone, missing, and redirects without end. */
export interface Pages {
  /** e.g. "http://127.0.0.1:1234" */
  readonly root: string;
  close(): void;
}

/** Serves {@link Pages} on a free port. */
export async function servePages(): Promise<Pages> {
  const server = createServer(({ url }, response) => {
    const [status, location] = ANSWERS[url!] ?? [404];
    response.writeHead(status, location === undefined ? {} : { Location: location }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    root: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => server.close(),
  };
}
