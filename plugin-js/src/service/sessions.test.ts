import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { ConflictError } from '@backstage/errors';
import { agents, groups, people } from '../../dev/tenant/people';
import { configurationOf, DELETE, DIRECTORY, POLICY, READ, recordOf, TEMPLATE } from '../../e2e/support/core';
import { RecordingLogger } from '../../e2e/support/logger';
import { whoami } from '../access/views';
import { entityRefOf } from '../auth/identity';
import { EntraCore, type Principal } from '../core';
import { loadWasm, type WasmInstance } from '../core/wasm';
import { EntraAccess } from './entraAccess';
import { Sessions } from './sessions';

const CONFIGURATION = configurationOf({
  authority: 'http://127.0.0.1:1',
  tenantId: '3f8a1c52-7d4e-4b19-9c60-5e2b8f7a1d03',
});
const OLIVIA = `user:default/${people.olivia.oid}`;
const START = 1_800_000_000;

let now: number;
let core: EntraCore;
let sessions: Sessions;
let trap: () => void;
const cores: EntraCore[] = [];
beforeEach(() => {
  now = START;
  const clock = () => now * 1000;
  // The next call into the core fails as a trap does.
  const load = (): WasmInstance => {
    const { Core, memory } = loadWasm();
    let broken = false;
    trap = () => (broken = true);
    class Breakable extends Core {
      override principals(): number {
        if (broken) throw new RangeError('Maximum call stack size exceeded');
        return super.principals();
      }
    }
    return { Core: Breakable, memory };
  };
  core = new EntraCore({ configuration: CONFIGURATION, logger: new RecordingLogger(), clock, load });
  cores.push(core);
  core.setPolicy(POLICY, 'policy');
  core.setDirectory(DIRECTORY);
  sessions = new Sessions(core, clock);
});
after(() => cores.forEach(each => each.close()));

const olivia = (change: Partial<Principal> = {}) =>
  recordOf({ groups: { state: 'known', ids: [groups.payments.id] }, ...change });

async function restart(): Promise<void> {
  trap();
  assert.equal(core.principals, 0);
  while (!core.available) await pause(1);
}

test('nobody is signed in at first', () => {
  assert.equal(sessions.find(OLIVIA), undefined);
  assert.equal(sessions.renew(OLIVIA), undefined);
  assert.equal(sessions.size, 0);
});

test('a session answers with its principal until it expires, to the second', () => {
  const handle = sessions.open(OLIVIA, olivia(), START + 3600)!;
  assert.equal(sessions.find(OLIVIA), handle);
  assert.equal(core.decide(handle, DELETE).effect, 'CONDITIONAL');
  now = START + 3599;
  assert.equal(core.describe(sessions.find(OLIVIA)!)?.objectId, people.olivia.oid);
  now = START + 3600;
  assert.equal(sessions.find(OLIVIA), undefined);
  assert.equal(sessions.renew(OLIVIA), undefined);
  assert.equal(core.decide(handle, READ).ground, 'unknownPrincipal', 'the handle is of no more use either');
  assert.equal(sessions.size, 0);
});

test('the session outlives the Entra token, but not the Backstage token', () => {
  sessions.open(OLIVIA, olivia({ expiresAt: START + 60 }), START + 3600);
  now = START + 3000;
  assert.equal(core.decide(sessions.find(OLIVIA)!, READ).effect, 'ALLOW');
});

test('a newer sign-in of the same principal replaces the older one', () => {
  const first = sessions.open(OLIVIA, olivia(), START + 100)!;
  const second = sessions.open(OLIVIA, olivia({ groups: { state: 'known', ids: [] } }), START + 200)!;
  assert.notEqual(first, second);
  assert.equal(core.describe(first), undefined);
  assert.deepEqual(core.owners(sessions.find(OLIVIA)!, { onlyOwning: true }), [], 'the groups are the new ones');
  assert.equal(sessions.size, 1);
  now = START + 150;
  assert.equal(sessions.find(OLIVIA), second);
});

for (const [name, change] of [
  ['another person', { objectId: people.dana.oid }],
  ['the same object id in another tenant', { tenantId: 'b71e0d94-2c5f-4a83-8f16-d09c3a64e7b2' }],
  ['an agent for the same person', { kind: 'agent', actor: { clientId: 'a5f03d8e-7c64-4b91-9e2a-1d8b6c0f4e73' } }],
  ['an application with that object id', { kind: 'workload' }],
  ['the same ids from another issuer', { issuer: 'github' }],
] as Array<[string, Partial<Principal>]>) {
  test(`two principals are never merged under one ref: ${name}`, () => {
    const handle = sessions.open(OLIVIA, olivia(), START + 3600)!;
    const intruder = olivia({ ...change, groups: { state: 'known', ids: [groups.platformAdmins.id] } });
    assert.throws(() => sessions.claim(OLIVIA, intruder), ConflictError);
    assert.throws(() => sessions.open(OLIVIA, intruder, START + 7200), ConflictError);
    assert.equal(sessions.find(OLIVIA), handle);
    assert.equal(core.decide(handle, DELETE).effect, 'CONDITIONAL', 'and gained nothing');
    now = START + 3600;
    assert.doesNotThrow(() => sessions.claim(OLIVIA, intruder), 'free again');
  });
}

test('tokens of v1.0 and v2.0 of one tenant are of the same principal', () => {
  const { issuer, tenantId } = olivia();
  assert.equal(issuer, `entra-v2:${tenantId}`);
  sessions.open(OLIVIA, olivia(), START + 3600);
  assert.doesNotThrow(() => sessions.claim(OLIVIA, olivia({ issuer: `entra-v1:${tenantId}` })));
});

