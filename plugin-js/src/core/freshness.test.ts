import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { groups, people } from '../../dev/tenant/people';
import { DELETE, FROM_ENTRA, READ, recordOf } from '../../e2e/support/core';
import { RecordingLogger } from '../../e2e/support/logger';
import { watchedCore } from '../../e2e/support/watchedCore';
import { accountEntries, type AccountInput } from './accountEntries';
import { EntraCore } from './core';
import { turnClock } from './turnClock';
import type { PrincipalHandle } from './types';
import type { WasmCore } from './wasm';

const { tenantId } = recordOf();
const START = 1_800_000_000_000;
const STALE_AFTER = 900;
const OLIVIA = people.olivia.oid;

/** Both clocks, in milliseconds */
let wall: number;
let monotonic: number;
let core: EntraCore;
let inside: WasmCore;
let logger: RecordingLogger;

beforeEach(() => {
  [wall, monotonic] = [START, 5_000];
  start({ clock: () => wall });
});
afterEach(() => core.close());

/** Without a clock by that of the product, which stands still within a turn */
function start(clocks: { clock?: () => number }): void {
  logger = new RecordingLogger();
  const load = watchedCore(instance => (inside = instance));
  const configuration = JSON.stringify({
    tenants: [{ tenantId, cloud: 'lab', audiences: ['api://backstage'] }],
    clouds: { lab: { authority: 'http://127.0.0.1:1', graph: 'http://127.0.0.1:1/graph' } },
    groups: { source: 'graph', graph: { managedIdentity: true } },
    policy: {},
  });
  const monotonicClock = { monotonic: () => monotonic };
  core = new EntraCore({ configuration, staleAfter: STALE_AFTER, logger, load, ...monotonicClock, ...clocks });
  const rules = [
    { id: 'read', effect: 'allow', permissions: ['catalog.entity.read'] },
    { id: 'own', effect: 'allow', permissions: ['catalog.entity.delete'], principals: [{ group: groups.payments.id }] },
  ];
  core.setPolicy(JSON.stringify({ rules }), 'policy');
  const owner = { entityRef: 'group:default/payments', groupId: groups.payments.id, ...FROM_ENTRA };
  core.setDirectory({ groups: [owner], owners: [owner.entityRef] });
}

const page = (value: unknown[]) => Buffer.from(JSON.stringify({ value }));
const seconds = () => Math.floor(wall / 1000);
function pass(ms: number, by: { wall?: number } = {}): void {
  wall += by.wall ?? ms;
  monotonic += ms;
}

const tell = (what: 'all' | 'changes', ...accounts: AccountInput[]) =>
  core.accounts.take(tenantId, what, [accountEntries(accounts)]);

function load(account: Partial<AccountInput> = {}): void {
  assert.ok(tell('all', { id: OLIVIA, enabled: true, ...account }).ok);
  const olivia = { '@odata.type': '#microsoft.graph.user', id: OLIVIA };
  const all = page([{ id: groups.payments.id, 'members@delta': [olivia] }]);
  const members = core.members.begin(tenantId, 'all', null);
  assert.ok(members.ok && members.value.add(all).ok);
  assert.ok(members.value.commit(() => [all]).ok);
}

function olivia(): PrincipalHandle {
  const record = recordOf({ objectId: OLIVIA, issuedAt: seconds() });
  return core.admit(record, 'user:default/olivia', record.expiresAt)!;
}

const may = (principal: PrincipalHandle) => core.decide(principal, DELETE).effect === 'ALLOW';
const isStale = () => core.freshness.states[0]?.stale;

test('what was known whole counts for so long, to the second, and an epoch begins when it ends', () => {
  load();
  const caller = olivia();
  assert.equal(may(caller), false, 'nobody has said how old it is');
  core.freshness.set(tenantId, seconds() - 10);
  assert.equal(may(caller), true);
  const { epoch } = core;
  pass((STALE_AFTER - 10) * 1000 - 1);
  assert.equal(may(caller), true);
  assert.equal(core.epoch, epoch);
  assert.deepEqual(core.owners(caller), ['group:default/payments', 'user:default/olivia']);
  pass(1);
  assert.equal(core.epoch, epoch + 1, 'by whatever is asked first');
  assert.equal(may(caller), false);
  assert.deepEqual(core.owners(caller), ['user:default/olivia']);
  assert.equal(core.decide(caller, READ).effect, 'ALLOW', 'what needs no groups');
  assert.deepEqual(core.standing(caller), { revoked: undefined, gap: 'stale', live: false });
  assert.equal(isStale(), true);
});

test('by the clock of the product it ends with the turn, also for who has read the time before the core', async () => {
  core.close();
  mock.timers.enable({ apis: ['Date'], now: START });
  try {
    start({});
    load();
    const caller = olivia();
    core.freshness.set(tenantId, seconds());
    assert.equal(may(caller), true);
    const { epoch } = core;
    await undefined;
    turnClock();
    // Queued behind what forgets the time, and before the core is asked.
    const next = Promise.resolve().then(() => [core.epoch, may(caller)]);
    assert.equal(may(caller), true);
    pass(STALE_AFTER * 1000);
    mock.timers.setTime(wall);
    assert.deepEqual([core.epoch, may(caller)], [epoch, true], 'the time stands still in this turn');
    assert.deepEqual(await next, [epoch + 1, false]);
  } finally {
    mock.timers.reset();
  }
});

