import type { PermissionInput } from './types';

interface Numbered extends Readonly<PermissionInput> {
  readonly number: number;
}

/** What is found for a permission that has not been added: a number, so that the optimizing compiler can keep it in a register */
export const UNNUMBERED = -1;

/** A power of two, well above the number of permissions that are asked about all the time */
const RECENT = 512;

/**
 * The core's numbers for permissions, found by comparing what they are made of: to put that into one text for each
 * question would cost more than the decision. Bounded by the core, which gives out 1,024.
 */
export class PermissionNumbers {
  readonly #byName = new Map<string, Numbered[]>();
  /** The last one found for each place: mostly compared without hashing, as one plugin asks with the same text again and again */
  readonly #recent: Array<Numbered | undefined> = Array.from({ length: RECENT });

  /** {@link UNNUMBERED} for one that has not been added */
  find(permission: PermissionInput): number {
    const recent = this.#recent[placeOf(permission.name)];
    if (recent !== undefined && isSame(recent, permission)) return recent.number;
    return this.#search(permission);
  }

  add({ name, action, resourceType }: PermissionInput, number: number): void {
    const alike = this.#byName.get(name);
    const numbered = { name, action, resourceType, number };
    if (alike === undefined) this.#byName.set(name, [numbered]);
    else alike.push(numbered);
  }

  #search(permission: PermissionInput): number {
    const { name } = permission;
    const found = this.#byName.get(name)?.find(each => isSame(each, permission));
    if (found !== undefined) this.#recent[placeOf(name)] = found;
    return found?.number ?? UNNUMBERED;
  }
}

function isSame(one: Numbered, other: PermissionInput): boolean {
  return (
    one.name === other.name && sameText(one.action, other.action) && sameText(one.resourceType, other.resourceType)
  );
}

/** `undefined` apart: constants alone are compared in place, one with either by a call that takes longer than all else here */
function sameText(one: string | undefined, other: string | undefined): boolean {
  return one === undefined ? other === undefined : other !== undefined && one === other;
}

/**
 * Spreads names well enough: by length, by the letter that tells the plugin best, and by the one that tells `read`, `create`,
 * `update` and `delete` apart
 */
function placeOf(name: string): number {
  const { length } = name;
  return ((length * 37) ^ (name.charCodeAt(2) * 131) ^ (name.charCodeAt(length - 4) * 5)) & (RECENT - 1);
}