test('another agent for the same person is another principal', () => {
  const ref = `user:agent-x/${people.olivia.oid}`;
  sessions.open(ref, olivia({ kind: 'agent', actor: { clientId: agents.agentUser.identity.clientId } }), START + 60);
  const other = olivia({ kind: 'agent', actor: { clientId: people.adam.oid } });
  assert.throws(() => sessions.open(ref, other, START + 60), ConflictError);
});

test('an agent and the person behind it have different refs and different answers', () => {
  const person = olivia();
  const agent = olivia({ kind: 'agent', actor: { clientId: agents.onBehalfOfOlivia.identity.clientId } });
  const [personRef, agentRef] = [entityRefOf(person, TEMPLATE), entityRefOf(agent, TEMPLATE)];
  assert.notEqual(personRef, agentRef);
  sessions.open(personRef, person, START + 60);
  sessions.open(agentRef, agent, START + 60);
  assert.equal(core.describe(sessions.find(personRef)!)?.kind, 'user');
  assert.equal(core.describe(sessions.find(agentRef)!)?.kind, 'agent');
});

test('what is no entity ref opens no session that answers', () => {
  assert.equal(sessions.open('nonsense', olivia(), START + 60), undefined);
  assert.equal(sessions.find('nonsense'), undefined);
});

test('a fresh instance of the core is told the session again', async () => {
  const old = sessions.open(OLIVIA, olivia(), START + 3600)!;
  await restart();
  assert.equal(core.describe(old), undefined, 'the old handle is of no use');
  const handle = sessions.find(OLIVIA)!;
  assert.equal(core.describe(handle)?.objectId, people.olivia.oid);
  assert.equal(core.describe(handle)?.expiresAt, START + 3600, 'no longer than before');
  assert.equal(core.decide(handle, DELETE).effect, 'CONDITIONAL');
  now = START + 3600;
  assert.equal(sessions.find(OLIVIA), undefined);
});

test('a sign-in that ends while the core is away does not disturb others afterwards', async () => {
  sessions.open(OLIVIA, olivia(), START + 10);
  sessions.open(`user:default/${people.dana.oid}`, olivia({ objectId: people.dana.oid }), START + 3600);
  await restart();
  const dana = sessions.find(`user:default/${people.dana.oid}`)!;
  now = START + 10;
  assert.equal(sessions.find(OLIVIA), undefined, 'forgotten, with a handle of the old instance');
  assert.equal(core.describe(dana)?.objectId, people.dana.oid);
});

/** More principals than the core holds, so that it gives up the ones it took in first */
function crowd(into: EntraCore): void {
  const record = recordOf({ groups: { state: 'none', ids: [] } });
  for (let at = 0; at < 70_000; at += 1) into.admit(record, 'user:default/crowd', 4_000_000_000);
}

test('a principal that the core gave up is taken in again, in every answer', () => {
  const entraAccess = new EntraAccess(
    { json: CONFIGURATION, policy: { json: POLICY, place: 'policy' } },
    new RecordingLogger(),
  );
  try {
    entraAccess.core.setDirectory(DIRECTORY);
    const expiresAt = Math.floor(Date.now() / 1000) + 3600;
    const open = () => {
      const handle = entraAccess.sessions.open(OLIVIA, olivia(), expiresAt)!;
      crowd(entraAccess.core);
      assert.equal(entraAccess.core.describe(handle), undefined, 'it was given up');
    };
    open();
    assert.equal(entraAccess.decide(OLIVIA, READ).effect, 'ALLOW');
    open();
    assert.equal(entraAccess.explain(OLIVIA, READ)?.result, 'ALLOW');
    open();
    const { objectId, owners } = whoami(entraAccess, OLIVIA) as {
      objectId?: string;
      owners?: string[];
    };
    assert.equal(objectId, people.olivia.oid);
    assert.deepEqual(owners, ['group:default/payments', OLIVIA]);
  } finally {
    entraAccess.close();
  }
});

test('who is not signed in is denied, and nothing explains otherwise', () => {
  const entraAccess = new EntraAccess(
    { json: CONFIGURATION, policy: { json: POLICY, place: 'policy' } },
    new RecordingLogger(),
  );
  try {
    assert.deepEqual({ ...entraAccess.decide(OLIVIA, READ) }, { effect: 'DENY', ground: 'unknownPrincipal' });
    assert.equal(entraAccess.explain(OLIVIA, READ), undefined);
    assert.throws(() => whoami(entraAccess, OLIVIA), { name: 'NotFoundError' });
  } finally {
    entraAccess.close();
  }
});

test('the oldest sign-in gives way when there are too many', () => {
  const record = (at: number) =>
    olivia({
      objectId: `00000000-0000-4000-8000-${at.toString(16).padStart(12, '0')}`,
      groups: { state: 'none', ids: [] },
    });
  const ref = (at: number) => `user:default/u${at}`;
  for (let at = 0; at < 50_000; at += 1) sessions.open(ref(at), record(at), START + (at === 7 ? 5 : 3600));
  assert.equal(sessions.size, 50_000);
  now = START + 5;
  sessions.open(ref(50_000), record(50_000), START + 3600);
  assert.equal(sessions.find(ref(7)), undefined, 'the expired one went first');
  assert.ok(sessions.find(ref(0)), 'and nobody else');
  sessions.open(ref(50_001), record(50_001), START + 3600);
  assert.equal(sessions.find(ref(0)), undefined, 'then the oldest');
  for (const at of [1, 2, 25_000, 49_999, 50_001]) {
    assert.equal(core.describe(sessions.find(ref(at))!)?.objectId, record(at).objectId);
  }
  assert.equal(sessions.size, 50_000);
});
