/** The audit trail over HTTP, in real processes: what was answered is recorded, whatever happens to the process or the records */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { people } from '../dev/tenant/people';
import { databaseFolder, databaseOf } from './support/databases';
import { assertConforms } from './support/conforms';
import { startPostgres, WITHOUT_POSTGRES, type Postgres } from './support/postgres';
import { startCompany, until, type Replica } from './support/replicas';

const AUDIT = '/api/entra-access/v1/audit';
const entity = (kind: string, name: string, spec: object) => ({
  apiVersion: 'backstage.io/v1alpha1',
  kind,
  metadata: { name },
  spec,
});
const NAMED = { 'org.yaml': [entity('Component', 'notes', { type: 'x', lifecycle: 'x', owner: 'group:default/y' })] };

type Company = Awaited<ReturnType<typeof startCompany>>;

let postgres: Postgres;
before(async () => {
  if (!WITHOUT_POSTGRES) postgres = await startPostgres();
});
after(async () => {
  await postgres?.stop();
});

for (const { client, skip } of [
  { client: 'better-sqlite3' as const, skip: false },
  { client: 'pg' as const, skip: WITHOUT_POSTGRES },
]) {
  describe(`the audit trail with ${client}`, { skip }, () => {
    const folder = databaseFolder();
    const connection = (): Record<string, string | number> =>
      client === 'pg' ? { ...postgres.connection } : { directory: folder.directory };
    let company: Company;
    let replica: Replica;
    before(async () => {
      const database = () => ({ client, connection: connection() });
      company = await startCompany({ database, named: NAMED, pointedTo: {} });
      replica = await company.replica('one');
    });
    after(async () => {
      await company?.stop();
      folder.remove();
    });

    const tokenOf = (person: Parameters<Company['tenant']['mintAccessToken']>[0]) =>
      replica.client.tokenFor(company.tenant.mintAccessToken(person));

    async function get(path: string, accept?: string): Promise<string> {
      const headers = {
        authorization: `Bearer ${await tokenOf(people.adam)}`,
        ...(accept ? { accept } : {}),
      };
      const response = await fetch(`${replica.client.base}${AUDIT}${path}`, { headers });
      const text = await response.text();
      assert.equal(response.status, 200, text);
      const type = response.headers.get('content-type') ?? '';
      assertConforms({ method: 'GET', path: `${AUDIT}${path}`, status: 200, type, text });
      return text;
    }
    const json = async (path: string) => JSON.parse(await get(path));

    async function ask(token: string, name: string) {
      const permission = { type: 'basic', name, attributes: { action: 'create' } };
      return replica.client.call('/api/permission/authorize', token, { items: [{ id: name, permission }] });
    }

    test('sign-ins, refused tokens and decisions are recorded with who, what and why', async () => {
      const olivia = await tokenOf(people.olivia);
      const [answer] = (await ask(olivia, 'books.write')).body.items;
      assert.equal(answer.result, 'DENY');
      const admin = await tokenOf(people.adam);
      assert.equal((await ask(admin, 'books.write')).body.items[0].result, 'ALLOW');
      const broken = company.tenant.mintAccessToken(people.olivia).slice(0, -8);
      assert.equal((await replica.client.signIn(`${broken}AAAAAAAA`)).status, 401);

      const oid = people.olivia.oid;
      const { items } = await json(`/entries?principal=user:default/${oid}&event=decision`);
      assert.equal(items.length, 1);
      const [{ at, chain, seq, hash, epoch, ...said }] = items;
      assert.ok(Math.abs(Date.parse(at) - Date.now()) < 60_000 && chain && seq && hash && epoch);
      assert.deepEqual(said, {
        event: 'decision',
        result: 'DENY',
        principal: `user:default/${oid}`,
        kind: 'user',
        identity: `${company.tenant.tenantId}/${oid}`,
        client: said.client,
        issuer: `entra-v2:${company.tenant.tenantId}`,
        permission: 'books.write',
        action: 'create',
        reasons: ['no rule speaks about it'],
      });
      const allowed = await json('/entries?rule=admins&result=ALLOW');
      assert.ok(allowed.items.some(({ permission }: any) => permission === 'books.write'));
      const refused = await json('/entries?event=token-refused');
      assert.deepEqual(
        refused.items.map(({ code, result }: any) => [code, result]),
        [['signature_invalid', 'DENY']],
      );
      const signIns = await json(`/entries?event=sign-in&principal=user:default/${oid}`);
      assert.ok(signIns.items.every(({ result }: any) => result === 'ALLOW') && signIns.items.length > 0);
    });

    test('records come page by page and as files, without addresses and tokens', async () => {
      const first = await json('/entries?limit=2');
      assert.equal(first.items.length, 2);
      const second = await json(`/entries?limit=2&cursor=${first.nextCursor}`);
      const seqs = [...first.items, ...second.items].map(({ seq }: any) => seq);
      assert.equal(new Set(seqs).size, 4);
      const lines = (await get('/entries?event=decision', 'application/x-ndjson')).trimEnd().split('\n');
      assert.ok(lines.length >= 2 && lines.every(line => JSON.parse(line).event === 'decision'));
      const csv = await get('/entries', 'text/csv');
      assert.match(csv, /^chain,seq,time,event,result,/);
      assert.ok(csv.trimEnd().split('\r\n').length > lines.length);
      for (const text of [csv, lines.join()]) assert.ok(!/eyJ|[a-z]@[a-z]+\.[a-z]/.test(text));
      for (const query of ['limit=0', 'from=yesterday', 'cursor=x', 'who=me', 'result=MAYBE']) {
        const { status, body } = await replica.client.call(`${AUDIT}/entries?${query}`, await tokenOf(people.adam));
        assert.deepEqual([status, body.error.code], [400, 'request_invalid'], query);
      }
    });

    test('of a flood of bad tokens each is refused under a reference that is found, and none is lost in number', async () => {
      const count = 130;
      const told = new Set<string>();
      for (let at = 0; at < count; at += 1) {
        const broken = company.tenant.mintAccessToken(people.olivia).slice(0, -8);
        const { status, body } = await replica.client.signIn(`${broken}AAAAAAAA`);
        assert.deepEqual([status, body.error.code], [401, 'signature_invalid']);
        told.add(body.error.reference);
      }
      assert.ok(told.size < count, 'some share one');
      await until('what was counted is recorded', async () => {
        const { items } = await json('/entries?event=token-refused&limit=1000');
        const records = items.filter(({ reference }: any) => told.has(reference));
        assert.deepEqual(new Set(records.map(({ reference }: any) => reference)), told);
        const counts = records.map((record: any) => record.count ?? 1);
        assert.equal(
          counts.reduce((sum: number, each: number) => sum + each),
          count,
        );
      });
    });

    test('only whoever has the permission may read and verify', async () => {
      for (const path of ['/entries', '/verify']) {
        const { status, body } = await replica.client.call(`${AUDIT}${path}`, await tokenOf(people.olivia));
        assert.deepEqual([status, body.error.code], [403, 'permission_needed']);
        assert.equal((await replica.client.call(`${AUDIT}${path}`)).status, 401);
      }
    });

    test('kill -9 during load leaves a chain that fits and has every decision that was answered', async () => {
      const olivia = await tokenOf(people.olivia);
      const answered: string[] = [];
      let asked = 0;
      const callers = Array.from({ length: 16 }, async () => {
        for (;;) {
          const name = `load.n${asked++}`;
          const answer = await ask(olivia, name).catch(() => undefined);
          if (!answer) return;
          assert.equal(answer.body.items[0].result, 'DENY');
          answered.push(name);
        }
      });
      await until('there is load', async () => assert.ok(answered.length > 300));
      await replica.kill();
      await Promise.all(callers);
      replica = await company.replica('one');
      const lines = (await get('/entries?event=decision', 'application/x-ndjson')).trimEnd().split('\n');
      const recorded = new Set(lines.map(line => JSON.parse(line).permission));
      assert.deepEqual(
        answered.filter(name => !recorded.has(name)),
        [],
      );
      const verified = await json('/verify');
      assert.deepEqual([verified.whole, verified.problems, verified.chains.length], [true, [], 2]);
      assert.ok(verified.records > answered.length);
    });

    test('a tampered record is named, as is the tail that was cut', async () => {
      const { items } = await json('/entries?event=token-refused');
      const { chain, seq } = items[0];
      const other = await databaseOf(client, connection());
      const table = 'entra_access_audit';
      await other.knex.raw(
        client === 'pg' ? `ALTER TABLE ${table} DISABLE TRIGGER USER` : `DROP TRIGGER ${table}_no_update`,
      );
      const row = await other.knex(table).where({ chain, seq }).first();
      const change = (record: string) => other.knex(table).where({ chain, seq }).update({ record });
      await change(row.record.replace('signature_invalid', 'token_expired'));
      const verified = await json('/verify');
      assert.equal(verified.whole, false);
      const message = 'the record or a hash was changed';
      assert.deepEqual(verified.problems, [{ chain, seq, finding: 'altered', message }]);
      await change(row.record);
      await other.close();
      const steps = (await get('/verify', 'application/x-ndjson')).trimEnd().split('\n');
      assert.equal(JSON.parse(steps.at(-1)!).whole, true);
      const cut = await json(`/verify?head=${chain}:1000000:${'a'.repeat(64)}`);
      assert.deepEqual(
        cut.problems.map(({ seq: at, finding }: any) => [at, finding]),
        [[1_000_000, 'cut']],
      );
    });

    test(
      'without the database nothing that has to be recorded is answered, and then it goes on',
      { skip: client !== 'pg' },
      async () => {
        const olivia = await tokenOf(people.olivia);
        await ask(olivia, 'before.outage');
        await postgres.pause();
        const { status } = await ask(olivia, 'during.outage');
        assert.ok(status >= 500, String(status));
        await postgres.resume();
        await until('it is recorded again', async () => {
          const { status: again, body } = await ask(olivia, 'after.outage');
          assert.deepEqual([again, body.items?.[0]?.result], [200, 'DENY']);
        });
        assert.equal((await json('/verify')).whole, true);
      },
    );
  });
}
