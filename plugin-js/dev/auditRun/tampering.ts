/** What somebody may do to a trail who may do everything in the database, and how it is put back */
import type { databaseOf } from '../../e2e/support/databases';
import type { AuditRow } from '../../src/audit/records';

type Database = Awaited<ReturnType<typeof databaseOf>>['knex'];

const TABLE = 'entra_access_audit';

/** A chain of records from 1 to `last` */
export interface Extent {
  chain: string;
  last: number;
}

/** One way to change a trail, and what must be found of it */
export interface Tampering {
  what: string;
  of: Extent;
  /** @returns the findings of which one must be told, with the number of the first record that does not fit */
  change(database: Database): Promise<string[]>;
}

/** `ended`: the chain of a process that is no more, known by the start of the next; `running`: known by its own process */
export function tamperings(ended: Extent, running: Extent): Tampering[] {
  const middle = Math.floor(ended.last / 2);
  const cut = (of: Extent, what: string): Tampering => ({
    what,
    of,
    async change(database) {
      // A process that runs may have written more since: what waited for the database comes late.
      const [newest] = await links(database, of).orderBy('seq', 'desc').limit(1);
      const last = Number(newest?.seq ?? of.last);
      await links(database, of)
        .andWhere('seq', '>', of.last - 3)
        .delete();
      // Where it has written after that, the gap is seen first.
      return [`cut at ${last}`, `missing at ${of.last - 2}`];
    },
  });
  return [
    {
      what: 'a record was tampered with',
      of: ended,
      async change(database) {
        const decisions = links(database, ended).where({ event: 'decision', result: 'DENY' });
        const row = await decisions.andWhere('seq', '>=', middle).orderBy('seq').first();
        if (!row) throw new Error('there is no decision to change');
        const record = row.record.replace('"result":"DENY"', '"result":"ALLOW"');
        await links(database, ended).where({ seq: row.seq }).update({ record, result: 'ALLOW' });
        return [`altered at ${row.seq}`];
      },
    },
    {
      what: 'a record was deleted',
      of: ended,
      async change(database) {
        await links(database, ended).where({ seq: middle }).delete();
        return [`missing at ${middle}`];
      },
    },
    {
      what: 'two records were swapped',
      of: ended,
      async change(database) {
        for (const [from, to] of [
          [middle, -1],
          [middle + 1, middle],
          [-1, middle + 1],
        ] as const) {
          await links(database, ended).where({ seq: from }).update({ seq: to });
        }
        return [`misplaced at ${middle}`];
      },
    },
    cut(ended, 'the tail of an ended process was cut'),
    cut(running, 'the tail of the running process was cut'),
  ];
}

/** Makes a change as the superuser of PostgreSQL, looks, and puts everything back as it was */
export async function tampered<T>(
  database: Database,
  { change, of }: Tampering,
  look: (expected: string[]) => Promise<T>,
): Promise<T> {
  const kept: AuditRow[] = await links(database, of).select();
  await database.raw(`ALTER TABLE ${TABLE} DISABLE TRIGGER USER`);
  try {
    return await look(await change(database));
  } finally {
    await links(database, of).andWhere('seq', '<=', of.last).delete();
    for (let at = 0; at < kept.length; at += 1_000) {
      const some = kept.slice(at, at + 1_000);
      // What was recorded meanwhile stays as it is.
      await database(TABLE).insert(some).onConflict(['chain', 'seq']).ignore();
    }
    await database.raw(`ALTER TABLE ${TABLE} ENABLE TRIGGER USER`);
  }
}

function links(database: Database, { chain }: Extent) {
  return database<AuditRow>(TABLE).where({ chain });
}
