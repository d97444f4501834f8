import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { forgeAttacks } from '../../dev/tenant/attacks';
import { groups, people } from '../../dev/tenant/people';
import { startTenant } from '../../dev/tenant/server';
import type { Tenant } from '../../dev/tenant/tenant';
import { configurationOf, DELETE, DIRECTORY, giveKeys, issuerOf, POLICY, READ, recordOf } from '../../e2e/support/core';
import { RecordingLogger } from '../../e2e/support/logger';
import { Sessions } from '../service/sessions';
import { REJECTION_CODES } from './codes';
import { EntraCore } from './core';
import { DecisionReader } from './decisions';
import { ConfigurationError } from './errors';
import type { PrincipalHandle } from './types';
import { loadWasm, type SignatureChecks, type WasmCore, type WasmInstance, type WasmMemory } from './wasm';

const OLIVIA_REF = `user:default/${people.olivia.oid}`;

let tenant: Tenant;
const cores: EntraCore[] = [];
before(async () => {
  tenant = await startTenant();
});
after(async () => {
  cores.forEach(core => core.close());
  await tenant.close();
});

/** An instance, with the object inside it */
interface Watched {
  memory: WasmMemory;
  inner: WasmCore;
  address: number;
}

interface Scene {
  core: EntraCore;
  logger: RecordingLogger;
  /** Every one so far */
  instances: Watched[];
}

/** A core that knows keys, policy and directory, and gives away its instances */
async function scene(): Promise<Scene> {
  const logger = new RecordingLogger();
  const instances: Scene['instances'] = [];
  const core = new EntraCore({ configuration: configurationOf(tenant), logger, load: () => watchedWasm(instances) });
  cores.push(core);
  core.setPolicy(POLICY, 'policy');
  await giveKeys(core, tenant);
  assert.equal(core.setDirectory(DIRECTORY).ok, true);
  return { core, logger, instances };
}

function watchedWasm(instances: Watched[]): WasmInstance {
  const { Core, memory } = loadWasm();
  class WatchedCore extends Core {
    constructor(configuration: string, epoch: number) {
      super(configuration, epoch);
      const { __wbg_ptr: address } = this as unknown as { __wbg_ptr: number };
      instances.push({ memory, inner: this, address });
    }
  }
  return { Core: WatchedCore, memory };
}

function handleOf(core: EntraCore, token: string): PrincipalHandle {
  const answer = core.authenticate(token);
  assert.ok(answer.ok, JSON.stringify(answer));
  return answer.principal;
}

function codeOf(core: EntraCore, token: string): string {
  const answer = core.authenticate(token);
  return answer.ok ? 'accepted' : answer.code;
}

/** Overwrites the whole memory, but for what says that the object is alive and free: the next call really traps */
function ruin({ instances }: Pick<Scene, 'instances'>): void {
  const { memory, address } = instances.at(-1)!;
  new Uint8Array(memory.buffer).fill(0xff);
  const view = new DataView(memory.buffer);
  // A Rust `Rc` of a `RefCell`: two reference counts, then whether it is borrowed.
  [1, 1, 0].forEach((value, at) => view.setUint32(address - 8 + 4 * at, value, true));
}

async function restarted(core: EntraCore): Promise<void> {
  for (let turn = 0; turn < 1000 && !core.available; turn += 1) await pause(1);
  assert.ok(core.available, 'the core came back');
}

test('the rejection codes are the ones of the core, in its order', () => {
  const codes = JSON.parse(loadWasm().Core.codes()) as Array<[string, string]>;
  assert.deepEqual(
    codes.map(([code]) => code),
    [...REJECTION_CODES],
  );
  for (const [code, advice] of codes) assert.ok(advice.length > 10, code);
});

test('a good token becomes a handle that knows its principal', async () => {
  const { core } = await scene();
  const handle = handleOf(core, tenant.mintAccessToken(people.olivia));
  const record = core.describe(handle);
  assert.equal(record?.objectId, people.olivia.oid);
  assert.equal(record?.kind, 'user');
  assert.deepEqual(core.owners(handle), ['group:default/payments']);
  assert.equal(core.decide(handle, READ).effect, 'ALLOW');
  assert.deepEqual(
    { ...core.decide(handle, DELETE) },
    { effect: 'CONDITIONAL', dependence: 'owned', rule: 'owners-manage', ground: 'rule' },
  );
});

