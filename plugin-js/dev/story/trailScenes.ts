/** The audit trail proves itself, and what somebody changes in a copy of it is found by whoever can count SHA-256 */
import { createHash } from 'node:crypto';
import type { Scene, WayIn } from './scene';

const AUDIT = '/api/entra-access/v1/audit';

/** The route verifies what all scenes before have left in the trail */
export function provesItself(who: string, wayIn: WayIn): Scene {
  const what = 'verify the audit trail';
  return {
    who,
    what,
    expect: { answer: 'WHOLE', rule: '-', reason: /^[1-9]\d* records, none changed, none missing$/ },
    async play(client, tenant) {
      const { body } = await client.call(`${AUDIT}/verify`, await wayIn(client, tenant));
      const [problem = body.error ?? {}] = body.problems ?? [];
      return body.whole === true
        ? { who, what, answer: 'WHOLE', rule: '-', reason: `${body.records} records, none changed, none missing` }
        : { who, what, answer: 'BROKEN', rule: '-', reason: problem.message ?? 'no answer' };
    },
  };
}

/** An export of the trail is held against its own hashes, as it is and with one refusal made a permission */
export function tamperedCopy(who: string, wayIn: WayIn): Scene {
  const what = 'a copy of the trail, one DENY made ALLOW';
  return {
    who,
    what,
    expect: { answer: 'ALTERED', rule: '-', reason: /^record \d+ of \d+: its hash is not that of what it says$/ },
    async play(client, tenant) {
      const token = await wayIn(client, tenant);
      const response = await fetch(`${client.base}${AUDIT}/entries`, {
        headers: { authorization: `Bearer ${token}`, accept: 'application/x-ndjson' },
      });
      const lines = (await response.text()).trimEnd().split('\n');
      const entries = lines.map(line => JSON.parse(line) as Entry).reverse();
      const changed = entries.map(entry => ({ ...entry }));
      const refusal = changed.find(({ result }) => result === 'DENY');
      if (refusal) refusal.result = 'ALLOW';
      const [honest, found] = [firstAltered(entries), firstAltered(changed)];
      return honest === undefined && found !== undefined && found === refusal?.seq
        ? { who, what, answer: 'ALTERED', rule: '-', reason: altered(found, entries.length) }
        : {
            who,
            what,
            answer: 'UNSEEN',
            rule: '-',
            reason: `told ${found ?? 'nothing'}, and ${honest ?? 'nothing'} before`,
          };
    },
  };
}

interface Entry {
  chain: string;
  seq: number;
  /** ISO 8601 */
  at: string;
  result?: string;
  hash: string;
}

/** As docs/audit.md describes a chain, without any code of the product: number of the first record that is not what was hashed */
function firstAltered(entries: readonly Entry[]): number | undefined {
  let before = Buffer.alloc(32);
  for (const { hash, chain, seq, at, ...rest } of [...entries].sort((one, other) => one.seq - other.seq)) {
    const record = JSON.stringify({ chain, seq, at: Date.parse(at), ...rest });
    const digest = createHash('sha256').update(before).update(record).digest();
    if (digest.toString('hex') !== hash) return seq;
    before = digest;
  }
  return undefined;
}

function altered(seq: number, count: number): string {
  return `record ${seq} of ${count}: its hash is not that of what it says`;
}