test('an instance that dies of the time has no last word', () => {
  load();
  const caller = olivia();
  core.freshness.set(tenantId, seconds());
  assert.equal(may(caller), true);
  inside.set_round = () => {
    throw new Error('unreachable');
  };
  pass(STALE_AFTER * 1000);
  assert.deepEqual({ ...core.decide(caller, DELETE) }, { effect: 'DENY', ground: 'coreUnavailable' });
  assert.equal(core.available, false);
});

test('whoever asks first whether there is an instance hears of one that dies of the time, also with an answer of its own', () => {
  load();
  const caller = olivia();
  core.freshness.set(tenantId, seconds());
  assert.equal(may(caller), true);
  const { epoch } = core;
  inside.set_round = () => {
    throw new Error('unreachable');
  };
  pass(STALE_AFTER * 1000);
  assert.equal(core.available, false);
  assert.equal(core.epoch, epoch, 'which no epoch tells');
});

test('the same again is not younger, a later one is, and nobody asks a timer', () => {
  load();
  const caller = olivia();
  const first = seconds();
  core.freshness.set(tenantId, first);
  pass(600_000);
  core.freshness.set(tenantId, first);
  pass(300_000);
  assert.equal(may(caller), false);
  core.freshness.set(tenantId, seconds());
  assert.equal(may(caller), true);
  const { epoch } = core;
  pass(60_000);
  core.freshness.set(tenantId, seconds());
  assert.equal(core.epoch, epoch, 'while it goes on to be known nothing is forgotten');
  pass(840_001);
  assert.equal(may(caller), true, 'it counts from the later one on');
  // One that is older, as from a backup, counts as it is.
  core.freshness.set(tenantId, first);
  assert.equal(may(caller), false);
});

test('a clock that is set back makes nothing younger, and one that is set forward only older', () => {
  load();
  const caller = olivia();
  core.freshness.set(tenantId, seconds());
  pass(1_000, { wall: -3_600_000 });
  assert.equal(may(caller), true);
  pass(STALE_AFTER * 1000 - 1_001);
  assert.equal(may(caller), true);
  pass(1);
  assert.equal(may(caller), false, 'by the clock that nobody can set');
  assert.equal(core.epoch > 0 && isStale(), true);
  core.freshness.set(tenantId, seconds());
  assert.equal(may(caller), true);
  pass(1_000, { wall: 3_600_000 });
  assert.equal(may(caller), false);
});

test('a time that has not come yet is no time, but for what clocks differ by', () => {
  load();
  const caller = olivia();
  core.freshness.set(tenantId, seconds() + 61);
  assert.equal(may(caller), false);
  assert.match(core.freshness.states[0]?.error ?? '', /61 s ahead/);
  core.freshness.set(tenantId, seconds() + 60);
  assert.equal(may(caller), true);
  pass(STALE_AFTER * 1000);
  assert.equal(may(caller), false, 'it counts for no longer than any other');
  for (const wrong of [NaN, -1, 1.5, 2 ** 32, '7'])
    assert.throws(() => core.freshness.set(tenantId, wrong as number), RangeError);
});

test('a tenant of somebody else is told nothing, and nobody waits for it', () => {
  const other = '2b2b2b2b-2222-3333-4444-5555555555ff';
  core.freshness.set(other, seconds());
  assert.deepEqual(core.accounts.take(other, 'all', []), { ok: false, error: 'the tenant is not configured' });
});

test('a fresh instance is told accounts and rounds again, and how old they are by then', async () => {
  load({ enabled: false });
  assert.deepEqual(tell('changes', { id: OLIVIA, enabled: true }), { ok: true, value: { outOfForce: 0 } });
  core.freshness.set(tenantId, seconds());
  assert.equal(may(olivia()), true);
  const trap = async () => {
    inside.decide = () => {
      throw new Error('unreachable');
    };
    const before = core.instance;
    core.decide(olivia(), { name: 'anything.else' });
    while (core.instance === before || !core.available) await new Promise(resolve => setTimeout(resolve, 5));
  };
  await trap();
  assert.equal(may(olivia()), true);
  pass(STALE_AFTER * 1000);
  await trap();
  assert.equal(may(olivia()), false);
  assert.equal(core.standing(olivia())?.gap, 'stale');
});

test('many changes come to the same in a fresh instance as one by one', async () => {
  load();
  for (let round = 0; round < 150; round += 1) {
    const id = round % 2 ? OLIVIA : people.dana.oid;
    assert.ok(tell('changes', { id, enabled: round % 3 === 0 || round === 148 }).ok);
  }
  const state = () =>
    [OLIVIA, people.dana.oid].map(objectId =>
      core.standing(core.admit(recordOf({ objectId }), 'user:default/x', 4e9)!),
    );
  const before = state();
  assert.deepEqual(
    before.map(standing => standing?.revoked),
    ['disabled', undefined],
  );
  inside.decide = () => {
    throw new Error('unreachable');
  };
  const { instance } = core;
  core.decide(olivia(), { name: 'anything.else' });
  while (core.instance === instance || !core.available) await new Promise(resolve => setTimeout(resolve, 5));
  assert.deepEqual(state(), before);
});