test('a released handle is nobody, also when its place is taken again', async () => {
  const { core } = await scene();
  const olivia = core.admit(recordOf(), OLIVIA_REF, 4_000_000_000)!;
  core.release(olivia);
  const admin = recordOf({ groups: { state: 'known', ids: [groups.platformAdmins.id] } });
  const adam = core.admit(admin, 'user:default/adam', 4_000_000_000)!;
  assert.notEqual(adam, olivia);
  assert.equal(core.describe(olivia), undefined);
  assert.equal(core.owners(olivia), undefined);
  assert.equal(core.explain(olivia, READ), undefined);
  assert.deepEqual(
    { ...core.decide(olivia, READ) },
    { effect: 'DENY', dependence: undefined, rule: undefined, ground: 'unknownPrincipal' },
  );
  assert.equal(core.decide(adam, DELETE).effect, 'ALLOW');
});

test('an admitted principal is nobody once its time is over', async () => {
  let now = 1_800_000_000_000;
  const core = new EntraCore({
    configuration: configurationOf(tenant),
    logger: new RecordingLogger(),
    clock: () => now,
  });
  core.setPolicy(POLICY, 'policy');
  const handle = core.admit(recordOf(), OLIVIA_REF, now / 1000 + 60)!;
  now += 59_000;
  assert.equal(core.decide(handle, READ).effect, 'ALLOW');
  now += 1_000;
  assert.equal(core.decide(handle, READ).ground, 'unknownPrincipal');
  assert.equal(core.describe(handle), undefined);
});

test('numbers that are no handles are nobody', async () => {
  const { core } = await scene();
  handleOf(core, tenant.mintAccessToken(people.adam));
  for (const number of [0, 1, 0xffff, 0x7fff_ffff, 0xffff_ffff, -1, 2 ** 40, 1.5, NaN, Infinity]) {
    const handle = number as PrincipalHandle;
    assert.equal(core.decide(handle, READ).effect, 'DENY', String(number));
    assert.equal(core.describe(handle), undefined, String(number));
    assert.equal(core.owners(handle), undefined, String(number));
  }
});

test('without a policy everything is denied', () => {
  const core = new EntraCore({ configuration: configurationOf(tenant), logger: new RecordingLogger() });
  const handle = core.admit(recordOf(), OLIVIA_REF, 4_000_000_000)!;
  assert.deepEqual(core.decide(handle, READ).ground, 'notReady');
  assert.equal(core.decide(handle, READ).effect, 'DENY');
});

test('a broken policy or directory leaves the old one in place, and the epoch', async () => {
  const { core } = await scene();
  const { epoch } = core;
  assert.throws(
    () => core.setPolicy('{"rules":[{}]}', 'the-file.yaml'),
    (error: unknown) => {
      assert.ok(error instanceof ConfigurationError);
      assert.match(error.path, /^the-file\.yaml\.rules\[0\]/);
      assert.equal(error.code, 'config_invalid');
      return true;
    },
  );
  assert.equal(core.setDirectory({ groups: [{ entityRef: 7 as never, groupId: 1 }] }).ok, false);
  assert.equal(core.epoch, epoch);
  assert.equal(core.decide(handleOf(core, tenant.mintAccessToken(people.olivia)), READ).rule, 'everyone-reads');
});

test('a new policy counts at once, also for who is already in', async () => {
  const { core } = await scene();
  const { epoch } = core;
  const handle = handleOf(core, tenant.mintAccessToken(people.rita));
  assert.equal(core.decide(handle, READ).effect, 'ALLOW');
  core.setPolicy('{"rules":[]}', 'policy');
  assert.ok(core.epoch > epoch);
  assert.equal(core.decide(handle, READ).effect, 'DENY');
  assert.deepEqual(core.ruleIds, []);
});

test('more permissions than can be numbered are still decided', async () => {
  const { core } = await scene();
  const handle = handleOf(core, tenant.mintAccessToken(people.adam));
  for (let n = 0; n < 1100; n += 1) assert.equal(core.decide(handle, { name: `made.up.p${n}` }).rule, 'admins');
  assert.equal(core.available, true);
});

