import type { AuditFinding, ChainPlace, EntraCore } from '../core';
import { columnsOf, type AuditRecord, type AuditRow } from './records';
import type { AuditStore } from './store';

/** Links read at once, between which others are served */
const PAGE = 1_000;
/** Most chains of which other chains say how far they reached; more replicas never start within the time of one */
const MAX_HEADS = 10_000;

/** How far a chain is known to have reached */
export interface KnownHead extends ChainPlace {
  chain: string;
}

/** What is wrong, and with which record; `unnamed`: a checkpoint of which no record says that it was made */
export interface AuditProblem {
  chain: string;
  /** Number of the first record that does not fit */
  seq: number;
  /** `columns`: what is searched by is not what the record says; `cut`: the end of the chain is missing, or another */
  finding: AuditFinding | 'columns' | 'cut' | 'unnamed';
  message: string;
}

/** How far verifying has come with a chain */
export interface VerifiedChain {
  chain: string;
  /** The first record that is there; those before it were removed after their time */
  from: number;
  to: number;
  records: number;
  /** Of the last record */
  hash: string;
}

/** What verifying says as it goes on */
export type VerifyStep = { progress: VerifiedChain } | { chain: VerifiedChain } | { problem: AuditProblem };

export interface VerifyOptions {
  core: Pick<EntraCore, 'audit'>;
  store: AuditStore;
  /** Known from elsewhere: the memory of this process, the log of Backstage's auditor */
  heads?: readonly KnownHead[];
  /** Goes on with one chain behind a link that was verified before, and verifies no other */
  after?: KnownHead;
}

const MESSAGES: Readonly<Record<AuditProblem['finding'], string>> = {
  missing: 'records before this one are missing',
  misplaced: 'another record belongs here: swapped, repeated, or from another chain',
  altered: 'the record or a hash was changed',
  unreadable: 'this is not a record',
  columns: 'the columns that are searched by do not say what the record says',
  unnamed: 'records up to this one are gone, and no record says that they were removed after their time',
  cut: 'the chain had reached this record, and it is gone or another one',
};

/**
 * Verifies all chains link by link. Of each chain the first problem is told and the rest of it left aside, since nothing behind it
 * proves anything; the ends are compared with what other chains and whoever asks know of them.
 */
export async function* verifyAudit(options: VerifyOptions): AsyncGenerator<VerifyStep> {
  const { store, after } = options;
  const known = new Map<string, ChainPlace>();
  for (const { chain, seq, hash } of options.heads ?? []) keep(known, chain, { seq, hash });
  // What was verified before must still be there to go on behind it.
  if (after) keep(known, after.chain, { seq: after.seq, hash: after.hash });
  const broken = new Set<string>();
  const begun = new Map<string, ChainPlace>();
  const named = new Set<string>();
  const learned: Learned = { known, begun, named, reached: new Map() };
  const chains = after ? [after.chain] : (await store.chains()).map(({ chain }) => chain);
  for (const chain of chains.sort()) {
    for await (const step of verifyChain(options, chain, learned)) {
      if ('problem' in step) broken.add(chain);
      yield step;
    }
  }
  // Of a chain that is gone as a whole no record was read.
  for (const chain of after ? [] : known.keys()) {
    const gone = begun.has(chain) || broken.has(chain) ? undefined : await store.checkpoint(chain);
    if (gone) begun.set(chain, gone);
  }
  // A checkpoint lets records be deleted: it must be named by a record, which is as young as what remains of the chain. Where a
  // chain is broken not every record was read.
  if (!after && broken.size === 0) {
    const isNamed = ([chain, { seq, hash }]: [string, ChainPlace]) => named.has(`${chain} ${seq} ${hash}`);
    if (![...begun].every(isNamed)) await catchUp(options, learned);
    for (const each of begun) if (!isNamed(each)) yield { problem: problemAt(each[0], each[1].seq, 'unnamed') };
  }
  for (const [chain, head] of known) {
    // Told already, with the first record that does not fit.
    if (broken.has(chain) || (after && after.chain !== chain)) continue;
    if (!(await reaches(store, chain, head))) yield { problem: problemAt(chain, head.seq, 'cut') };
  }
}

