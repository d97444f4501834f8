import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readMicrosoftClients } from './clients';

const CLIENT = '6d2f8a94-1b7c-4e50-9f3d-c84a0e5b7126';
const OURS = { clientId: CLIENT, signIn: { resolvers: [{ resolver: 'entraGroups' }] } };

const read = (microsoft: unknown, tenants: unknown = [{ audiences: ['api://backstage', CLIENT] }]) => {
  const sections: Record<string, unknown> = { 'auth.providers.microsoft': microsoft, 'entraAccess.tenants': tenants };
  return readMicrosoftClients({ getOptional: (path?: string) => sections[path ?? ''] as never });
};

test('the client ids of all environments that name our resolver', () => {
  const other = '2f1c7d58-90ab-4e36-8c1d-5b7e94f0a263';
  const byMail = { clientId: other, signIn: { resolvers: [{ resolver: 'emailMatchingUserEntityAnnotation' }] } };
  const both = { signIn: { resolvers: [...byMail.signIn.resolvers, ...OURS.signIn.resolvers] } };
  assert.deepEqual(read({ development: byMail }), new Set());
  assert.deepEqual(
    read({ development: byMail, production: { ...OURS, clientId: CLIENT.toUpperCase() } }),
    new Set([CLIENT]),
  );
  assert.deepEqual(read({ a: { ...both, clientId: CLIENT } }), new Set([CLIENT]));
});

for (const microsoft of [undefined, null, {}, [], 'x', { development: null }, { development: { signIn: [] } }]) {
  test(`${JSON.stringify(microsoft)} names no client`, () => assert.deepEqual(read(microsoft), new Set()));
}

for (const [name, microsoft, tenants] of [
  ['another audience', { production: OURS }, [{ audiences: ['2f1c7d58-90ab-4e36-8c1d-5b7e94f0a263'] }]],
  ['no tenants', { production: OURS }, null],
  ['no client id', { production: { ...OURS, clientId: undefined } }, undefined],
  ['one of two', { development: OURS, production: { ...OURS, clientId: 'other' } }, undefined],
] as const) {
  test(`${name}: a mistake with its place and the fix`, () => {
    assert.throws(() => read(microsoft, tenants === undefined ? [{ audiences: [CLIENT] }] : tenants), {
      code: 'config_invalid',
      message: /^auth\.providers\.microsoft\.production\.clientId: .*\(add the client id to `entraAccess\.tenants/,
    });
  });
}