test('misuse is an exception and kills nothing', async () => {
  const { core } = await scene();
  const handle = handleOf(core, tenant.mintAccessToken(people.adam));
  assert.throws(() => core.explain(handle, { name: 'a.b', action: 'fly' as 'read' }), TypeError);
  assert.equal(core.available, true);
  assert.equal(core.instance, 1);
});

test('tokens that no text encoding may rescue', async () => {
  const { core } = await scene();
  const token = tenant.mintAccessToken(people.olivia);
  const at = token.indexOf('.') + 5;
  const put = (text: string) => token.slice(0, at) + text + token.slice(at + 1);
  // Cut to 8 bits, each of these is the letter that stands there: latin1 would make the token whole again.
  const twin = (offset: number) => put(String.fromCharCode(offset + token.charCodeAt(at)));
  for (const [name, broken, code] of [
    ['a letter whose low byte fits', twin(0x100), 'token_malformed'],
    ['another', twin(0xff00), 'token_malformed'],
    [
      'every letter so',
      [...token].map(c => (c === '.' ? c : String.fromCharCode(0x100 + c.charCodeAt(0)))).join(''),
      'token_malformed',
    ],
    ['dots so', token.replaceAll('.', String.fromCharCode(0x100 + 0x2e)), 'token_malformed'],
    ['a high surrogate alone', put('\ud800'), 'token_malformed'],
    ['a low surrogate alone', put('\udc00'), 'token_malformed'],
    ['a surrogate at the end', `${token}\ud83d`, 'token_malformed'],
    ['NUL', put('\0'), 'token_malformed'],
    ['NUL at the end', `${token}\0`, 'token_malformed'],
    ['a byte order mark', `\ufeff${token}`, 'token_malformed'],
    ['empty', '', 'token_malformed'],
    ['a dot', '.', 'token_malformed'],
    ['too long', token + 'A'.repeat(40_000), 'token_too_large'],
    ['much too long', 'A'.repeat(5_000_000), 'token_too_large'],
    ['too long only as UTF-8', '\u20ac'.repeat(20_000), 'token_too_large'],
    ['as long as the buffer, with a letter that no longer fits', `${'A'.repeat(32 * 1024)}\u20ac`, 'token_too_large'],
    ['one byte beyond the limit', 'A'.repeat(32 * 1024 + 1), 'token_too_large'],
    ['at the limit', 'A'.repeat(32 * 1024), 'token_malformed'],
  ] as const) {
    assert.equal(codeOf(core, broken), code, name);
    assert.equal(core.inspect(broken)?.verdict, 'rejected', name);
  }
  assert.equal(codeOf(core, token), 'accepted', 'the one they were made from');
});

test('a short token after a long one is not read past its end', async () => {
  const { core } = await scene();
  const token = tenant.mintAccessToken(people.olivia);
  assert.equal(codeOf(core, token), 'accepted');
  for (const cut of [1, 2, 40, 342]) assert.notEqual(codeOf(core, token.slice(0, -cut)), 'accepted', String(cut));
});

test('decision numbers that make no sense read as DENY', () => {
  const reader = new DecisionReader(['first', 'second']);
  const [ALLOW, CONDITIONAL, OWNED, NOT_OWNED] = [1, 2, 1 << 2, 2 << 2];
  const rule = (number: number) => number << 16;
  assert.deepEqual(
    { ...reader.read(rule(1) | ALLOW) },
    { effect: 'ALLOW', dependence: undefined, rule: 'second', ground: 'rule' },
  );
  assert.equal(reader.read(rule(0) | CONDITIONAL | OWNED).dependence, 'owned');
  assert.equal(reader.read(rule(0) | CONDITIONAL | NOT_OWNED).dependence, 'notOwned');
  for (const [name, number] of [
    ['an effect that is none', rule(0) | 3],
    ['a rule that is none', rule(2) | ALLOW],
    ['conditional on nothing', rule(0) | CONDITIONAL],
    ['conditional on what is not known', rule(0) | CONDITIONAL | (3 << 2)],
    ['allowed, with a dependence', rule(0) | ALLOW | OWNED],
    ['denied, with a dependence', rule(0) | OWNED],
    ['allowed with an unknown dependence', rule(0) | ALLOW | (3 << 2)],
    ['all ones', 0xffff_ffff],
    ['all ones, signed', -1],
    ['not a number', NaN],
    ['nothing', undefined as unknown as number],
  ] as const) {
    assert.equal(reader.read(number).effect, 'DENY', name);
  }
  assert.ok(Object.isFrozen(reader.read(rule(0) | ALLOW)));
});

