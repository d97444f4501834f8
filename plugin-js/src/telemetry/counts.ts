/** Counts by the members of a closed set, so that no caller can make a series of their own; whatever else comes is `other` */
export class Counts<K extends string> {
  readonly #counts: Map<string, number>;

  constructor(names: readonly K[]) {
    this.#counts = new Map([...names, 'other'].map(name => [name, 0]));
  }

  /** One more */
  add(name: K): void {
    const known = this.#counts.get(name);
    if (known === undefined) this.#counts.set('other', (this.#counts.get('other') ?? 0) + 1);
    else this.#counts.set(name, known + 1);
  }

  /** Since the start, each name of the set */
  get entries(): Iterable<[string, number]> {
    return this.#counts.entries();
  }
}
