import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AuthorizeResult, createPermission, type Permission } from '@backstage/plugin-permission-common';
import type { PermissionPolicy, PolicyQueryUser } from '@backstage/plugin-permission-node';
import { groups, people } from '../../dev/tenant/people';
import { configurationOf, recordOf } from '../../e2e/support/core';
import { RecordingLogger } from '../../e2e/support/logger';
import { EntraAccess } from '../service/entraAccess';
import type { SessionStore, StoredSession } from '../service/sessionStore';
import { askFallback, PolicyFallback } from './fallback';
import { EntraPermissionPolicy } from './policy';

const { ALLOW, CONDITIONAL, DENY } = AuthorizeResult;
const IN_AN_HOUR = Math.floor(Date.now() / 1000) + 3600;
const OLIVIA = `user:default/${people.olivia.oid}`;
const OTTO = `user:default/${people.otto.oid}`;
const GUEST = 'user:default/guest';
const basic = (name: string) => createPermission({ name, attributes: {} });
const readEntity = createPermission({
  name: 'catalog.entity.read',
  attributes: { action: 'read' },
  resourceType: 'catalog-entity',
});
const RULES = [
  { id: 'allowed', effect: 'allow', permissions: ['ours.allowed'] },
  { id: 'denied', effect: 'deny', permissions: ['ours.denied'] },
  { id: 'strong', effect: 'allow', permissions: ['ours.strong'], requires: { authContext: 'c1' } },
  { id: 'members', effect: 'allow', permissions: ['ours.members'], principals: [{ group: groups.payments.id }] },
  { id: 'not-their-own', effect: 'deny', permissions: ['catalog.entity.read'], when: { owned: true } },
];

let entraAccess: EntraAccess;
let policy: EntraPermissionPolicy;
const logger = new RecordingLogger();
const asked: string[] = [];
/** What the database holds, and whether it answers */
const store = { sessions: new Map<string, StoredSession>(), away: false };

before(async () => {
  const json = configurationOf({ authority: 'http://127.0.0.1:1', tenantId: recordOf().tenantId });
  const rules = JSON.stringify({ rules: RULES });
  entraAccess = new EntraAccess({ json, policy: { json: rules, place: 'policy' } }, logger, { storeExpected: true });
  await entraAccess.sessions.attach({
    revision: async () => 0,
    since: async () => [],
    async find(entityRef: string) {
      if (store.away) throw new Error('away');
      return store.sessions.get(entityRef);
    },
  } as unknown as SessionStore);
  const open = (ref: string, objectId: string, state: 'known' | 'unknown') =>
    entraAccess.sessions.open(ref, recordOf({ objectId, groups: { state, ids: [] } }), IN_AN_HOUR);
  open(OLIVIA, people.olivia.oid, 'known');
  open(OTTO, people.otto.oid, 'unknown');
  policy = new EntraPermissionPolicy(entraAccess, logger);
  policy.install({
    async handle({ permission }, user) {
      asked.push(`${permission.name} ${(user?.credentials.principal as { userEntityRef: string }).userEntityRef}`);
      return { result: ALLOW };
    },
  });
});
after(() => entraAccess.close());

/** The answer, and whether the other policy gave it */
async function decide(permission: Permission, userEntityRef: string | undefined): Promise<string> {
  asked.length = 0;
  const user = userEntityRef && { credentials: { principal: { type: 'user', userEntityRef } } };
  const { result } = await policy.handle({ permission }, (user || undefined) as PolicyQueryUser | undefined);
  assert.deepEqual(asked, asked.length === 0 ? [] : [`${permission.name} ${userEntityRef}`]);
  return asked.length === 0 ? result : `fallback ${result}`;
}

test('the other policy is asked where no rule speaks, and nowhere else', async () => {
  for (const [permission, who, expected] of [
    [basic('theirs.anything'), OLIVIA, 'fallback ALLOW'],
    [basic('theirs.anything'), OTTO, 'fallback ALLOW'],
    [basic('ours.members'), OLIVIA, 'fallback ALLOW'],
    [basic('ours.members'), OTTO, 'DENY'],
    [basic('ours.allowed'), OLIVIA, 'ALLOW'],
    [basic('ours.denied'), OLIVIA, 'DENY'],
    [basic('ours.strong'), OLIVIA, 'DENY'],
    [readEntity, OLIVIA, 'DENY'],
    [basic('theirs.anything'), undefined, 'DENY'],
  ] as const) {
    assert.equal(await decide(permission, who), expected, `${permission.name} ${who}`);
  }
});

test('whoever did not sign in through us is somebody else’s, if that is certain', async () => {
  for (const name of ['theirs.anything', 'ours.allowed', 'ours.denied']) {
    assert.equal(await decide(basic(name), GUEST), 'fallback ALLOW', name);
  }
  store.away = true;
  assert.equal(await decide(basic('theirs.anything'), 'user:default/another'), 'DENY');
  assert.equal(await decide(basic('theirs.anything'), GUEST), 'DENY', 'remembered as absent, but not certain');
});

test('a sign-in that another replica has just written down is ours', async () => {
  // The failure of before is not asked again at once.
  await new Promise(done => setTimeout(done, 1_100));
  store.away = false;
  const late = 'user:default/late';
  assert.equal(await decide(basic('ours.denied'), late), 'fallback ALLOW');
  const record = recordOf({ objectId: people.rita.oid, groups: { state: 'known', ids: [] } });
  store.sessions.set(late, {
    entityRef: late,
    principal: 'rita',
    record,
    expiresAt: IN_AN_HOUR,
    revision: 1,
    since: 1,
  });
  // Remembered as absent for seconds, which must not let the other policy decide.
  assert.equal(await decide(basic('ours.denied'), late), 'DENY');
  assert.equal(await decide(basic('ours.allowed'), late), 'ALLOW');
});

