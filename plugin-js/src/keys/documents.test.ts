import assert from 'node:assert/strict';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, afterEach, before, test } from 'node:test';
import { freePort } from '../../dev/freePort';
import { generateSigningKeySync } from '../../dev/tenant/keys';
import { configurationOf, issuerOf } from '../../e2e/support/core';
import { RecordingLogger } from '../../e2e/support/logger';
import { EntraCore, type Issuer } from '../core';
import { readDiscovery } from './discovery';
import { isAllowed } from '../http/bounded';
import { fetchDocument } from './fetchDocument';
import { KeySource } from './keySource';

const TENANT_ID = '3f8a1c52-7d4e-4b19-9c60-5e2b8f7a1d03';
const MIB = 1024 * 1024;

let server: Server;
let base: string;
let answer: RequestListener;
before(async () => {
  server = createServer((request, response) => answer(request, response));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  answer = (_, response) => response.writeHead(500).end();
});
after(() => {
  server.closeAllConnections();
  return new Promise(resolve => server.close(resolve));
});

const ISSUER: Issuer = {
  index: 0,
  id: 'entra-v2:x',
  issuer: 'https://login.example/x/v2.0',
  discoveryUrl: 'https://login.example/x/v2.0/.well-known/openid-configuration',
  tenantId: 'x',
  authority: 'https://login.example',
  graph: '',
};

const discovery = (change: object) =>
  readDiscovery(JSON.stringify({ issuer: ISSUER.issuer, jwks_uri: 'https://login.example/keys', ...change }), ISSUER);

test('the address of the keys is read from the document of the issuer', () => {
  assert.equal(discovery({}), 'https://login.example/keys');
  assert.equal(discovery({ more: { of: ['it'] } }), 'https://login.example/keys');
  assert.equal(discovery({ jwks_uri: 'https://LOGIN.example:443/keys?appid=1' }), 'https://login.example/keys?appid=1');
});

for (const [name, change, reason] of [
  ['no issuer', { issuer: undefined }, /not a discovery document/],
  ['an issuer that is no text', { issuer: 7 }, /not a discovery document/],
  ['another issuer', { issuer: 'https://login.example/y/v2.0' }, /another issuer/],
  ['the issuer with a slash', { issuer: `${ISSUER.issuer}/` }, /another issuer/],
  ['the issuer in other letters', { issuer: ISSUER.issuer.toUpperCase() }, /another issuer/],
  ['the template of an issuer', { issuer: 'https://login.example/{tenantid}/v2.0' }, /another issuer/],
  ['no keys', { jwks_uri: undefined }, /not a discovery document/],
  ['keys at a path', { jwks_uri: '/keys' }, /not a discovery document/],
  ['keys on another host', { jwks_uri: 'https://keys.example/keys' }, /another host/],
  ['keys on another port', { jwks_uri: 'https://login.example:8443/keys' }, /another host/],
  ['keys on a host that starts alike', { jwks_uri: 'https://login.example.attacker.example/keys' }, /another host/],
  ['keys over http', { jwks_uri: 'http://login.example/keys' }, /another host/],
  ['keys with a user', { jwks_uri: 'https://login.example@attacker.example/keys' }, /another host/],
  ['keys with a password', { jwks_uri: 'https://a:b@login.example/keys' }, /another host/],
  ['keys in a file', { jwks_uri: 'file:///etc/passwd' }, /another host/],
  ['keys in the address itself', { jwks_uri: 'data:application/json,{"keys":[]}' }, /another host/],
] as const) {
  test(`a discovery document with ${name} is refused`, () => {
    assert.throws(() => discovery(change), reason);
  });
}

test('what is no JSON object is no discovery document', () => {
  for (const text of ['', '<html>', 'null', '[]', '7', '"x"', '{', '\u0000']) {
    assert.throws(() => readDiscovery(text, ISSUER), /not a discovery document/, text);
  }
});

test('only https, and http to this machine, may be asked', () => {
  for (const [address, expected] of [
    ['https://login.microsoftonline.com/x', true],
    ['http://127.0.0.1:7100/x', true],
    ['http://localhost/x', true],
    ['http://[::1]:1/x', true],
    ['http://login.microsoftonline.com/x', false],
    ['http://10.0.0.1/x', false],
    ['http://127.0.0.1.attacker.example/x', false],
    ['http://localhost.attacker.example/x', false],
    ['http://localhost@attacker.example/x', false],
    ['https://user@login.microsoftonline.com/x', false],
    ['ftp://127.0.0.1/x', false],
    ['file:///x', false],
  ] as const) {
    assert.equal(isAllowed(new URL(address)), expected, address);
  }
});

test('an address that may not be asked is not asked', async () => {
  await assert.rejects(fetchDocument('http://login.example/x'), /neither https nor this machine/);
  await assert.rejects(fetchDocument('file:///etc/passwd'), /neither https nor this machine/);
});

