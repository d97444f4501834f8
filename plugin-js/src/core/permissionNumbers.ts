import type { PermissionInput } from './types';

interface Numbered extends Readonly<PermissionInput> {
  readonly number: number;
}

/** A power of two, well above the number of permissions that are asked about all the time */
const RECENT = 256;

/**
 * The core's numbers for permissions, found by comparing what they are made of: to put that into one text for each
 * question would cost more than the decision. Bounded by the core, which gives out 1,024.
 */
export class PermissionNumbers {
  readonly #byName = new Map<string, Numbered[]>();
  /** The last one found for each place: mostly compared without hashing, as one plugin asks with the same text again and again */
  readonly #recent: Array<Numbered | undefined> = Array.from({ length: RECENT });

  /** `undefined` for one that has not been added */
  find(permission: PermissionInput): number | undefined {
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

  #search(permission: PermissionInput): number | undefined {
    const { name } = permission;
    const found = this.#byName.get(name)?.find(each => isSame(each, permission));
    if (found !== undefined) this.#recent[placeOf(name)] = found;
    return found?.number;
  }
}

function isSame(one: Numbered, other: PermissionInput): boolean {
  return one.name === other.name && one.action === other.action && one.resourceType === other.resourceType;
}

/** Spreads names well enough: most end in `read`, `create`, `update` or `delete`, which differ in the fourth letter from behind */
function placeOf(name: string): number {
  const { length } = name;
  return (length * 37 + name.charCodeAt(length - 4) * 5 + name.charCodeAt(length >> 1) * 11) & (RECENT - 1);
}
