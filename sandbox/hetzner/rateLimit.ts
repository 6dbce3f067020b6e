/** Hetzner's bucket of 3600 requests, refilled by one a second. Reported, never enforced: see faults.ts for 429. */
export class RateLimit {
  #left = 3600;
  #at: number;

  constructor(private readonly clock: () => Date) {
    this.#at = clock().getTime();
  }

  /** Counts one request and returns headers with the remaining number. */
  headers(): Record<string, string> {
    const now = this.clock().getTime();
    const refilled = Math.max(0, Math.floor((now - this.#at) / 1000));
    this.#at += refilled * 1000;
    this.#left = Math.max(0, Math.min(3600, this.#left + refilled) - 1);
    return {
      "ratelimit-limit": "3600",
      "ratelimit-remaining": String(this.#left),
      "ratelimit-reset": String(Math.floor(now / 1000) + 3600 - this.#left),
    };
  }
}