test('one byte more than 1 MiB is too much, whatever the header says', async () => {
  answer = (request, response) => {
    response.end(Buffer.alloc(request.url === '/fits' ? MIB : MIB + 1, 0x20));
  };
  assert.equal((await fetchDocument(`${base}/fits`)).text.length, MIB);
  await assert.rejects(fetchDocument(`${base}/more`), /longer than 1048576 bytes/);
});

test('a compressed document counts with what it unfolds to', async () => {
  const { gzipSync } = await import('node:zlib');
  const bomb = gzipSync(Buffer.alloc(64 * MIB, 0x20));
  assert.ok(bomb.length < MIB / 4);
  answer = (_, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb);
  };
  await assert.rejects(fetchDocument(base), /longer than 1048576 bytes/);
});

test('an endless document is left after 1 MiB', async () => {
  let stopped = false;
  answer = (_, response) => {
    const chunk = Buffer.alloc(64 * 1024, 0x20);
    const push = () => {
      while (!stopped && response.write(chunk));
    };
    response.on('drain', push).on('close', () => (stopped = true));
    push();
  };
  await assert.rejects(fetchDocument(base), /longer than 1048576 bytes/);
  while (!stopped) await new Promise(resolve => setImmediate(resolve));
});

for (const status of [201, 204, 301, 302, 307, 308, 304, 400, 404, 500]) {
  test(`an answer with status ${status} is no document`, async () => {
    answer = (_, response) => {
      response.writeHead(status, { location: `${base}/elsewhere` }).end();
    };
    await assert.rejects(fetchDocument(base), new RegExp(`answered ${status}`));
  });
}

test('a reason is one line that holds nothing of what was sent', async () => {
  answer = (_, response) => {
    response.writeHead(500, 'a\tsecret').end('secret');
  };
  await assert.rejects(fetchDocument(base), (error: Error) => {
    assert.ok(!error.message.includes('secret') && !error.message.includes('\n'), error.message);
    return true;
  });
  await assert.rejects(fetchDocument(`http://127.0.0.1:${await freePort()}/x`), /: ECONNREFUSED$/);
});

/** A key source that reads this key set, and what it logged */
async function logOf(jwks: string): Promise<{ lines: string[]; loaded: boolean }> {
  answer = (request, response) => {
    const issuer = `${base}/${TENANT_ID}/v2.0`;
    response.end(request.url?.endsWith('/keys') ? jwks : JSON.stringify({ issuer, jwks_uri: `${base}/keys` }));
  };
  const logger = new RecordingLogger();
  const core = new EntraCore({ configuration: configurationOf({ authority: base, tenantId: TENANT_ID }), logger });
  const keys = new KeySource({ core, logger });
  try {
    const loaded = await keys.load(issuerOf(core));
    return { lines: logger.complaints, loaded };
  } finally {
    keys.close();
    core.close();
  }
}

test('a key that is not used is named with the reason, the others are used', async () => {
  const { kid, n, e } = generateSigningKeySync();
  const good = { kty: 'RSA', use: 'sig', kid, n, e };
  const { lines, loaded } = await logOf(JSON.stringify({ keys: [good, { ...good, kid: 'even', e: 'Ag' }] }));
  assert.equal(loaded, true);
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? '', /"even".*`e` must be odd/);
});

test('a thousand keys that are not used are one line, not a thousand', async () => {
  const { kid, n, e } = generateSigningKeySync();
  const good = { kty: 'RSA', use: 'sig', kid, n, e };
  const bad = Array.from({ length: 999 }, (_, at) => ({ ...good, kid: `bad-${at}\n`, e: 'Ag' }));
  const { lines, loaded } = await logOf(JSON.stringify({ keys: [...bad, good] }));
  assert.equal(loaded, true);
  assert.equal(lines.length, 1, `${lines.length} lines`);
  assert.ok((lines[0] ?? '').length < 2_000 && !lines[0]?.includes('\n'));
  assert.match(lines[0] ?? '', /999/);
});

test('a hostile key set cannot fill the log with its own words', async () => {
  for (const jwks of [
    JSON.stringify({ keys: 'x'.repeat(500_000) }),
    JSON.stringify({ keys: [{ kty: 'RSA', kid: 'x', n: { ['y'.repeat(500_000)]: 1 } }] }),
    JSON.stringify({ keys: [{ kty: ['z'.repeat(500_000)] }] }),
    JSON.stringify({ keys: [{ kty: 'RSA', use: 'a\u2028\u0007\nb' }] }),
  ]) {
    const { lines, loaded } = await logOf(jwks);
    assert.equal(loaded, false);
    assert.equal(lines.length, 1);
    const [line = ''] = lines;
    assert.ok(line.length < 1_000, `${line.length} characters`);
    assert.ok(!/[\u0000-\u001f\u2028]/.test(line), 'no control characters');
  }
});