test('numbers that share a place are still told apart', () => {
  const reader = new DecisionReader(Array.from({ length: 2_000 }, (_, at) => `rule-${at}`));
  // ALLOW and DENY of every rule: far more than there are places.
  const numbers = Array.from({ length: 4_000 }, (_, at) => ((at >> 1) << 16) | (at & 1));
  for (const round of [1, 2]) {
    for (const number of numbers) {
      const { effect, rule } = reader.read(number);
      assert.deepEqual([effect, rule], [number & 1 ? 'ALLOW' : 'DENY', `rule-${number >>> 16}`], `round ${round}`);
    }
    // Back and forth between two of one place.
    for (const number of [0x0000_0001, 0x0001_0000, 0x0000_0001]) {
      assert.equal(reader.read(number).effect, number & 1 ? 'ALLOW' : 'DENY');
    }
  }
});

test('no default answer can be an ALLOW', () => {
  const reader = new DecisionReader([]);
  for (const ground of [0xffff, 0xfffe, 0xfffd]) {
    for (let low = 0; low < 16; low += 1) {
      const { effect } = reader.read(((ground << 16) | low) >>> 0);
      assert.equal(effect, 'DENY', `${ground.toString(16)} ${low}`);
    }
  }
});

test('a trap refuses everything, throws nothing, and a fresh instance knows what the old one knew', async () => {
  const watched = await scene();
  const { core, logger } = watched;
  const sessions = new Sessions(core);
  const token = tenant.mintAccessToken(people.olivia);
  const record = core.describe(handleOf(core, token))!;
  const before = sessions.open(OLIVIA_REF, record, Math.floor(Date.now() / 1000) + 3600)!;
  assert.equal(core.decide(before, READ).effect, 'ALLOW');
  const { epoch, instance } = core;

  ruin(watched);
  const unavailable = {
    ok: false,
    code: 'core_unavailable',
    advice: 'the core is being restarted; try again in a second',
  };
  assert.deepEqual(core.authenticate(tenant.mintAccessToken(people.dana)), unavailable);
  assert.deepEqual(core.authenticate(token), unavailable, 'also what was accepted before');
  assert.equal(core.available, false);
  assert.deepEqual({ ...core.decide(before, READ) }, { effect: 'DENY', ground: 'coreUnavailable' });
  assert.equal(core.owners(before), undefined);
  assert.equal(core.describe(before), undefined);
  assert.equal(core.explain(before, READ), undefined);
  assert.equal(core.inspect(token), undefined);
  assert.equal(core.admit(record, OLIVIA_REF, 4_000_000_000), undefined);
  assert.equal(core.setKeys(issuerOf(core), '{"keys":[]}').ok, false);
  assert.equal(core.setDirectory(DIRECTORY).ok, false);
  assert.throws(() => core.setPolicy(POLICY, 'policy'), ConfigurationError);
  assert.doesNotThrow(() => core.release(before));
  assert.equal(core.decide(sessions.find(OLIVIA_REF) ?? before, READ).effect, 'DENY');
  assert.deepEqual(core.ruleIds, []);
  assert.equal(core.principals, 0);
  assert.match(logger.complaints[0] ?? '', /the core trapped \(RuntimeError\)/);

  await restarted(core);
  assert.equal(core.instance, instance + 1);
  assert.ok(core.epoch > epoch, 'the epoch only grows');
  assert.equal(logger.complaints.length, 1, logger.lines.join('\n'));
  assert.deepEqual(core.ruleIds, ['admins', 'everyone-reads', 'owners-manage']);
  const restored = sessions.find(OLIVIA_REF)!;
  assert.deepEqual(core.owners(restored, { onlyOwning: true }), ['group:default/payments']);
  assert.equal(core.decide(restored, DELETE).effect, 'CONDITIONAL');
  assert.equal(codeOf(core, token), 'accepted', 'the keys are back');
});

