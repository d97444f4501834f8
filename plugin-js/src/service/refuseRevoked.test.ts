/** Backstage tokens of people whose account is out of force: what is said and recorded, and what happens when it cannot be known */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordOf } from '../../e2e/support/core';
import { RecordingLogger } from '../../e2e/support/logger';
import type { AuditRecord } from '../audit/records';
import type { Standing } from '../core';
import { EntraAccess } from './entraAccess';
import { Refusals } from './refusal';
import { SharedSessions } from './sharedSessions';
import type { StoreState } from './sessionStoreAccess';

const REF = 'user:default/olivia';
const DATABASE: StoreState = { kind: 'database' };
const AWAY: StoreState = { kind: 'database', error: 'ECONNREFUSED' };

interface Parts {
  session?: object;
  available?: boolean;
  /** Of the question */
  dies?: boolean;
  /** Whether a session that is not in memory could be looked for */
  looked?: boolean;
  store?: StoreState;
  staleAfter?: number;
  revoked?: Standing['revoked'];
}

async function refused(
  { session, available = true, dies = false, looked = true, store = DATABASE, staleAfter = 900, revoked }: Parts,
  proved = async () => true,
) {
  const records: Array<Omit<AuditRecord, 'at'>> = [];
  const audit = {
    require: async (record: Omit<AuditRecord, 'at'>) => void records.push(record),
    countRefused: () => undefined,
  };
  const refusals = new Refusals(audit, new RecordingLogger());
  const parts = {
    core: {
      available,
      freshness: { staleAfter },
      standing() {
        if (!dies) return { revoked };
        this.available = false;
        return undefined;
      },
    },
    sessions: {
      current: () => session,
      record: () => recordOf(),
      store,
      ensure: async () => looked,
      whyUnknown: SharedSessions.prototype.whyUnknown,
    },
    about: (_ref: string, question: (principal: number) => unknown) => question(1),
    refuse: refusals.refuse.bind(refusals),
  };
  const asked = EntraAccess.prototype.refuseRevoked.call(parts as unknown as EntraAccess, REF, { issued: 1 }, proved);
  const error = await asked.then(
    () => undefined,
    (thrown: Error & { code?: string }) => thrown,
  );
  return { error, records };
}

test('an account out of force is refused and recorded', async () => {
  const session = { expiresAt: 9 };
  const { error, records } = await refused({ session, revoked: 'disabled' });
  assert.equal(error?.code, 'principal_revoked');
  assert.deepEqual([records.length, records[0]?.principal, records[0]?.reasons?.length], [1, REF, 1]);
  const nobodyAsked = () => assert.fail('there is nothing to prove');
  assert.equal((await refused({ session }, nobodyAsked)).error, undefined);
});

test('a token that is not proved tells nothing of the account, and nothing is recorded', async () => {
  const session = { expiresAt: 9 };
  const foreign = await refused({ session, revoked: 'disabled' }, async () => false);
  assert.deepEqual([foreign.error, foreign.records], [undefined, []]);
  const madeUp = await refused({ session, revoked: 'disabled' }, () => Promise.reject(new Error('not verified')));
  assert.deepEqual([madeUp.error?.message, madeUp.records], ['not verified', []]);
});

test('a session that cannot be looked up lets nobody pass where accounts count', async () => {
  assert.equal((await refused({ store: AWAY })).error?.code, 'sessions_unavailable');
  assert.equal((await refused({ store: { kind: 'starting' } })).error?.code, 'sessions_unavailable');
  assert.equal((await refused({ store: DATABASE })).error, undefined, 'nobody of ours');
  assert.equal((await refused({ store: AWAY, staleAfter: 0 })).error, undefined, 'groups come with the tokens');
});

test('a session that could not be looked for lets nobody pass either, and only where accounts count', async () => {
  assert.equal((await refused({ looked: false })).error?.code, 'sessions_unavailable');
  assert.equal((await refused({ looked: false, staleAfter: 0 })).error, undefined);
});

test('what is away is told to nobody who is not proved', async () => {
  const madeUp = () => Promise.reject(new Error('not verified'));
  const session = { expiresAt: 9 };
  for (const parts of [{ store: AWAY }, { looked: false }, { session, available: false }]) {
    const text = JSON.stringify(parts);
    assert.equal((await refused(parts, madeUp)).error?.message, 'not verified', text);
    assert.equal((await refused(parts, async () => false)).error, undefined, text);
    assert.match((await refused(parts)).error?.code ?? '', /^(?:sessions|core)_unavailable$/, text);
  }
  assert.equal((await refused({ session, available: false, staleAfter: 0 }, madeUp)).error, undefined);
});

test('a core that dies of the question has not answered it', async () => {
  const { error, records } = await refused({ session: { expiresAt: 9 }, dies: true });
  assert.equal(error?.code, 'core_unavailable');
  assert.deepEqual(records, []);
});