async function* verifyChain(
  { core, store, after }: VerifyOptions,
  chain: string,
  learned: Learned,
): AsyncGenerator<VerifyStep> {
  let start = after ?? (await store.checkpoint(chain)) ?? { seq: 0, hash: '' };
  if (start.seq > 0) learned.begun.set(chain, start);
  let place: ChainPlace = { seq: start.seq, hash: start.hash };
  const verified = () => ({
    chain,
    from: start.seq + 1,
    to: place.seq,
    records: place.seq - start.seq,
    hash: place.hash,
  });
  const read = (behind: number) => {
    const links = store.links(chain, behind, PAGE);
    // It is waited for later, or never.
    links.catch(() => undefined);
    return links;
  };
  // From the very first that is there, whatever its number: one that a checkpoint stands for must be gone.
  let next = read(after?.seq ?? Number.MIN_SAFE_INTEGER);
  pages: for (;;) {
    const links = await next;
    const last = links.length < PAGE ? undefined : links.at(-1);
    // The database reads on while these are looked at.
    if (last) next = read(last.seq);
    for (const link of links) {
      const finding = core.audit.check(chain, place, link.seq, link) ?? columnFinding(link);
      if (finding === undefined) {
        place = { seq: link.seq, hash: link.hash };
        learn(learned, link);
        continue;
      }
      // Whoever goes on behind a link has to find that one.
      const pruned = finding === 'missing' && !after ? await store.checkpoint(chain) : undefined;
      if (pruned && pruned.seq > place.seq) {
        // Records whose time was over went while they were read: what remains begins behind another checkpoint.
        [start, place] = [pruned, pruned];
        learned.begun.set(chain, pruned);
        next = read(pruned.seq);
        continue pages;
      }
      yield { problem: problemAt(chain, finding === 'missing' ? place.seq + 1 : link.seq, finding) };
      return;
    }
    if (!last) break;
    yield { progress: verified() };
    await new Promise(resolve => setImmediate(resolve));
  }
  learned.reached.set(chain, place);
  yield { chain: verified() };
}

/** What was recorded, and which checkpoints were set, since the chains were read: records may be removed meanwhile */
async function catchUp({ core, store }: VerifyOptions, learned: Learned): Promise<void> {
  for (const chain of learned.begun.keys()) {
    const checkpoint = await store.checkpoint(chain);
    if (checkpoint) learned.begun.set(chain, checkpoint);
  }
  for (const { chain } of await store.chains()) {
    let place = learned.reached.get(chain) ?? { seq: 0, hash: '' };
    for (let links = await store.links(chain, place.seq, PAGE); links.length > 0;) {
      for (const link of links) {
        // What does not fit is told when everything is verified the next time.
        if (core.audit.check(chain, place, link.seq, link) ?? columnFinding(link)) break;
        place = { seq: link.seq, hash: link.hash };
        learn(learned, link);
      }
      if (links.length < PAGE || links.at(-1)?.seq !== place.seq) break;
      links = await store.links(chain, place.seq, PAGE);
    }
  }
}

function columnFinding(link: AuditRow): 'columns' | undefined {
  const columns = columnsOf(link.record);
  const names = Object.keys(columns) as Array<keyof typeof columns>;
  return names.every(name => columns[name] === link[name]) ? undefined : 'columns';
}

/** What is found out on the way */
interface Learned {
  /** How far chains had come */
  known: Map<string, ChainPlace>;
  /** Checkpoints behind which chains begin */
  begun: Map<string, ChainPlace>;
  /** Checkpoints that records name */
  named: Set<string>;
  /** How far chains were verified, those that fit */
  reached: Map<string, ChainPlace>;
}

/** What a record says of other chains */
function learn({ known, named }: Learned, { event, record }: AuditRow): void {
  if (event !== 'start' && event !== 'checkpoint') return;
  for (const head of (JSON.parse(record) as AuditRecord).heads ?? []) {
    if (event === 'checkpoint') {
      named.add(head);
      continue;
    }
    const [chain, seq, hash] = head.split(' ');
    if (chain && seq && hash) keep(known, chain, { seq: Number(seq), hash });
  }
}

/** The furthest: it is made of all that were before it */
function keep(known: Map<string, ChainPlace>, chain: string, head: ChainPlace): void {
  const present = known.get(chain);
  if (present ? present.seq < head.seq : head.seq > 0 && known.size < MAX_HEADS) known.set(chain, head);
}

async function reaches(store: AuditStore, chain: string, { seq, hash }: ChainPlace): Promise<boolean> {
  const checkpoint = await store.checkpoint(chain);
  if (checkpoint && checkpoint.seq > seq) return true;
  if (checkpoint?.seq === seq) return checkpoint.hash === hash;
  return (await store.hashAt(chain, seq)) === hash;
}

function problemAt(chain: string, seq: number, finding: AuditProblem['finding']): AuditProblem {
  return { chain, seq, finding, message: MESSAGES[finding] };
}
