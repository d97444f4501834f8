import assert from 'node:assert/strict';
import { test } from 'node:test';
import { offeredToken } from './offered';
import { readOptions } from './options';

const PROXY = 'from.the.proxy';
const DIRECT = 'a.direct.call';
const ON = { directCalls: true };
const OFF = { directCalls: false };

for (const [name, options, rawHeaders, core, expected] of [
  ['the proxy brings', {}, ['Authorization', `Bearer ${PROXY}`], ON, { token: PROXY, purpose: 'access' }],
  [
    'an ID token is brought as one',
    { token: 'id' },
    ['Authorization', `Bearer ${PROXY}`],
    ON,
    { token: PROXY, purpose: 'sign-in' },
  ],
  [
    'a direct call brings an access token, whatever the proxy brings',
    { header: 'x-ms-token-aad-id-token' },
    ['X-Entra-Access-Direct', DIRECT],
    ON,
    { token: DIRECT, purpose: 'access' },
  ],
  [
    'the header of direct calls is nothing special where they are off',
    {},
    ['x-entra-access-direct', DIRECT, 'authorization', PROXY],
    OFF,
    { token: PROXY, purpose: 'access' },
  ],
] as Array<[string, object, string[], { directCalls: boolean }, object]>) {
  test(`offered: ${name}`, () => assert.deepEqual(offeredToken({ rawHeaders }, readOptions(options), core), expected));
}

for (const [name, options, rawHeaders, core, message] of [
  [
    'a direct call beside the proxy',
    {},
    ['authorization', PROXY, 'x-entra-access-direct', DIRECT],
    ON,
    /both x-entra-access-direct and authorization headers; send one/,
  ],
  [
    'a direct call beside an empty header of the proxy',
    { header: 'x-id', token: 'id' },
    ['x-id', '', 'x-entra-access-direct', DIRECT],
    ON,
    /both x-entra-access-direct and x-id headers/,
  ],
  [
    'two direct calls',
    {},
    ['x-entra-access-direct', DIRECT, 'X-Entra-Access-Direct', DIRECT],
    ON,
    /several x-entra-access-direct headers/,
  ],
  ['an empty direct call', {}, ['x-entra-access-direct', ''], ON, /no token in the x-entra-access-direct header/],
  ['a direct call where they are off', {}, ['x-entra-access-direct', DIRECT], OFF, /no token in the authorization/],
] as Array<[string, object, string[], { directCalls: boolean }, RegExp]>) {
  test(`refused: ${name}`, () => {
    assert.throws(() => offeredToken({ rawHeaders }, readOptions(options), core), {
      name: 'AuthenticationError',
      code: 'header_invalid',
      message,
    });
  });
}
