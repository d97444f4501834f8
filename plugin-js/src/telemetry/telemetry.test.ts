import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MetricsServiceHistogram, TracingService } from '@backstage/backend-plugin-api/alpha';
import { AuthorizeResult } from '@backstage/plugin-permission-common';
import { Counts } from './counts';
import { Telemetry, TIMED_IN } from './telemetry';

const ALLOW = { result: AuthorizeResult.ALLOW } as const;

test('what is of no set counts as other, however many names there are', () => {
  const counts = new Counts(['a', 'b']);
  for (const name of ['a', 'b', 'a', 'x', 'y', '__proto__']) counts.add(name as 'a');
  assert.deepEqual(
    [...counts.entries],
    [
      ['a', 2],
      ['b', 1],
      ['other', 3],
    ],
  );
});

test('one decision in so many is timed, and only while somebody looks', async () => {
  const telemetry = new Telemetry();
  const due = () => Array.from({ length: 3 * TIMED_IN }, () => telemetry.due()).filter(Boolean).length;
  assert.equal(due(), 0);
  const recorded: Array<[number, unknown]> = [];
  const histogram = { record: (value: number, labels: unknown) => recorded.push([value, labels]) };
  telemetry.attach(histogram as MetricsServiceHistogram, undefined);
  assert.equal(due(), 3);
  assert.equal(await telemetry.timed(async () => ALLOW), ALLOW);
  await assert.rejects(
    telemetry.timed(async () => Promise.reject(new Error('no'))),
    /no/,
  );
  assert.deepEqual(
    recorded.map(([, labels]) => labels),
    [{ result: 'ALLOW' }, { result: 'error' }],
  );
  assert.ok(recorded.every(([seconds]) => seconds >= 0));
  telemetry.attach(undefined, undefined);
  assert.equal(due(), 0);
});

test('a span has the code of an error and nothing of its message, and the caller has the error itself', async () => {
  const telemetry = new Telemetry();
  const said: unknown[] = [];
  const span = {
    setAttribute: (...all: unknown[]) => said.push(all),
    setStatus: (status: object) => said.push(status),
  };
  const tracing = {
    async startActiveSpan(name: string, work: (of: typeof span) => Promise<unknown>) {
      said.push(name);
      return work(span);
    },
  };
  telemetry.attach(undefined, tracing as unknown as TracingService);
  assert.equal(await telemetry.span('good', async () => 7), 7);
  for (const [error, type] of [
    [Object.assign(new Error("insert into x values ('secret')"), { code: 'ECONNRESET' }), 'ECONNRESET'],
    [new TypeError('secret'), 'TypeError'],
    [Object.assign(new Error('secret'), { code: 'secret and more', name: 'also secret' }), 'Error'],
  ] as const) {
    said.length = 0;
    const failing = telemetry.span('bad', () => Promise.reject(error));
    await assert.rejects(failing, (thrown: unknown) => thrown === error);
    assert.deepEqual(said, ['bad', ['error.type', type], { code: 'error' }]);
  }
});