test('each question can be the one that traps', async () => {
  const record = recordOf();
  const questions: Array<[string, (core: EntraCore, handle: PrincipalHandle) => unknown, unknown]> = [
    ['decide', (core, handle) => core.decide(handle, READ).effect, 'DENY'],
    ['owners', (core, handle) => core.owners(handle), undefined],
    ['describe', (core, handle) => core.describe(handle), undefined],
    ['explain', (core, handle) => core.explain(handle, READ), undefined],
    ['admit', core => core.admit(record, OLIVIA_REF, 4_000_000_000), undefined],
    ['inspect', core => core.inspect(tenant.mintAccessToken(people.olivia)), undefined],
  ];
  for (const [name, ask, refusal] of questions) {
    const watched = await scene();
    const handle = handleOf(watched.core, tenant.mintAccessToken(people.adam));
    ruin(watched);
    assert.deepEqual(ask(watched.core, handle), refusal, name);
    assert.equal(watched.core.available, false, name);
    await restarted(watched.core);
    assert.equal(codeOf(watched.core, tenant.mintAccessToken(people.olivia)), 'accepted', name);
  }
});

test('a handle of the old instance never answers as somebody else', async () => {
  const watched = await scene();
  const { core } = watched;
  const old = [people.rita, people.olivia, people.dana].map(person => handleOf(core, tenant.mintAccessToken(person)));
  ruin(watched);
  core.authenticate('x');
  await restarted(core);
  const adam = [1, 2, 3].map(() => handleOf(core, tenant.mintAccessToken(people.adam)));
  assert.equal(core.decide(adam[0]!, DELETE).effect, 'ALLOW');
  for (const handle of old) {
    assert.equal(core.describe(handle), undefined);
    assert.equal(core.owners(handle), undefined);
    assert.equal(core.explain(handle, READ), undefined);
    assert.equal(core.decide(handle, READ).effect, 'DENY');
    core.release(handle);
  }
  for (const handle of adam) assert.equal(core.decide(handle, DELETE).effect, 'ALLOW', 'and cannot release anybody');
});

test('the garbage of a dead instance does no harm', async () => {
  const watched = await scene();
  ruin(watched);
  watched.core.authenticate('x');
  await restarted(watched.core);
  ruin({ instances: watched.instances.slice(0, 1) });
  const collected = new Promise<void>(resolve => {
    const registry = new FinalizationRegistry(() => resolve());
    registry.register(watched.instances[0]!.inner, 0);
    (globalThis as { keep?: unknown }).keep = registry;
  });
  watched.instances.length = 0;
  setFlagsFromString('--expose_gc');
  const collect = runInNewContext('gc') as () => void;
  // Freeing an object inside ruined memory traps again, in a callback that nobody could catch: it fails this process.
  for (let turn = 0; turn < 5; turn += 1) {
    collect();
    await pause(10);
  }
  await collected;
  assert.equal(codeOf(watched.core, tenant.mintAccessToken(people.olivia)), 'accepted');
});

test('a core that cannot be restarted refuses on and tries again', async () => {
  const logger = new RecordingLogger();
  const instances: Watched[] = [];
  let fail = false;
  const load = (): WasmInstance => {
    if (fail) throw new Error('no memory');
    return watchedWasm(instances);
  };
  const core = new EntraCore({ configuration: configurationOf(tenant), logger, load });
  cores.push(core);
  fail = true;
  ruin({ instances });
  assert.equal(codeOf(core, 'x'), 'core_unavailable');
  while (logger.complaints.length < 3) await pause(1);
  assert.equal(codeOf(core, 'x'), 'core_unavailable');
  fail = false;
  await restarted(core);
  assert.equal(codeOf(core, 'x'), 'token_malformed');
});

test('the same token again is the same principal; anything else is judged anew', async () => {
  const { core } = await scene();
  const token = tenant.mintAccessToken(people.olivia);
  const handle = handleOf(core, token);
  assert.equal(handleOf(core, `${token}`), handle);
  const [header, payload, signature] = token.split('.') as [string, string, string];
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
  const forged = Buffer.from(JSON.stringify({ ...claims, oid: people.adam.oid })).toString('base64url');
  assert.equal(codeOf(core, `${header}.${forged}.${signature}`), 'signature_invalid', 'under the same signature');
  const answer = core.authenticate(token, 'sign-in');
  assert.equal(!answer.ok && answer.code, 'token_kind_not_allowed', 'for another purpose');
  assert.equal(handleOf(core, token), handle);
});

