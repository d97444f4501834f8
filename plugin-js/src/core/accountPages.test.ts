import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAccounts } from './accountPages';

const ID = '5b9d0f63-27e4-4a8c-91f5-0c3e6d8a7b21';
const page = (value: unknown, more: object = {}) => Buffer.from(JSON.stringify({ value, ...more }));

/** Id, valid-from and the rest of each entry */
function entries(text: Uint8Array): Array<[string, number, number]> {
  const outcome = readAccounts(text);
  assert.ok(outcome.ok, JSON.stringify(outcome));
  const all = Buffer.from(outcome.value.entries);
  return Array.from({ length: all.length / 24 }, (_, at) => {
    const entry = all.subarray(at * 24, at * 24 + 24);
    return [entry.toString('hex', 0, 16), entry.readUInt32BE(16), entry.readUInt32BE(20)];
  });
}

test('what Graph says of an account is read, and what it leaves out is not said', () => {
  const hex = ID.replaceAll('-', '');
  const at = '2026-11-28T11:26:32Z';
  const seconds = Date.parse(at) / 1000;
  for (const [user, validFrom, says] of [
    [{}, 0, 0],
    [{ accountEnabled: true }, 0, 1],
    [{ accountEnabled: false }, 0, 2],
    [{ accountEnabled: null, signInSessionsValidFromDateTime: null }, 0, 0],
    [{ '@removed': { reason: 'changed' } }, 0, 4],
    [{ '@removed': { reason: 'deleted' }, accountEnabled: true }, 0, 5],
    [{ signInSessionsValidFromDateTime: at }, seconds, 0],
    [{ signInSessionsValidFromDateTime: at.replace('Z', '.0000000Z') }, seconds, 0],
    [{ signInSessionsValidFromDateTime: at.replace('Z', '.0000001Z') }, seconds + 1, 0],
    [{ signInSessionsValidFromDateTime: '0001-01-01T00:00:00Z' }, 0, 0],
    [{ signInSessionsValidFromDateTime: '9999-12-31T23:59:59Z' }, 0xffff_ffff, 0],
    [{ displayName: 'Olivia', '@odata.type': '#microsoft.graph.user' }, 0, 0],
  ] as const) {
    assert.deepEqual(
      entries(page([{ id: ID.toUpperCase(), ...user }])),
      [[hex, validFrom, says]],
      JSON.stringify(user),
    );
  }
  assert.deepEqual(entries(page([])), []);
});

test('the links of a page are handed on', () => {
  const links = { '@odata.nextLink': 'https://graph.example/next', '@odata.deltaLink': 'https://graph.example/delta' };
  const outcome = readAccounts(page([], links));
  assert.ok(outcome.ok);
  assert.deepEqual([outcome.value.next, outcome.value.delta], Object.values(links));
});

test('what is none is no page, and nothing of it is repeated', () => {
  for (const bad of [
    Buffer.from(''),
    Buffer.from('{"value":[]'),
    Buffer.from([0x7b, 0xff, 0x7d]),
    Buffer.from('[]'),
    Buffer.from('{}'),
    Buffer.from('{"error":{"code":"secret"}}'),
    page({}),
    page([null]),
    page(['secret']),
    page([{}]),
    page([{ id: 'secret' }]),
    page([{ id: `${ID}0` }]),
    page([{ id: ID, accountEnabled: 'false' }]),
    page([{ id: ID, accountEnabled: 0 }]),
    page([{ id: ID, signInSessionsValidFromDateTime: 'secret' }]),
    page([{ id: ID, signInSessionsValidFromDateTime: 1_800_000_000 }]),
    page([{ id: ID, signInSessionsValidFromDateTime: '2026-11-28T11:26:32' }]),
    page([{ id: ID, signInSessionsValidFromDateTime: '2026-13-28T11:26:32Z' }]),
    page([{ id: ID, signInSessionsValidFromDateTime: '2026-11-28T11:26:32+01:00' }]),
    page([], { '@odata.nextLink': 7 }),
  ]) {
    const outcome = readAccounts(bad);
    assert.ok(!outcome.ok, bad.toString());
    assert.match(outcome.error, /^the page is not one of \/users\/delta: /);
    assert.doesNotMatch(outcome.error, /secret/);
  }
});
