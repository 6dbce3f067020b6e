import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** BigBlueButton's API on a port of its own, which has the running meetings that a test gives it. */
export class MeetingsApi {
  /** Meetings as the API's XML has them. */
  meetings = "";
  readonly #server = createServer((_, response) =>
    response.end(
      `<response><returncode>SUCCESS</returncode><meetings>${this.meetings}</meetings></response>`,
    ),
  );

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
  }
}
