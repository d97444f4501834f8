import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AuthService, PermissionsService } from '@backstage/backend-plugin-api';
import { AuthorizeResult, createPermission, type PolicyDecision } from '@backstage/plugin-permission-common';
import { InProcessPermissions, type InProcessOptions } from './permissions';
import { isPlain } from './plain';
import { VerifiedUsers } from './verifiedUsers';

const { ALLOW, CONDITIONAL, DENY } = AuthorizeResult;
const basic = createPermission({ name: 'a.b', attributes: {} });
const book = createPermission({ name: 'shelf.book.read', attributes: { action: 'read' }, resourceType: 'shelf-book' });
const condition = { rule: 'HAS_GENRE', resourceType: 'shelf-book', params: { genre: 'travel' } };
const conditional: PolicyDecision = {
  result: CONDITIONAL,
  pluginId: 'shelf',
  resourceType: 'shelf-book',
  conditions: condition,
};
const HOUR = 3_600_000;

/** Tokens are `<name>`, and broken when they begin with a question mark */
function authService(seen: string[] = []): AuthService {
  const user = (name: string) => ({ principal: { type: 'user', userEntityRef: `user:default/${name}` } });
  return {
    isPrincipal: (credentials: any, type: string) => credentials.principal.type === type,
    async getLimitedUserToken({ token }: any) {
      if (!token) throw new Error('no token');
      return { token: `limited ${token}`, expiresAt: new Date(HOUR) };
    },
    async authenticate(token: string, options?: object) {
      seen.push(token);
      assert.deepEqual(options, { allowLimitedAccess: true });
      if (token.includes('?')) throw new Error('broken');
      return token.includes('service') ? { principal: { type: 'service' } } : user(token.split(' ')[1]!);
    },
  } as unknown as AuthService;
}

const userCredentials = (token?: string) =>
  ({ principal: { type: 'user', userEntityRef: 'user:default/says' }, token }) as any;

/** `asked`: what came to Backstage's service */
function service(decisions: Record<string, PolicyDecision | undefined>, change: Partial<InProcessOptions> = {}) {
  const asked: string[] = [];
  const answering = (method: string) => async (queries: unknown[]) => {
    asked.push(`${method} ${queries.length}`);
    return queries.map(() => ({ result: DENY }));
  };
  const stock = { authorize: answering('authorize'), authorizeConditional: answering('conditional') };
  const permissions = new InProcessPermissions({
    auth: authService(),
    stock: stock as unknown as PermissionsService,
    policy: {
      installed: true,
      ready: () => undefined,
      record: () => undefined,
      judge: ({ name }, entityRef) => {
        assert.equal(entityRef, 'user:default/jane', 'the token says who it is, not the credentials');
        const answer = decisions[name];
        return answer && { answer, decision: { ground: 'rule' } };
      },
    },
    users: new VerifiedUsers(() => 0),
    enabled: true,
    batched: false,
    ...change,
  });
  return { permissions, asked };
}

const jane = { credentials: userCredentials('jane') };

test('definite answers and conditions are given in the process', async () => {
  const { permissions, asked } = service({ 'a.b': { result: ALLOW }, 'shelf.book.read': conditional });
  assert.deepEqual(await permissions.authorize([{ permission: basic }], jane), [{ result: ALLOW }]);
  assert.deepEqual(await permissions.authorizeConditional([{ permission: book }, { permission: basic as any }], jane), [
    conditional,
    { result: ALLOW },
  ]);
  assert.deepEqual(await permissions.authorize([], jane), []);
  assert.deepEqual(asked, []);
});

for (const [why, change] of [
  ['permissions are off', { enabled: false }],
  [
    'another policy is installed',
    { policy: { installed: false, ready: () => undefined, decide: () => assert.fail() } },
  ],
] as Array<[string, Partial<InProcessOptions>]>) {
  test(`Backstage's service answers everything where ${why}`, async () => {
    const { permissions, asked } = service({ 'a.b': { result: ALLOW } }, change);
    assert.deepEqual(await permissions.authorize([{ permission: basic }], jane), [{ result: DENY }]);
    assert.deepEqual(await permissions.authorizeConditional([{ permission: book }], jane), [{ result: DENY }]);
    assert.deepEqual(asked, ['authorize 1', 'conditional 1']);
  });
}

