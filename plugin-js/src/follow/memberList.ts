/** The direct members of a group as bytes: 100,000 of them are 1.7 MB in a row, in memory, and on the way between the two */

/** Bytes of an entry: whether it is a group, and its object id */
export const ENTRY = 17;

/** An entry as text of one byte for each letter: compares, and is equal, as its bytes are */
export type MemberKey = string & { readonly __brand: 'MemberKey' };

/** The key of a member by its object id, a GUID */
export function memberKey(isGroup: boolean, id: string): MemberKey {
  return ((isGroup ? '\x01' : '\x00') + Buffer.from(id.replaceAll('-', ''), 'hex').toString('latin1')) as MemberKey;
}

/** All members, as a set to change */
export function membersOf(list: Buffer): Set<MemberKey> {
  const members = new Set<MemberKey>();
  for (let at = 0; at < list.length; at += ENTRY) members.add(list.toString('latin1', at, at + ENTRY) as MemberKey);
  return members;
}

/** The same as bytes, ascending */
export function listOf(members: ReadonlySet<MemberKey>): Buffer {
  return Buffer.from([...members].sort().join(''), 'latin1');
}

/** Whether bytes from a database are a list */
export function isList(list: unknown): list is Buffer {
  return Buffer.isBuffer(list) && list.length % ENTRY === 0;
}

/** Calls with the places of the entries that one list has and the other has not; both ascend */
export function compareLists(
  before: Buffer,
  after: Buffer,
  came: (at: number) => void,
  went: (at: number) => void,
): void {
  let [old, young] = [0, 0];
  while (old < before.length || young < after.length) {
    const order =
      old >= before.length
        ? 1
        : young >= after.length
          ? -1
          : before.compare(after, young, young + ENTRY, old, old + ENTRY);
    if (order > 0) came(young);
    else if (order < 0) went(old);
    if (order >= 0) young += ENTRY;
    if (order <= 0) old += ENTRY;
  }
}

/** How many entries of a list are in the other, too */
export function countCommon(before: Buffer, after: Buffer): number {
  let gone = 0;
  compareLists(
    before,
    after,
    () => undefined,
    () => (gone += 1),
  );
  return before.length / ENTRY - gone;
}
