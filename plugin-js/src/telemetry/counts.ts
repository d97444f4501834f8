/** Counts by the members of a closed set, so that no caller can make a series of their own; whatever else comes is `other` */
export class Counts<K extends string> {
  readonly #other = { count: 0 };
  readonly #cells: ReadonlyMap<string, { count: number }>;

  constructor(names: readonly K[]) {
    this.#cells = new Map([...names.map(name => [name, { count: 0 }] as const), ['other', this.#other]]);
  }

  /** One more */
  add(name: K): void {
    (this.#cells.get(name) ?? this.#other).count += 1;
  }

  /** Since the start, each name of the set */
  get entries(): Array<[string, number]> {
    return [...this.#cells].map(([name, { count }]) => [name, count]);
  }
}