test('batched requests are left to it, questions about conditions are not', async () => {
  const { permissions, asked } = service(
    { 'a.b': { result: ALLOW }, 'shelf.book.read': conditional },
    { batched: true },
  );
  await permissions.authorize([{ permission: basic }], jane);
  assert.deepEqual(await permissions.authorizeConditional([{ permission: book }], jane), [conditional]);
  assert.deepEqual(asked, ['authorize 1']);
});

test('a call goes there whole when one answer has to come from there', async () => {
  const { permissions, asked } = service({ 'a.b': { result: ALLOW }, 'shelf.book.read': conditional });
  await permissions.authorize([{ permission: basic }, { permission: book, resourceRef: 'atlas' }], jane);
  // What the fallback policy decides.
  const open = createPermission({ name: 'nobody.knows', attributes: {} });
  await permissions.authorize([{ permission: open }, { permission: basic }], jane);
  assert.deepEqual(asked, ['authorize 2', 'authorize 2']);
});

test('so do callers that are no verified users', async () => {
  const { permissions, asked } = service({ 'a.b': { result: ALLOW } });
  const principals = ['service', 'none', 'unknown'].map(type => ({ principal: { type } }));
  for (const credentials of [...principals, userCredentials(), userCredentials('?jane'), userCredentials('service')]) {
    await permissions.authorize([{ permission: basic }], { credentials: credentials as any });
  }
  await permissions.authorize([{ permission: basic }], { token: 'jane' } as any);
  assert.equal(asked.length, 7);
});

test('a token is verified once, and holds until it expires', async () => {
  let now = 0;
  const seen: string[] = [];
  const users = new VerifiedUsers(() => now);
  const ask = () => users.entityRefOf(authService(seen), userCredentials('jane'));
  assert.deepEqual([await ask(), await ask()], ['user:default/jane', 'user:default/jane']);
  assert.deepEqual(seen, ['limited jane']);
  now = HOUR - 1;
  assert.equal(await ask(), 'user:default/jane');
  now = HOUR;
  assert.equal(await ask(), undefined);
  assert.equal(users.size, 0);
});

test('that of a pipeline is remembered no longer than it counts elsewhere', async () => {
  let now = 0;
  const payload = Buffer.from(JSON.stringify({ sub: 'pipeline:gitlab/staging.42', iat: 0, exp: 3600 }));
  const auth = {
    ...authService(),
    getLimitedUserToken: async () => ({ token: `x.${payload.toString('base64url')}.x`, expiresAt: new Date(HOUR) }),
    authenticate: async () => ({ principal: { type: 'user', userEntityRef: 'pipeline:gitlab/staging.42' } }),
  } as unknown as AuthService;
  const users = new VerifiedUsers(() => now);
  const ask = () => users.entityRefOf(auth, userCredentials('job'));
  now = 600_000 - 1;
  assert.equal(await ask(), 'pipeline:gitlab/staging.42');
  now = 600_000;
  assert.equal(await ask(), undefined);
});

test('only so many tokens are remembered', async () => {
  const users = new VerifiedUsers(() => 0);
  for (let at = 0; at < 10_050; at += 1) await users.entityRefOf(authService(), userCredentials(`u${at}`));
  assert.equal(users.size, 10_000);
  const seen: string[] = [];
  await users.entityRefOf(authService(seen), userCredentials('u10049'));
  await users.entityRefOf(authService(seen), userCredentials('u0'));
  assert.deepEqual(seen, ['limited u0']);
});

test('questions with more or less to them than Backstage asks are not plain', () => {
  assert.ok(
    isPlain({ permission: basic }) && isPlain({ permission: book }) && isPlain({ permission: book, resourceRef: 'x' }),
  );
  for (const query of [
    undefined,
    {},
    { permission: basic, resourceRef: 'x' },
    { permission: { ...basic, resourceType: 'y' } },
    { permission: { ...basic, resourceType: undefined } },
    { permission: { ...basic, attributes: undefined } },
    { permission: { ...basic, attributes: { action: 'fly' } } },
    { permission: { ...basic, name: 1 } },
    { permission: { ...book, type: 'other' } },
    { permission: { ...book, resourceType: undefined } },
    { permission: book, resourceRef: '' },
    { permission: book, resourceRef: ['x'] },
    { permission: book, id: undefined },
  ]) {
    assert.equal(isPlain(query), false, JSON.stringify(query));
  }
});