test('a token that was accepted before is refused once it has expired', async () => {
  let now = Date.now();
  const core = new EntraCore({
    configuration: configurationOf(tenant),
    logger: new RecordingLogger(),
    clock: () => now,
  });
  await giveKeys(core, tenant);
  const exp = Math.floor(now / 1000) + 600;
  const token = tenant.mintAccessToken(people.olivia, { claims: { exp } });
  assert.equal(codeOf(core, token), 'accepted');
  now = exp * 1000 + 299_000;
  assert.equal(codeOf(core, token), 'accepted', 'within the leeway');
  now += 1_000;
  assert.equal(codeOf(core, token), 'token_expired');
});

test('a token that was accepted before is refused once its key is gone', async () => {
  const own = await startTenant();
  const core = new EntraCore({ configuration: configurationOf(own), logger: new RecordingLogger() });
  try {
    await giveKeys(core, own);
    const token = own.mintAccessToken(people.olivia);
    assert.equal(codeOf(core, token), 'accepted');
    await own.rollKeys({ overlap: false });
    await giveKeys(core, own);
    assert.equal(codeOf(core, token), 'key_unknown');
  } finally {
    core.close();
    await own.close();
  }
});

test('with more tokens than the core holds callers, each is still its own principal', async () => {
  const { core } = await scene();
  const oid = (at: number) => `00000000-0000-4000-8000-${at.toString(16).padStart(12, '0')}`;
  const tokens = Array.from({ length: 1_300 }, (_, at) =>
    tenant.mintAccessToken(people.olivia, { claims: { oid: oid(at) } }),
  );
  // Forwards, then a part again while it is given up bit by bit, then backwards.
  const order = [...tokens.keys(), ...Array(400).keys(), ...[...tokens.keys()].reverse()];
  for (const at of order) assert.equal(core.describe(handleOf(core, tokens[at]!))?.objectId, oid(at), String(at));
});

test('nobody gets the groups of the caller whose place is taken', async () => {
  const { core } = await scene();
  const capacity = loadWasm().Core.token_principals();
  const ids = Array.from({ length: 7 }, (_, at) => `00000000-0000-4000-8000-00000000000${at}`);
  const token = (at: number) =>
    tenant.mintAccessToken(people.olivia, { claims: { groups: ids.slice(at % ids.length) } });
  for (let at = 0; at < capacity; at += 1) handleOf(core, token(at));
  for (let at = 0; at < 40; at += 1) {
    const others = (at * 3) % ids.length;
    assert.deepEqual(core.describe(handleOf(core, token(others)))?.groups.ids, ids.slice(others));
    const none = core.authenticate(tenant.mintAccessToken(people.olivia, { claims: { groups: undefined } }));
    assert.ok(none.ok);
    assert.deepEqual(core.describe(none.principal)?.groups, { state: 'unknown', ids: [] });
  }
});

test('judged in other threads, tokens get the same answers', async () => {
  const { core } = await scene();
  // First by Node's thread pool, as the threads are yet to start.
  for (const threaded of [false, true]) {
    for (let turn = 0; turn < 2_000 && core.threaded !== threaded; turn += 1) await pause(5);
    assert.equal(core.threaded, threaded);
    // New ones each time: nobody is remembered.
    const tokens = [
      ...forgeAttacks(tenant).map(({ token, expect }) => [token, expect] as const),
      ...[people.olivia, people.dana, people.adam].map(person => [tenant.mintAccessToken(person), person.oid] as const),
      ['', 'token_malformed'] as const,
    ];
    const answers = await Promise.all(tokens.map(([token]) => core.authenticateAsync(token)));
    answers.forEach((answer, at) => {
      const found = answer.ok ? core.describe(answer.principal)?.objectId : answer.code;
      assert.equal(found, tokens[at]![1]);
    });
  }
});

