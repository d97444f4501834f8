import type { PermissionInput } from './types';

interface Numbered extends Readonly<Omit<PermissionInput, 'name'>> {
  readonly number: number;
}

/**
 * The core's numbers for permissions, found by comparing what they are made of: to put that into one text for each
 * question would cost more than the decision. Bounded by the core, which gives out 1,024.
 */
export class PermissionNumbers {
  readonly #byName = new Map<string, Numbered[]>();

  /** `undefined` for one that has not been added */
  find({ name, action, resourceType }: PermissionInput): number | undefined {
    const alike = this.#byName.get(name);
    if (alike === undefined) return undefined;
    for (let at = 0; at < alike.length; at += 1) {
      const each = alike[at]!;
      if (each.action === action && each.resourceType === resourceType) return each.number;
    }
    return undefined;
  }

  add({ name, action, resourceType }: PermissionInput, number: number): void {
    const alike = this.#byName.get(name);
    const numbered = { action, resourceType, number };
    if (alike === undefined) this.#byName.set(name, [numbered]);
    else alike.push(numbered);
  }
}
