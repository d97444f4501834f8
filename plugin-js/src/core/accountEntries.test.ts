import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accountEntries, joinedEntries, type AccountInput } from './accountEntries';

const ID = '5b9d0f63-27e4-4a8c-91f5-0c3e6d8a7b21';

/** Id, valid-from and the rest of each entry */
function read(accounts: AccountInput[]): Array<[string, number, number]> {
  const all = Buffer.from(accountEntries(accounts));
  return Array.from({ length: all.length / 24 }, (_, at) => {
    const entry = all.subarray(at * 24, at * 24 + 24);
    return [entry.toString('hex', 0, 16), entry.readUInt32BE(16), entry.readUInt32BE(20)];
  });
}

test('what is said of an account is written, and what is left out is not said', () => {
  const hex = ID.replaceAll('-', '');
  const at = '2026-11-28T11:26:32Z';
  const seconds = Date.parse(at) / 1000;
  for (const [said, validFrom, says] of [
    [{}, 0, 0],
    [{ enabled: true }, 0, 1],
    [{ enabled: false }, 0, 2],
    [{ enabled: null, validFrom: null, removed: null }, 0, 0],
    [{ removed: 'changed' }, 0, 4],
    [{ removed: 'deleted', enabled: true }, 0, 5],
    [{ validFrom: at }, seconds, 0],
    [{ validFrom: at.replace('Z', '.0000000Z') }, seconds, 0],
    [{ validFrom: at.replace('Z', '.0000001Z') }, seconds + 1, 0],
    [{ validFrom: '0001-01-01T00:00:00Z' }, 0, 0],
    [{ validFrom: '9999-12-31T23:59:59Z' }, 0xffff_ffff, 0],
  ] as const) {
    assert.deepEqual(read([{ id: ID.toUpperCase(), ...said }]), [[hex, validFrom, says]], JSON.stringify(said));
  }
  assert.deepEqual(read([]), []);
  assert.deepEqual(
    read([{ id: ID }, { id: ID, enabled: false }]).map(([, , says]) => says),
    [0, 2],
  );
});

test('what is none is refused, and nothing of it is repeated', () => {
  for (const bad of [
    { id: 'secret' },
    { id: `${ID}0` },
    { id: ID, validFrom: 'secret' },
    { id: ID, validFrom: '2026-11-28T11:26:32' },
    { id: ID, validFrom: '2026-13-28T11:26:32Z' },
    { id: ID, validFrom: '2026-11-28T11:26:32+01:00' },
  ]) {
    assert.throws(
      () => accountEntries([bad]),
      (error: Error) => error instanceof TypeError && !/secret/.test(error.message),
    );
  }
});

test('joined, entries say of each account once what they say one after the other', () => {
  const other = ID.replace('5b9d', '5b9e');
  const at = (second: number) => new Date(second * 1000).toISOString();
  const told: AccountInput[][] = [
    [{ id: ID, enabled: false, validFrom: at(90) }, { id: other }],
    [{ id: ID, removed: 'deleted', validFrom: at(30) }],
    [
      { id: other, enabled: true },
      { id: other, validFrom: at(5), removed: 'deleted' },
    ],
    [{ id: ID, validFrom: at(80) }],
  ];
  const parts = told.map(accountEntries);
  const before = parts.map(part => Buffer.from(part));
  const joined = joinedEntries(parts);
  const expected = accountEntries([
    { id: ID, enabled: false, validFrom: at(90) },
    { id: other, enabled: true, validFrom: at(5), removed: 'deleted' },
  ]);
  assert.deepEqual(Buffer.from(joined), Buffer.from(expected));
  assert.deepEqual(
    parts.map(part => Buffer.from(part)),
    before,
    'what was told is as it was',
  );
  assert.equal(joinedEntries([]).length, 0);
});