test('a trap while signatures are being checked refuses them', async () => {
  const watched = await scene();
  const { core } = watched;
  const pending = Array.from({ length: 20 }, () => core.authenticateAsync(tenant.mintAccessToken(people.adam)));
  ruin(watched);
  assert.equal(codeOf(core, 'x'), 'core_unavailable');
  for (const answer of await Promise.all(pending)) assert.equal(answer.ok, false);
  await restarted(core);
  const again = await core.authenticateAsync(tenant.mintAccessToken(people.adam));
  assert.equal(again.ok, true);
});

/** A core whose `prepare` may be watched; its signatures arrive when the test lets them */
async function deferred(prepare: (inner: () => number) => number, of = tenant) {
  const load = (): WasmInstance => {
    const { Core, memory } = loadWasm();
    class Deferred extends Core {
      override prepare(bytes: number, signIn: boolean, now: number, checks: SignatureChecks): number {
        let arrived: (go: () => void) => void;
        arrivals.push(new Promise(resolve => (arrived = resolve)));
        // What the core is looking at is still known then: it is asked about one token at a time here.
        const later: SignatureChecks = {
          check: (digest, letters, key, signature) => {
            const copy = signature.slice();
            arrived(() => checks.check(digest, letters, key, copy));
          },
        };
        return prepare(() => super.prepare(bytes, signIn, now, later));
      }
    }
    return { Core: Deferred, memory };
  };
  const arrivals: Array<Promise<() => void>> = [];
  const core = new EntraCore({ configuration: configurationOf(of), logger: new RecordingLogger(), load });
  cores.push(core);
  core.setPolicy(POLICY, 'policy');
  await giveKeys(core, of);
  return { core, arrive: async () => (await arrivals.shift()!)() };
}

test('a trap after the signature was asked for harms nobody when the signature arrives', async () => {
  const { core, arrive } = await deferred(inner => {
    inner();
    throw new RangeError('Maximum call stack size exceeded');
  });
  // In earnest, nobody could catch what the callback throws: it would end the process.
  const answer = await core.authenticateAsync(tenant.mintAccessToken(people.olivia));
  assert.equal(!answer.ok && answer.code, 'core_unavailable');
  await assert.doesNotReject(arrive());
});

test('a signature that arrives under other keys is judged by those', async () => {
  const own = await startTenant();
  try {
    const { core, arrive } = await deferred(inner => inner(), own);
    const oldKeys = own.mintAccessToken(people.olivia);
    const answer = core.authenticateAsync(oldKeys);
    await own.rollKeys({ overlap: false });
    await giveKeys(core, own);
    await arrive();
    const refused = await answer;
    assert.equal(!refused.ok && refused.code, 'key_unknown');
    assert.equal(codeOf(core, oldKeys), 'key_unknown', 'nor is it remembered');
    assert.equal(core.principals, 0);
  } finally {
    await own.close();
  }
});

test('a signature that arrives after the directory has changed is still a good one', async () => {
  const { core, arrive } = await deferred(inner => inner());
  const token = tenant.mintAccessToken(people.olivia);
  // More rounds than there is room for signatures: the tickets must come back.
  for (let round = 0; round < 5_000; round += 1) {
    const answer = core.authenticateAsync(`${token}`);
    assert.equal(core.setDirectory(round % 2 ? DIRECTORY : { groups: [] }).ok, true);
    await arrive();
    const { ok } = await answer;
    assert.ok(ok);
    // What is remembered would not be prepared.
    core.setDirectory(DIRECTORY);
  }
});

test('a caller by token is not released: it would be given up out of turn, and the remembered answer with it', async () => {
  const { core } = await scene();
  const capacity = loadWasm().Core.token_principals();
  const tokens = Array.from({ length: capacity + 2 }, (_, at) =>
    tenant.mintAccessToken(people.olivia, {
      claims: { oid: `00000000-0000-4000-8000-${at.toString(16).padStart(12, '0')}` },
    }),
  );
  const [first] = tokens.slice(0, capacity).map(token => handleOf(core, token));
  core.release(first!);
  const [next, last] = tokens.slice(capacity) as [string, string];
  const before = core.describe(handleOf(core, next));
  handleOf(core, last);
  assert.deepEqual(core.describe(handleOf(core, next)), before);
});
