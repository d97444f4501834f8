import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { configurationOf, recordOf } from '../../e2e/support/core';
import { databaseFolder, databaseOf } from '../../e2e/support/databases';
import { RecordingLogger } from '../../e2e/support/logger';
import { startPostgres, WITHOUT_POSTGRES, type Postgres } from '../../e2e/support/postgres';
import { EntraCore } from '../core';
import type { AuditRow } from './records';
import { nameOwnCheckpoint, pruneAudit } from './retention';
import { AuditStore } from './store';
import { AuditTrail } from './trail';
import { verifyAudit, type AuditProblem, type VerifyOptions } from './verify';

type Opened = Awaited<ReturnType<typeof databaseOf>>;
const TABLES = ['entra_access_audit', 'entra_access_audit_checkpoints'];
const DAY = 24 * 60 * 60 * 1000;
const denied = (rule: string) => ({ event: 'decision', result: 'DENY', principal: 'user:default/o', rule }) as const;

let postgres: Postgres;
let core: EntraCore;
before(async () => {
  core = coreWith({});
  if (!WITHOUT_POSTGRES) postgres = await startPostgres();
});
after(async () => {
  core.close();
  await postgres?.stop();
});

function coreWith(audit: object): EntraCore {
  const json = configurationOf({ authority: 'http://127.0.0.1:1', tenantId: recordOf().tenantId });
  return new EntraCore({
    configuration: JSON.stringify({ ...JSON.parse(json), audit }),
    logger: new RecordingLogger(),
  });
}

function trailOf(options: Partial<ConstructorParameters<typeof AuditTrail>[0]> = {}): AuditTrail {
  return new AuditTrail({ core, logger: new RecordingLogger(), expected: true, pauseMs: 10, ...options });
}

/** The same store with another way to write */
function over(store: AuditStore, append: (rows: AuditRow[]) => Promise<void>): AuditStore {
  const { chains, hashAt } = store;
  return { chains: chains.bind(store), hashAt: hashAt.bind(store), append } as unknown as AuditStore;
}

async function problems(options: Omit<VerifyOptions, 'core'>): Promise<AuditProblem[]> {
  const found: AuditProblem[] = [];
  for await (const step of verifyAudit({ core, ...options })) if ('problem' in step) found.push(step.problem);
  return found;
}

const short = (found: AuditProblem[]) => found.map(({ seq, finding }) => `${seq} ${finding}`);

test('records of before there were references verify as they are, and cannot be changed afterwards either', async () => {
  const database = await databaseOf('better-sqlite3', ':memory:');
  const { knex } = database;
  const directory = join(__dirname, '..', '..', 'migrations');
  const older = readdirSync(directory).filter(name => !name.endsWith('_audit_reference.js'));
  for (const name of older.sort()) await knex.migrate.up({ directory, name } as object);
  const [chain, rows]: [string, object[]] = ['00000000-0000-4000-8000-000000000000', []];
  let before = '';
  for (const seq of [1, 2, 3]) {
    const said = { chain, seq, at: seq, event: 'decision', result: 'DENY', rule: `r${seq}` };
    const link = core.audit.link(before, JSON.stringify(said))!;
    before = link.hash;
    rows.push({ ...said, ...link });
  }
  await knex('entra_access_audit').insert(rows);
  const store = await AuditStore.open(database.service);
  assert.deepEqual(await problems({ store, heads: [{ chain, seq: 3, hash: before }] }), []);
  const trail = trailOf();
  await trail.attach(store);
  await trail.require({ ...denied('r4'), reference: '0123456789' });
  const found = await store.entries({ reference: '0123456789' }, 10);
  assert.deepEqual(
    found.map(({ rule }) => rule),
    ['r4'],
  );
  assert.deepEqual(await problems({ store }), []);
  await assert.rejects(() => knex('entra_access_audit').update({ reference: 'x' }), /append-only/);
  await database.close();
});

const DATABASES = [
  { name: 'SQLite', skip: false, open: () => databaseOf('better-sqlite3', ':memory:') },
  { name: 'PostgreSQL', skip: WITHOUT_POSTGRES, open: () => databaseOf('pg', { ...postgres.connection }) },
] as const;

