/** Pages of members for the core, as Microsoft Graph would write them, made of lists */
import { compareLists, ENTRY } from './memberList';

/** What becomes of a group: its members before and after */
export interface GroupDifference {
  id: string;
  before: Buffer;
  after: Buffer;
  /** It is not there any more: it has nobody, and is no group */
  absent?: true;
}

const HEX = Buffer.from('0123456789abcdef');
const DASHES: ReadonlySet<number> = new Set([4, 6, 8, 10]);
const [USER, GROUP] = ['user', 'group'].map(kind => Buffer.from(`{"@odata.type":"#microsoft.graph.${kind}","id":"`));
const END = Buffer.from('"}');
const GONE = Buffer.from('","@removed":{"reason":"deleted"}}');
/** The longest thing that is written at once */
const LONGEST = 160;
/** Pages are about as long; the core reads each in place */
const PAGE_BYTES = 1024 * 1024;

/** Pages that say what has changed in groups; a large one is spread over several pages */
export function* memberPages(groups: Iterable<GroupDifference>): Generator<Uint8Array> {
  const page = new Page();
  for (const { id, before, after, absent } of groups) {
    // What came and what went, as the place in one of the lists; a negative one in the list before.
    const changes: number[] = [];
    compareLists(
      before,
      after,
      at => changes.push(at),
      at => changes.push(-at - 1),
    );
    let at = 0;
    do {
      page.open(id);
      while (at < changes.length && !page.isFull) {
        const change = changes[at++] as number;
        if (change >= 0) page.member(after, change, END);
        else page.member(before, -change - 1, GONE);
      }
      page.close(absent);
      if (page.isFull) yield page.take();
    } while (at < changes.length);
  }
  if (!page.isEmpty) yield page.take();
}

/** JSON written as bytes: a million members are some hundred million of them */
class Page {
  #bytes = Buffer.allocUnsafe(PAGE_BYTES + 4 * LONGEST);
  #length = 0;
  #groups = 0;
  #members = 0;

  get isEmpty(): boolean {
    return this.#groups === 0;
  }

  get isFull(): boolean {
    return this.#length >= PAGE_BYTES;
  }

  open(id: string): void {
    this.#text(this.#groups === 0 ? '{"value":[' : ',');
    this.#text(`{"id":"${id}","members@delta":[`);
    this.#groups += 1;
    this.#members = 0;
  }

  member(list: Buffer, at: number, end: Buffer): void {
    if (this.#members > 0) this.#bytes[this.#length++] = 0x2c;
    this.#members += 1;
    this.#copy((list[at] === 1 ? GROUP : USER) as Buffer);
    for (let byte = 0; byte < ENTRY - 1; byte += 1) {
      if (DASHES.has(byte)) this.#bytes[this.#length++] = 0x2d;
      const value = list[at + 1 + byte] as number;
      this.#bytes[this.#length++] = HEX[value >> 4] as number;
      this.#bytes[this.#length++] = HEX[value & 15] as number;
    }
    this.#copy(end);
  }

  /** `@removed` would take it out of the groups that it is in as well, of which nobody tells when it is restored */
  close(absent = false): void {
    this.#text(absent ? '],"@absent":true}' : ']}');
  }

  take(): Uint8Array {
    this.#text(']}');
    const taken = this.#bytes.subarray(0, this.#length);
    this.#bytes = Buffer.allocUnsafe(this.#bytes.length);
    [this.#length, this.#groups] = [0, 0];
    return taken;
  }

  #text(text: string): void {
    this.#length += this.#bytes.write(text, this.#length, 'latin1');
  }

  #copy(bytes: Buffer): void {
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }
}