test('a stored sign-in that cannot be read is nobody else’s', async () => {
  const broken = 'user:default/broken';
  store.sessions.set(broken, {
    entityRef: broken,
    principal: 'x',
    record: { kind: '?' },
    expiresAt: IN_AN_HOUR,
    revision: 1,
    since: 1,
  });
  assert.equal(await decide(basic('theirs.anything'), broken), 'DENY');
  store.sessions.set('user:default/gone', {
    entityRef: 'user:default/gone',
    principal: 'x',
    record: {},
    expiresAt: 1,
    revision: 1,
    since: 1,
  });
  assert.equal(await decide(basic('theirs.anything'), 'user:default/gone'), 'fallback ALLOW', 'it has ended');
});

test('a sign-in that ended while the answer was waited for is still ours, and a pipeline always is', async () => {
  const record = recordOf({ objectId: people.rita.oid, groups: { state: 'known', ids: [] } });
  const ended = (entityRef: string, secondsAgo: number) =>
    store.sessions.set(entityRef, {
      entityRef,
      principal: 'rita',
      record,
      expiresAt: Math.floor(Date.now() / 1000) - secondsAgo,
      revision: 1,
      since: 1,
    });
  ended('user:default/just-now', 1);
  assert.equal(await decide(basic('ours.denied'), 'user:default/just-now'), 'DENY');
  ended('user:default/long-ago', 120);
  assert.equal(await decide(basic('ours.denied'), 'user:default/long-ago'), 'fallback ALLOW');
  // Nobody else issues such a ref; its Backstage token may outlive the sign-in by most of an hour.
  assert.equal(await decide(basic('theirs.anything'), 'pipeline:gitlab/payments-staging.42'), 'DENY');
});

test('a core that dies between two questions leaves nothing to the other policy', async t => {
  const answers = [{ effect: 'DENY', ground: 'default' }];
  t.mock.method(entraAccess, 'decide', () => answers.pop() ?? { effect: 'DENY', ground: 'coreUnavailable' });
  assert.equal(await decide(basic('theirs.anything'), OLIVIA), 'DENY');
});

test('an explanation says that another policy decides', () => {
  const explanation = entraAccess.explain(OLIVIA, { name: 'theirs.anything' });
  assert.equal(explanation?.fallback, true);
  assert.match(explanation?.reasons[0] ?? '', /the fallback policy decides/);
  for (const name of ['ours.strong', 'ours.denied', 'ours.allowed']) {
    assert.equal(entraAccess.explain(OLIVIA, { name })?.fallback, undefined, name);
  }
});

test('whatever is wrong with the answer of the other policy, it is a refusal that says so', async () => {
  const user = { credentials: { principal: { type: 'user', userEntityRef: OLIVIA } } } as PolicyQueryUser;
  const conditional = (resourceType: string, conditions: unknown) => ({
    result: CONDITIONAL,
    pluginId: 'catalog',
    resourceType,
    conditions,
  });
  const good = { rule: 'IS_ENTITY_KIND', resourceType: 'catalog-entity', params: { kinds: ['API'] } };
  const outcomeOf = (handle: () => unknown, permission: Permission = readEntity) =>
    askFallback({ handle } as unknown as PermissionPolicy, { permission }, user, 50);
  for (const answer of [{ result: DENY }, conditional('catalog-entity', { anyOf: [good, { not: good }] })]) {
    assert.deepEqual(await outcomeOf(async () => answer), answer);
  }
  const secret = 'jane@contoso.example';
  for (const [handle, reason, permission] of [
    [() => Promise.reject(new RangeError(secret)), /failed \(RangeError\)/],
    [
      () => {
        throw new Error(secret);
      },
      /failed \(Error\)/,
    ],
    [() => Promise.reject(secret), /failed \(no Error\)/],
    [() => new Promise(() => undefined), /failed \(TimeoutError\)/],
    [async () => undefined, /is none/],
    [async () => ({ result: 'MAYBE' }), /is none/],
    [async () => 'ALLOW', /is none/],
    [async () => ({ result: CONDITIONAL }), /is none/],
    [async () => conditional('catalog-entity', { anyOf: [] }), /is none/],
    [async () => conditional('catalog-entity', {}), /is none/],
    [async () => conditional('shelf-book', { ...good, resourceType: 'shelf-book' }), /another type of resource/],
    [async () => conditional('catalog-entity', good), /another type of resource/, basic('a.b')],
  ] as Array<[() => unknown, RegExp, Permission?]>) {
    const outcome = await outcomeOf(handle, permission);
    assert.match(outcome as string, reason);
    assert.ok(!(outcome as string).includes(secret));
  }
  const failing = new EntraPermissionPolicy(entraAccess, logger);
  failing.install({ handle: () => Promise.reject(new Error(secret)) });
  assert.deepEqual(await failing.handle({ permission: basic('theirs.anything') }, user), { result: DENY });
  assert.match(logger.lines.join('\n'), /theirs\.anything is denied: the fallback policy failed \(Error\)/);
});

test('there is one other policy at most', () => {
  const fallback = new PolicyFallback();
  const one: PermissionPolicy = { handle: async () => ({ result: DENY }) };
  fallback.setFallbackPolicy(one);
  assert.throws(() => fallback.setFallbackPolicy(one), /a fallback policy is set already/);
  assert.equal(fallback.policy, one);
});