for (const { name, skip, open } of DATABASES) {
  describe(`the audit trail in ${name}`, { skip }, () => {
    let database: Opened;
    let store: AuditStore;
    beforeEach(async () => {
      database = await open();
      store = await AuditStore.open(database.service);
    });
    afterEach(async () => {
      await unguarded(async () => {
        for (const table of TABLES) await database.knex(table).delete();
      });
      await database.close();
    });

    /** As somebody who may do everything in the database */
    async function unguarded(change: () => Promise<unknown>): Promise<void> {
      const { knex } = database;
      if (name === 'PostgreSQL') {
        for (const table of TABLES) await knex.raw(`ALTER TABLE ${table} DISABLE TRIGGER USER`);
        await change();
        for (const table of TABLES) await knex.raw(`ALTER TABLE ${table} ENABLE TRIGGER USER`);
        return;
      }
      const triggers: Array<{ name: string; sql: string }> = await knex('sqlite_master').where({ type: 'trigger' });
      for (const trigger of triggers) await knex.raw(`DROP TRIGGER ${trigger.name}`);
      await change();
      for (const trigger of triggers) await knex.raw(trigger.sql);
    }

    async function filled(count: number, trail = trailOf()): Promise<AuditTrail> {
      await trail.attach(store);
      await Promise.all(Array.from({ length: count }, (_, at) => trail.require(denied(`r${at}`))));
      return trail;
    }

    const rows = () => database.knex<AuditRow>('entra_access_audit').orderBy('seq');
    const at = (seq: number) => database.knex<AuditRow>('entra_access_audit').where({ seq });

    test('what was required is there, in one chain that fits', async () => {
      const trail = await filled(1_700);
      assert.deepEqual([trail.state.recorded, trail.state.waiting, trail.state.lost], [1_701, 0, 0]);
      const kept = await rows();
      assert.equal(kept.length, 1_701);
      const { record, rule, principal, result } = kept[1]!;
      assert.deepEqual([rule, principal, result], ['r0', 'user:default/o', 'DENY']);
      assert.match(record, /^\{"chain":"[0-9a-f-]{36}","seq":2,"at":\d+,"event":"decision","result":"DENY",/);
      const steps = [];
      for await (const step of verifyAudit({ core, store })) steps.push(step);
      assert.deepEqual(steps.at(-1), {
        chain: { chain: trail.chain, from: 1, to: 1_701, records: 1_701, hash: trail.head.hash },
      });
      assert.ok('progress' in steps[0]!, 'it tells how far it has come');
    });

    test('records can be neither changed nor removed', async () => {
      await filled(3);
      await assert.rejects(() => at(2).update({ record: '{}' }), /append-only/);
      await assert.rejects(() => at(2).delete(), /append-only/);
      assert.equal((await rows()).length, 4);
    });

    /** Ways to write a row in the place of another one; those of SQLite need no right to update or delete */
    function replacing(table: string, row: object): Array<PromiseLike<unknown>> {
      const { knex } = database;
      const upsert = knex(table).insert(row).onConflict(['chain', 'seq']).merge();
      if (name === 'PostgreSQL') return [upsert];
      const byPlace = (taken: object) => {
        const { sql, bindings } = knex(table).insert(taken).toSQL().toNative();
        return knex.raw(sql.replace(/^insert /, 'insert or replace '), bindings as string[]);
      };
      // What SQLite numbers rows by is a key of its own.
      const rowid = knex(table).max('rowid');
      return [upsert, byPlace(row), byPlace({ ...row, chain: 'another', rowid })];
    }

    test('nothing takes the place of what is there, in neither table', async () => {
      const trail = await filled(3);
      const tables = async () => [await rows(), await database.knex('entra_access_audit_checkpoints')];
      const [first, second] = await rows();
      await store.prune(trail.chain, { seq: 1, hash: first!.hash }, 1);
      const before = await tables();
      for (const statement of [
        ...replacing('entra_access_audit', { ...second, record: '{}', hash: 'f'.repeat(64) }),
        ...replacing('entra_access_audit_checkpoints', { chain: trail.chain, seq: 1, hash: 'f'.repeat(64), at: 1 }),
      ]) {
        // Passed over without a word, or refused.
        await statement.then(undefined, error => assert.match(String(error), /append-only/));
        assert.deepEqual(await tables(), before);
      }
    });

    test('of a batch that came through in part the rest is added', async () => {
      const trail = await filled(3);
      await trail.close();
      const kept = await rows();
      const { chain, head } = trail;
      const said = { chain, seq: head.seq + 1, at: 1, event: 'decision', result: 'DENY', rule: 'r' };
      const link = { ...said, ...core.audit.link(head.hash, JSON.stringify(said))! } as AuditRow;
      await store.append([...kept.slice(-2), link]);
      await store.append([link]);
      assert.equal((await rows()).length, kept.length + 1);
      assert.deepEqual(await problems({ store, heads: [{ chain, seq: link.seq, hash: link.hash }] }), []);
    });

    const TAMPERED: Array<[string, string[], (head: AuditRow[]) => Promise<unknown>]> = [
      [
        'a changed record',
        ['4 altered'],
        ([, , , row]) => at(4).update({ record: row!.record.replace('DENY', 'ALLOW') }),
      ],
      ['a changed hash', ['4 altered'], () => at(4).update({ hash: 'f'.repeat(64) })],
      ['a changed column', ['4 columns'], () => at(4).update({ rule: 'another' })],
      ['a removed record', ['4 missing'], () => at(4).delete()],
      ['a removed beginning', ['1 missing'], () => at(1).delete()],
      [
        'two swapped records',
        ['4 misplaced'],
        async () => {
          await at(4).update({ seq: 100 });
          await at(5).update({ seq: 4 });
          await at(100).update({ seq: 5 });
        },
      ],
    ];
    for (const [what, expected, tamper] of TAMPERED) {
      test(`${what} is found and named`, async () => {
        await filled(8);
        assert.deepEqual(await problems({ store }), []);
        const kept = await rows();
        await unguarded(() => tamper(kept));
        assert.deepEqual(short(await problems({ store })), expected);
      });
    }

    test('a cut tail is found by the running process, by the next one, and by a head from the log', async () => {
      const trail = await filled(8);
      const head = { chain: trail.chain, ...trail.head };
      await trail.close();
      const next = trailOf();
      await next.attach(store);
      await next.require(denied('later'));
      await unguarded(() =>
        database.knex('entra_access_audit').where({ chain: trail.chain }).andWhere('seq', '>', 6).delete(),
      );
      assert.deepEqual(await problems({ store }), [
        {
          chain: trail.chain,
          seq: 9,
          finding: 'cut',
          message: 'the chain had reached this record, and it is gone or another one',
        },
      ]);
      await unguarded(() => database.knex('entra_access_audit').where({ chain: next.chain }).delete());
      assert.deepEqual(await problems({ store }), [], 'nobody is left who knows');
      assert.deepEqual(short(await problems({ store, heads: [head] })), ['9 cut']);
      await next.close();
    });

    test('a chain that is gone as a whole is found', async () => {
      const trail = await filled(3);
      const next = trailOf();
      await next.attach(store);
      await next.require(denied('later'));
      await unguarded(() => database.knex('entra_access_audit').where({ chain: trail.chain }).delete());
      assert.deepEqual(short(await problems({ store })), ['4 cut']);
    });

    test('a made-up chain fits, as hashes have no key: what tells is that no head of it was ever told', async () => {
      const trail = await filled(3);
      const chain = '00000000-0000-4000-8000-000000000000';
      const said = { chain, seq: 1, at: 1, event: 'decision', result: 'ALLOW', rule: 'made up' };
      await database.knex('entra_access_audit').insert({ ...said, ...core.audit.link('', JSON.stringify(said)) });
      const chains: string[] = [];
      for await (const step of verifyAudit({ core, store })) {
        assert.ok(!('problem' in step));
        if ('chain' in step) chains.push(step.chain.chain);
      }
      assert.deepEqual(chains.sort(), [chain, trail.chain].sort());
    });

    test('verifying goes on behind a link', async () => {
      const trail = await filled(8);
      const [, , third] = await rows();
      const steps = [];
      for await (const step of verifyAudit({ core, store, after: { chain: trail.chain, seq: 3, hash: third!.hash } }))
        steps.push(step);
      assert.deepEqual(steps, [{ chain: { chain: trail.chain, from: 4, to: 9, records: 6, hash: trail.head.hash } }]);
      const wrong = { chain: trail.chain, seq: 3, hash: 'f'.repeat(64) };
      assert.deepEqual(short(await problems({ store, after: wrong })), ['4 altered']);
    });

    test('what is older than its time goes, and the rest fits behind a checkpoint', async () => {
      let now = 10 * DAY;
      const trail = await filled(5, trailOf({ clock: () => now }));
      now += 3 * DAY;
      await trail.require(denied('young'));
      assert.equal(await pruneAudit(store, trail, 30, undefined, now), 0);
      assert.equal(await pruneAudit(store, trail, 2, undefined, now), 1);
      assert.deepEqual(
        (await rows()).map(({ seq }) => Number(seq)),
        [7, 8],
      );
      assert.deepEqual(await problems({ store }), []);
      assert.match((await at(8).first())!.record, /"event":"checkpoint","heads":\["[0-9a-f-]{36} 6 [0-9a-f]{64}"\]/);
      await unguarded(() => at(7).delete());
      assert.deepEqual(short(await problems({ store })), ['7 missing']);
    });

    test('a process that is idle for longer than records are kept names the checkpoint of its chain itself', async () => {
      let now = 10 * DAY;
      const clock = () => now;
      const idle = await filled(3, trailOf({ clock }));
      const busy = trailOf({ clock });
      await busy.attach(store);
      const verified = () => problems({ store, heads: [{ chain: idle.chain, ...idle.head }] });
      const hour = async () => {
        await busy.require(denied('something'));
        await pruneAudit(store, busy, 2, undefined, now);
        await nameOwnCheckpoint(store, idle, 2, now);
      };
      await hour();
      assert.equal(idle.head.seq, 4, 'its records are still there');
      // What the first pruning wrote down about it goes as well.
      for (let days = 0; days < 9; days += 1) {
        now += DAY;
        await hour();
        assert.deepEqual(await verified(), [], `day ${days}`);
      }
      assert.ok(idle.head.seq > 4);
      await idle.require(denied('again'));
      assert.deepEqual(await verified(), []);
      await Promise.all([idle.close(), busy.close()]);
    });

    test('records of an idle process that went before their time are not vouched for', async () => {
      let now = 10 * DAY;
      const idle = await filled(3, trailOf({ clock: () => now }));
      const { seq, hash } = idle.head;
      await store.prune(idle.chain, { seq, hash }, now);
      now += DAY;
      await nameOwnCheckpoint(store, idle, 2, now);
      assert.deepEqual(short(await problems({ store, heads: [{ chain: idle.chain, seq, hash }] })), ['4 unnamed']);
      await idle.close();
    });

    test('records that go after their time while they are read are not taken for missing', async () => {
      let now = 10 * DAY;
      const clock = () => now;
      const ours = trailOf({ clock });
      let other = trailOf({ clock });
      // Read first, so that what it says of pruning comes too late.
      while (other.chain > ours.chain) other = trailOf({ clock });
      await other.attach(store);
      await filled(2_500, ours);
      now += 3 * DAY;
      await ours.require(denied('young'));
      await ours.close();
      await other.require(denied('young'));
      let pages = 0;
      const pruning = over(store, async () => undefined);
      Object.assign(pruning, {
        checkpoint: store.checkpoint.bind(store),
        async links(...[chain, after, limit]: Parameters<AuditStore['links']>) {
          if (chain === ours.chain) pages += 1;
          if (chain === ours.chain && pages === 2) await pruneAudit(store, other, 2, undefined, now);
          return store.links(chain, after, limit);
        },
      });
      const found: AuditProblem[] = [];
      for await (const step of verifyAudit({ core, store: pruning })) if ('problem' in step) found.push(step.problem);
      assert.deepEqual(found, []);
      assert.ok(pages >= 2 && (await store.checkpoint(ours.chain)) !== undefined);
      assert.deepEqual(await problems({ store }), []);
      await other.close();
    });

    test('a checkpoint that nobody has written down does not hide what is removed while it is read', async () => {
      const trail = await filled(2_500);
      const kept = await rows();
      let pages = 0;
      const forging = over(store, async () => undefined);
      Object.assign(forging, {
        checkpoint: store.checkpoint.bind(store),
        async links(...[chain, after, limit]: Parameters<AuditStore['links']>) {
          pages += 1;
          const { seq, hash } = kept[1_999]!;
          if (pages === 2) await store.prune(chain, { seq: Number(seq), hash }, Date.now());
          return store.links(chain, after, limit);
        },
      });
      const found: AuditProblem[] = [];
      for await (const step of verifyAudit({ core, store: forging })) if ('problem' in step) found.push(step.problem);
      assert.deepEqual(short(found), ['2000 unnamed']);
      await trail.close();
    });

    test('a checkpoint that no record names does not hide what was deleted behind it', async () => {
      const trail = await filled(5);
      const [, , third] = await rows();
      // Without the record, as whoever may only insert could.
      await store.prune(trail.chain, { seq: 3, hash: third!.hash }, Date.now());
      assert.deepEqual(short(await problems({ store })), ['3 unnamed']);
    });

    test('a checkpoint that no record names does not hide a chain that was deleted whole', async () => {
      const trail = await filled(5);
      const head = { chain: trail.chain, ...trail.head };
      await trail.close();
      const next = trailOf();
      await next.attach(store);
      await next.require(denied('later'));
      await store.prune(trail.chain, head, Date.now());
      assert.deepEqual(short(await problems({ store })), ['6 unnamed'], 'by the start of the next chain');
      assert.deepEqual(short(await problems({ store, heads: [head] })), ['6 unnamed']);
      const running = { chain: next.chain, ...next.head };
      await store.prune(next.chain, running, Date.now());
      assert.deepEqual(short(await problems({ store, heads: [running] })), ['2 unnamed'], 'by its own process');
      await next.close();
    });

    test('verifying does not go on behind a link that is gone', async () => {
      const trail = await filled(8);
      const after = { chain: trail.chain, ...trail.head };
      assert.deepEqual(await problems({ store, after }), []);
      await unguarded(() => database.knex('entra_access_audit').where('seq', '>', 6).delete());
      assert.deepEqual(short(await problems({ store, after })), ['9 cut']);
    });

    test('a record before the first one, or far behind the last one, is found', async () => {
      const trail = await filled(3);
      const [, second] = await rows();
      for (const seq of [0, -1]) {
        await database.knex('entra_access_audit').insert({ ...second, seq });
        assert.equal((await problems({ store })).length, 1, String(seq));
        await unguarded(() => at(seq).delete());
      }
      const { record, hash } = core.audit.link(
        trail.head.hash,
        JSON.stringify({ chain: trail.chain, seq: 5, at: 1, event: 'reads' }),
      )!;
      // The core counts to 2^32.
      const far = { ...second, seq: 2 ** 32 + 5, record, hash, at: 1, event: 'reads' };
      await database.knex('entra_access_audit').insert({ ...far, result: null, principal: null, rule: null });
      assert.equal((await problems({ store })).length, 1);
    });

    test('nothing is answered whose place in the chain somebody else has taken', async () => {
      const trail = await filled(1);
      const [, second] = await rows();
      await database.knex('entra_access_audit').insert({ ...second, seq: 4, rule: 'forged' });
      const answers = ['a', 'b', 'c'].map(rule => trail.require(denied(rule))!);
      const late = new Promise((_, rejected) => setTimeout(rejected, 300, new Error('not answered')).unref());
      const outcomes = await Promise.allSettled(answers.map(answer => Promise.race([answer, late])));
      assert.deepEqual(
        outcomes.map(({ status }) => status),
        ['rejected', 'rejected', 'rejected'],
      );
      assert.equal(trail.state.error, 'Error');
      await trail.close();
    });

    test('a batch that came through after all is not written twice', async () => {
      const trail = trailOf();
      let tries = 0;
      const flaky = over(store, async links => {
        await store.append(links);
        tries += 1;
        if (tries === 1) throw Object.assign(new Error('the answer was lost'), { code: 'ECONNRESET' });
      });
      await trail.attach(flaky);
      await trail.require(denied('once'))!.catch(() => undefined);
      while (trail.state.waiting > 0) await new Promise(resolve => setTimeout(resolve, 5));
      assert.equal(tries >= 2, true);
      assert.deepEqual(await problems({ store }), []);
      assert.equal((await rows()).length, 2);
    });

    test('records are found by what they are about, page by page', async () => {
      let now = 1_000;
      const trail = trailOf({ clock: () => now++ });
      await trail.attach(store);
      for (let number = 0; number < 7; number += 1) await trail.require(denied(number % 2 ? 'odd' : 'even'));
      const odd = await store.entries({ rule: 'odd', principal: 'user:default/o' }, 10);
      assert.deepEqual(
        odd.map(({ seq }) => seq),
        [7, 5, 3],
      );
      const [first] = await store.entries({ rule: 'odd' }, 1);
      assert.deepEqual(
        (await store.entries({ rule: 'odd' }, 10, first)).map(({ seq }) => seq),
        [5, 3],
      );
      assert.deepEqual(await store.entries({ result: 'ALLOW' }, 10), []);
      const { at: time } = first!;
      assert.deepEqual(
        (await store.entries({ from: time, to: time + 1 }, 10)).map(({ seq }) => seq),
        [7],
      );
    });
  });
}

describe('while the database is away', () => {
  const away = (error = Object.assign(new Error('x'), { code: 'ECONNREFUSED' })) =>
    ({ chains: async () => [], append: async () => Promise.reject(error) }) as unknown as AuditStore;

  test('what has to be recorded is refused, and is recorded once the database is back', async () => {
    const folder = databaseFolder();
    const database = await databaseOf('better-sqlite3', { directory: folder.directory });
    const store = await AuditStore.open(database.service);
    let broken = true;
    const flaky = over(store, links => (broken ? away().append(links) : store.append(links)));
    const trail = trailOf({ waitMs: 50 });
    await trail.attach(flaky);
    await assert.rejects(trail.require(denied('a'))!, { code: 'audit_unavailable', name: 'ServiceUnavailableError' });
    assert.equal(trail.state.error, 'ECONNREFUSED');
    await assert.rejects(trail.require(denied('b'))!, { code: 'audit_unavailable' });
    broken = false;
    while (trail.state.waiting > 0) await new Promise(resolve => setTimeout(resolve, 5));
    assert.equal(trail.state.error, undefined);
    assert.deepEqual(
      (await store.entries({}, 10)).map(({ rule }) => rule),
      ['b', 'a', null],
    );
    await trail.require(denied('c'));
    await trail.close();
    await database.close();
    folder.remove();
  });

  test('a full disk is shown as what it is and survived, and nothing that was answered is missing', async context => {
    const folder = databaseFolder();
    const database = await databaseOf('better-sqlite3', { directory: folder.directory });
    const store = await AuditStore.open(database.service);
    const trail = trailOf({ waitMs: 500 });
    context.after(async () => {
      await trail.close();
      await database.close();
      folder.remove();
    });
    await trail.attach(store);
    const answered: string[] = [];
    const ask = async (rule: string) => {
      await trail.require({ ...denied(rule), reasons: ['x'.repeat(400)] });
      answered.push(rule);
    };
    await ask('before');
    const [size] = (await database.knex.raw('PRAGMA page_count')) as Array<{ page_count: number }>;
    await database.knex.raw(`PRAGMA max_page_count = ${Number(size?.page_count) + 2}`);
    let refused: Error | undefined;
    for (let at = 0; at < 500 && !refused; at += 1) await ask(`r${at}`).catch((error: Error) => (refused = error));
    assert.equal((refused as { code?: string } | undefined)?.code, 'audit_unavailable');
    assert.equal(trail.state.error, 'SQLITE_FULL');
    await database.knex.raw('PRAGMA max_page_count = 1000000');
    while (trail.state.waiting > 0) await new Promise(resolve => setTimeout(resolve, 5));
    await ask('after');
    assert.deepEqual([trail.state.error, trail.state.lost], [undefined, 0]);
    const kept = new Set((await store.entries({}, 1_000)).map(({ rule }) => rule));
    assert.deepEqual(
      answered.filter(rule => !kept.has(rule)),
      [],
    );
    assert.deepEqual(await problems({ store, heads: [{ chain: trail.chain, ...trail.head }] }), []);
  });

  test('nothing is refused where the operator wants answers more than records', async () => {
    const lenient = coreWith({ unavailable: 'answer' });
    const trail = trailOf({ core: lenient, waitMs: 20 });
    await trail.attach(away());
    await trail.require(denied('a'));
    assert.equal(trail.state.waiting, 2);
    lenient.close();
    await trail.close();
  });

  test('retention removes nothing that it cannot write down, even where answers do not wait for that', async () => {
    const lenient = coreWith({ unavailable: 'answer' });
    const database = await databaseOf('better-sqlite3', ':memory:');
    const store = await AuditStore.open(database.service);
    const old = trailOf({ core: lenient, clock: () => Date.now() - 3 * DAY });
    await old.attach(store);
    await old.require(denied('old'));
    await old.close();
    let broken = false;
    const trail = trailOf({ core: lenient, waitMs: 20 });
    await trail.attach(over(store, rows => (broken ? away().append(rows) : store.append(rows))));
    await trail.require(denied('young'));
    broken = true;
    await assert.rejects(pruneAudit(store, trail, 1), { code: 'audit_unavailable' });
    await assert.rejects(pruneAudit(store, trailOf({ expected: false }), 1), { code: 'audit_unavailable' });
    assert.deepEqual([(await store.links(old.chain, 0, 10)).length, await store.checkpoint(old.chain)], [2, undefined]);
    broken = false;
    while (trail.state.waiting > 0) await new Promise(resolve => setTimeout(resolve, 5));
    assert.equal(await pruneAudit(store, trail, 1), 1);
    assert.deepEqual(await store.links(old.chain, 0, 10), []);
    assert.deepEqual(await problems({ store }), []);
    await trail.close();
    lenient.close();
    await database.close();
  });

  test('what waits is bounded in bytes, too: names may be long', async () => {
    const trail = trailOf({ capacityBytes: 1_000_000, waitMs: 20 });
    const long = { ...denied('r'), permission: 'x'.repeat(100_000) };
    const tries = Array.from({ length: 10 }, () => trail.require(long)!);
    assert.ok((await Promise.allSettled(tries)).every(({ status }) => status === 'rejected'));
    assert.deepEqual([trail.state.waiting, trail.state.lost], [4, 6]);
    const database = await databaseOf('better-sqlite3', ':memory:');
    const store = await AuditStore.open(database.service);
    await trail.attach(store);
    while (trail.state.waiting > 0) await new Promise(resolve => setTimeout(resolve, 5));
    // There is room again.
    for (let time = 0; time < 10; time += 1) await trail.require(long);
    assert.equal(trail.state.lost, 6);
    await trail.close();
    await database.close();
  });

  test('what waits is bounded, and what is lost is counted and told', async () => {
    const database = await databaseOf('better-sqlite3', ':memory:');
    const store = await AuditStore.open(database.service);
    const trail = trailOf({ capacity: 3, waitMs: 20 });
    const tries = Array.from({ length: 5 }, (_, at) => trail.require(denied(`r${at}`))!);
    const outcomes = await Promise.allSettled(tries);
    assert.ok(outcomes.every(({ status }) => status === 'rejected'));
    assert.deepEqual([trail.state.kind, trail.state.waiting, trail.state.lost], ['starting', 3, 2]);
    await trail.attach(store);
    while (trail.state.waiting > 0) await new Promise(resolve => setTimeout(resolve, 5));
    await trail.require(denied('later'));
    const kept = await store.entries({}, 10);
    assert.deepEqual(kept.map(({ event }) => event).sort(), [
      'decision',
      'decision',
      'decision',
      'decision',
      'lost',
      'start',
    ]);
    assert.match(kept.find(({ event }) => event === 'lost')!.record, /"count":2/);
    await trail.close();
    await database.close();
  });
});

test('answers about reading are counted, recorded or left alone as configured', async () => {
  for (const [reads, expected] of [
    ['none', []],
    ['count', ['{"event":"reads","permission":"a.read","count":3}']],
    ['all', Array(3).fill('{"event":"decision","permission":"a.read"}')],
  ] as const) {
    const configured = coreWith({ reads });
    const database = await databaseOf('better-sqlite3', ':memory:');
    const store = await AuditStore.open(database.service);
    const trail = trailOf({ core: configured });
    await trail.attach(store);
    for (let time = 0; time < 3; time += 1) {
      trail.read('a.read', () => ({ event: 'decision', result: 'ALLOW', permission: 'a.read' }));
    }
    await trail.close();
    const kept = (await store.entries({}, 10)).filter(({ event }) => event !== 'start');
    const said = kept.map(({ record }) => {
      const { event, permission, count } = JSON.parse(record);
      return JSON.stringify({ event, permission, count });
    });
    assert.deepEqual(said, expected, reads);
    await database.close();
    configured.close();
  }
});

test('of refused tokens that come in numbers none is lost in number, and the trail that counts them verifies', async () => {
  const database = await databaseOf('better-sqlite3', ':memory:');
  const store = await AuditStore.open(database.service);
  const trail = trailOf();
  await trail.attach(store);
  const record = { event: 'token-refused', result: 'DENY', code: 'signature_invalid', issuer: 'entra' } as const;
  const told = new Set<string>();
  for (let time = 0; time < 250; time += 1) {
    const counted = trail.countRefused(record, () => '0123456789');
    if (counted) told.add(counted.reference);
    else await trail.require(record);
  }
  assert.equal(
    trail.countRefused(denied('a decision is none'), () => assert.fail('counted')),
    undefined,
  );
  await trail.close();
  const kept = await store.entries({ event: 'token-refused' }, 1_000);
  const counts = kept.map(row => (JSON.parse(row.record) as { count?: number }).count ?? 1);
  assert.deepEqual([kept.length, counts.reduce((sum, count) => sum + count)], [101, 250]);
  assert.deepEqual([...told], ['0123456789']);
  assert.equal((await store.entries({ reference: '0123456789' }, 10)).length, 1);
  assert.deepEqual(await problems({ store }), []);
  await database.close();
});

test('while nothing can be written no refused token is answered on the word of a count', async () => {
  const record = { event: 'token-refused', result: 'DENY', code: 'signature_invalid', issuer: 'entra' } as const;
  const counted = (trail: AuditTrail) =>
    Array.from({ length: 250 }, () => trail.countRefused(record, () => '0123456789')).filter(Boolean).length;

  const away = trailOf({ waitMs: 10 });
  assert.equal(counted(away), 0, 'before the database is there');
  const append = async () => Promise.reject(Object.assign(new Error('x'), { code: 'ECONNREFUSED' }));
  await away.attach({ chains: async () => [], append } as unknown as AuditStore);
  while (away.state.error === undefined) await new Promise(resolve => setTimeout(resolve, 1));
  assert.equal(counted(away), 0, 'while it is away');
  await assert.rejects(away.require(record)!, { code: 'audit_unavailable' });
  await away.close();

  const database = await databaseOf('better-sqlite3', ':memory:');
  const ended = trailOf();
  await ended.attach(await AuditStore.open(database.service));
  assert.equal(counted(ended), 150);
  await ended.close();
  assert.equal(counted(ended), 0, 'after the end');
  await assert.rejects(ended.require(record)!, { code: 'audit_unavailable' });
  await database.close();
});

test('of a count that is no record as many are told to be lost as were counted', async () => {
  const database = await databaseOf('better-sqlite3', ':memory:');
  const store = await AuditStore.open(database.service);
  const trail = trailOf();
  await trail.attach(store);
  const refused = { event: 'token-refused', result: 'DENY', count: 7, epoch: 'seven' as unknown as number } as const;
  await assert.rejects(trail.require(refused)!);
  assert.equal(trail.state.lost, 7);
  await trail.close();
  await database.close();
});

test('after the end of the process nothing is tried over and over', async () => {
  let tries = 0;
  const append = async () => {
    tries += 1;
    throw Object.assign(new Error('x'), { code: 'ECONNREFUSED' });
  };
  const trail = trailOf({ waitMs: 10 });
  await trail.attach({ chains: async () => [], append } as unknown as AuditStore);
  await assert.rejects(trail.require(denied('in the batch that fails'))!);
  await assert.rejects(trail.require(denied('behind it'))!);
  await trail.close();
  const before = tries;
  await new Promise(resolve => setTimeout(resolve, 100));
  assert.ok(tries - before <= 1, `${tries - before} tries`);
});

test('without a database nothing is recorded and nothing waits', () => {
  const trail = trailOf({ expected: false });
  assert.equal(trail.require(denied('a')), undefined);
  assert.equal(trail.state.kind, 'off');
});

test('a made-up name cannot stop the batch that it comes with', async () => {
  const database = await databaseOf('better-sqlite3', ':memory:');
  const store = await AuditStore.open(database.service);
  const trail = trailOf();
  await trail.attach(store);
  const names = ['a\u0000b', '\ud800', 'x'.repeat(100_000), 'jane@example.com', '"\\'];
  await Promise.all(
    names.map(permission => trail.require({ ...denied('r'), permission, job: { [permission]: permission } })),
  );
  await assert.rejects(trail.require({ ...denied('r'), epoch: 'seven' as unknown as number })!, {
    code: 'audit_unavailable',
  });
  // Nobody waits for one about reading: it is lost, and that is told.
  assert.equal(trail.state.lost, 1);
  await trail.require(denied('after'));
  const kept = await store.entries({}, 10);
  assert.equal(kept.length, 8);
  assert.match(kept.find(({ event }) => event === 'lost')!.record, /"count":1/);
  const said = kept.map(({ record }) => record).join();
  assert.ok(!said.includes('jane@') && !said.includes('xxxx'));
  assert.deepEqual(await problems({ store }), []);
  await trail.close();
  await database.close();
});
