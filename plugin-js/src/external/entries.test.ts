import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readEntries } from './entries';

const CLIENT = 'e92d6b40-8a5f-4c17-b3d8-4f0a7e1c9526';
const GOOD = { type: 'entra', options: { clients: [CLIENT] }, accessRestrictions: [{ plugin: 'catalog' }] };

const OTHER = '15c8f3e7-6b92-4d0a-9e54-a7d2f0b8c461';
const TENANTS = [{ clients: [CLIENT.toUpperCase()] }, {}, { clients: [OTHER] }];

function read(entries: unknown, tenants: unknown = TENANTS): string[] {
  const sections: Record<string, unknown> = {
    'backend.auth.externalAccess': entries,
    'entraAccess.tenants': tenants,
  };
  return readEntries({ getOptional: (path = '') => sections[path] as never });
}

test('entries of others are theirs', () => {
  assert.deepEqual(read(undefined), []);
  assert.deepEqual(read([]), []);
  assert.deepEqual(read([{ type: 'static', options: { token: 'x' } }, null, 'entra', { type: 'Entra' }]), []);
});

test('client ids of all our entries, in lower case', () => {
  const restrictions = [{ plugin: 'catalog', permission: 'catalog.entity.read' }, { plugin: 'search' }];
  const second = { ...GOOD, options: { clients: [OTHER.toUpperCase()] }, accessRestrictions: restrictions };
  assert.deepEqual(read([GOOD, { type: 'static' }, second]), [CLIENT, OTHER]);
});

for (const [name, entries, message] of [
  ['no restrictions', [{ ...GOOD, accessRestrictions: undefined }], /\[0\]\.accessRestrictions: required: without it/],
  ['empty restrictions', [{ ...GOOD, accessRestrictions: [] }], /\[0\]\.accessRestrictions: the list is empty/],
  ['restrictions without a value', [{ ...GOOD, accessRestrictions: null }], /\[0\]\.accessRestrictions: required/],
  ['a restriction of nothing', [{ ...GOOD, accessRestrictions: [{}] }], /\[0\]\.accessRestrictions\[0\]\.plugin: /],
  ['no options', [{ ...GOOD, options: undefined }], /\[0\]\.options: /],
  ['no clients', [{ ...GOOD, options: {} }], /\[0\]\.options\.clients: /],
  [
    'an empty list of clients',
    [{ ...GOOD, options: { clients: [] } }],
    /\.options\.clients: name at least one client id/,
  ],
  ['a wildcard', [{ ...GOOD, options: { clients: ['*'] } }], /\.options\.clients\[0\]: a client id is a GUID/],
  ['one client without a list', [{ ...GOOD, options: { clients: CLIENT } }], /\[0\]\.options\.clients: /],
  ['an unknown option', [{ ...GOOD, options: { clients: [CLIENT], audience: 'x' } }], /\[0\]\.options: .*audience/],
  ['an unknown key', [{ type: 'static' }, { ...GOOD, accessRestriction: [] }], /\[1\]: .*accessRestriction/],
  ['a client twice', [GOOD, GOOD], /\[1\]\.options\.clients: client e92d6b40-\S+ is listed twice/],
  ['a client twice in one', [{ ...GOOD, options: { clients: [CLIENT, CLIENT.toUpperCase()] } }], /is listed twice/],
] as Array<[string, unknown[], RegExp]>) {
  test(`${name}: a mistake with its place`, () => {
    assert.throws(
      () => read(entries),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'config_invalid');
        assert.match(error.message, /^backend\.auth\.externalAccess\[\d\]/);
        assert.match(error.message, message);
        return true;
      },
    );
  });
}

test('a client that no tenant lets in is a mistake with the fix: every token of it would be refused', () => {
  for (const tenants of [
    undefined,
    null,
    [],
    [{}],
    [{ clients: null }],
    [{ clients: [OTHER] }],
    { clients: [CLIENT] },
  ]) {
    assert.throws(
      () => read([{ type: 'static' }, GOOD], tenants ?? null),
      /backend\.auth\.externalAccess\[1\]\.options\.clients: no tenant lets client e92d6b40-\S+ in, .* \(add it to `clients` of its tenant/,
    );
  }
});
