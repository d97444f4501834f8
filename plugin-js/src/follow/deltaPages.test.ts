import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accountEntries } from '../core';
import { GraphError } from '../graph/graphError';
import { readUsers } from './deltaPages';

const id = '5b9d0f63-27e4-4a8c-91f5-0c3e6d8a7b21';
const page = (time: string) => ({ value: [{ id, signInSessionsValidFromDateTime: time }] });

test('a time that the page reader takes is one that every replica can read, and no other one is taken', () => {
  for (const time of ['2026-11-28T11:26:32Z', '2026-11-28T11:26:32.1234567Z', '0001-01-01T00:00:00Z'])
    assert.doesNotThrow(() => accountEntries(readUsers(page(time))), time);
  for (const time of [
    '2026-13-28T11:26:32Z',
    '2026-11-28T24:30:00Z',
    '2026-12-31T23:59:60Z',
    '2026-11-28T11:26:32+01:00',
    '2026-11-28',
    '',
  ])
    assert.throws(
      () => readUsers(page(time)),
      (error: Error) =>
        error instanceof GraphError &&
        error.message.includes('`value.signInSessionsValidFromDateTime` has another form'),
      time,
    );
});
