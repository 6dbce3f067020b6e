/** Runs tasks of the same key one after the other, so that the last published state is the newest. */
export class Lanes {
  readonly #tails = new Map<string, Promise<unknown>>();

  run(key: string, task: () => Promise<void>): Promise<void> {
    const before = this.#tails.get(key) ?? Promise.resolve();
    const mine = before.catch(() => undefined).then(task);
    this.#tails.set(key, mine);
    const forget = (): void => {
      if (this.#tails.get(key) === mine) this.#tails.delete(key);
    };
    mine.then(forget, forget);
    return mine;
  }
}
