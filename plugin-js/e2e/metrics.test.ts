/** Metrics and spans of a real backend, collected by OpenTelemetry's own SDK */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { metrics, trace } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { Client, untilReady } from '../dev/story/client';
import { startEnvironment, type Environment } from '../dev/story/environment';
import { OVERAGE_GRAPH } from '../dev/story/overageGraph';
import { people } from '../dev/tenant/people';
import { HOME_TENANT_ID } from '../dev/tenant/tenantIds';
import { REJECTION_CODES } from '../src/core';
import { DURATION, INSTRUMENTS } from '../src/telemetry/metrics';
import { TIMED_IN } from '../src/telemetry/telemetry';
import { Followed } from './support/followed';

const SCOPE = 'backstage-plugin-entra-access';
const exported = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
const spans = new InMemorySpanExporter();
// As an operator does it: before the backend starts.
const reader = new PeriodicExportingMetricReader({ exporter: exported, exportIntervalMillis: 2 ** 31 - 1 });
const meters = new MeterProvider({ readers: [reader] });
const tracers = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });

/** Where nothing is followed there are none */
const OF_ENTRA = new Set(['entra_access.entra.age', 'entra_access.entra.stale']);

let environment: Environment;
let client: Client;
before(async () => {
  metrics.setGlobalMeterProvider(meters);
  trace.setGlobalTracerProvider(tracers);
  environment = await startEnvironment({
    configure(config) {
      config.entraAccess.groups = OVERAGE_GRAPH;
    },
  });
  client = new Client(environment);
  await untilReady(client, () => environment.tenant.mintAccessToken(people.adam));
});
after(async () => {
  await environment?.stop();
  await Promise.all([meters.shutdown(), tracers.shutdown()]);
  metrics.disable();
  trace.disable();
});

type Point = { attributes: Record<string, unknown>; value: any };

/** All points of this plugin by the name of the metric */
async function collected(): Promise<Map<string, Point[]>> {
  exported.reset();
  await reader.forceFlush();
  const scopes = exported.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics);
  const all = scopes.filter(({ scope }) => scope.name === SCOPE).flatMap(({ metrics: of }) => of);
  // Those of Backstage's scheduler are of the same scope.
  const own = all.filter(({ descriptor }) => descriptor.name.startsWith('entra_access.'));
  return new Map(own.map(({ descriptor, dataPoints }) => [descriptor.name, dataPoints as Point[]]));
}

const value = (points: Map<string, Point[]>, name: string, label?: string) =>
  points.get(name)?.find(({ attributes }) => label === undefined || Object.values(attributes).includes(label))?.value;

const token = (person: Parameters<Environment['tenant']['mintAccessToken']>[0], more = {}) =>
  environment.tenant.mintAccessToken(person, more);

async function authorize(as: string, names: string[]) {
  const items = names.map(name => ({
    id: name,
    permission: { type: 'basic', name, attributes: { action: 'create' } },
  }));
  return client.call('/api/permission/authorize', as, { items });
}

test('tokens are counted by code, and decisions by result', async () => {
  const earlier = await collected();
  const validation = (points: Map<string, Point[]>, code: string) =>
    value(points, 'entra_access.token.validations', code) as number;
  const good = token(people.olivia);
  for (const each of [`${good.slice(0, -8)}AAAAAAAA`, 'x', token(people.frank), token(people.frank)]) {
    assert.equal((await client.signIn(each)).status, 401);
  }
  const olivia = await client.tokenFor(good);
  await authorize(olivia, ['a.b', 'c.d', 'e.f']);
  await authorize(await client.tokenFor(token(people.adam)), ['a.b']);
  const later = await collected();
  const more = (code: string) => validation(later, code) - validation(earlier, code);
  assert.deepEqual(
    ['signature_invalid', 'token_malformed', 'tenant_not_allowed', 'token_expired', 'other'].map(more),
    [1, 1, 2, 0, 0],
  );
  assert.ok(more('accepted') >= 2);
  const decided = (result: string) =>
    value(later, 'entra_access.decisions', result) - value(earlier, 'entra_access.decisions', result);
  assert.equal(decided('DENY'), 3);
  assert.ok(decided('ALLOW') >= 1);
});

test('ages, epochs, sessions and the audit trail are as the status says', async () => {
  const admin = await client.tokenFor(token(people.adam));
  const { body: status } = await client.call('/api/entra-access/v1/status', admin);
  const points = await collected();
  for (const name of ['entra_access.keys.age', 'entra_access.directory.age', 'entra_access.policy.age']) {
    assert.ok(value(points, name) >= 0 && value(points, name) < 600, name);
  }
  assert.equal(points.get('entra_access.keys.age')?.[0]?.attributes.issuer, status.keys[0].issuer);
  assert.equal(value(points, 'entra_access.directory.epoch'), status.directory.epoch);
  assert.equal(value(points, 'entra_access.epoch'), status.epoch);
  assert.equal(value(points, 'entra_access.sessions'), status.sessions);
  assert.equal(value(points, 'entra_access.core.available'), 1);
  assert.ok(value(points, 'entra_access.audit.recorded') > 1);
  for (const name of ['entra_access.audit.lost', 'entra_access.audit.failing']) assert.equal(value(points, name), 0);
});

test('one decision in so many is timed', async () => {
  const count = async () => {
    const points = (await collected()).get(DURATION.name) ?? [];
    return points.reduce((sum, point) => sum + point.value.count, 0);
  };
  const earlier = await count();
  const olivia = await client.tokenFor(token(people.olivia));
  for (let batch = 0; batch < 8; batch += 1) {
    await authorize(
      olivia,
      Array.from({ length: TIMED_IN }, (_, at) => `timed.n${batch}x${at}`),
    );
  }
  const timed = (await count()) - earlier;
  assert.ok(timed === 8 || timed === 9, `${timed} of ${8 * TIMED_IN}`);
});

test('throttling of Graph is counted, and for how long it lasts', async () => {
  const of = async (outcome: string) => value(await collected(), 'entra_access.graph.requests', outcome) as number;
  const [ok, throttled] = [await of('ok'), await of('throttled')];
  await client.tokenFor(token(people.otto));
  assert.ok((await of('ok')) > ok);
  Object.assign(environment.tenant.faults, { graph: 'throttled', retryAfter: 30 });
  await client.tokenFor(token(people.maxine));
  assert.ok((await of('throttled')) > throttled);
  const silence = value(await collected(), 'entra_access.graph.silence', HOME_TENANT_ID);
  assert.ok(silence > 0 && silence <= 30, String(silence));
});

test('no caller makes a series: labels are of closed sets, and hostile requests add none', async () => {
  const closed: Record<string, ReadonlySet<unknown>> = {
    code: new Set(['accepted', 'core_unavailable', 'other', ...REJECTION_CODES]),
    result: new Set(['ALLOW', 'DENY', 'CONDITIONAL', 'error']),
    outcome: new Set(['ok', 'throttled', 'failed']),
    tenant: new Set([HOME_TENANT_ID]),
    issuer: new Set(
      (await client.call('/api/entra-access/v1/status', await client.tokenFor(token(people.adam)))).body.keys.map(
        ({ issuer }: { issuer: string }) => issuer,
      ),
    ),
  };
  const names = new Set([DURATION.name, ...INSTRUMENTS.map(({ name }) => name)].filter(name => !OF_ENTRA.has(name)));
  // Which results are among the timed ones is chance.
  const series = (points: Map<string, Point[]>) =>
    [...points].filter(([name]) => name !== DURATION.name).flatMap(([, each]) => each).length;
  const earlier = await collected();
  assert.deepEqual(new Set(earlier.keys()), names);
  const olivia = await client.tokenFor(token(people.olivia));
  for (let at = 0; at < 40; at += 1) {
    await client.signIn(token(people.olivia, { header: { kid: `made-up-${at}` } }));
    await client.signIn(token(people.olivia, { claims: { iss: `https://issuer-${at}.example`, tid: `t${at}` } }));
    await authorize(olivia, [`made.up${at}`, `more.n${at}`]);
    await client.explain(olivia, `catalog.entity.n${at}`, `component:default/n${at}`);
  }
  const later = await collected();
  assert.deepEqual(new Set(later.keys()), names);
  assert.equal(series(later), series(earlier));
  for (const [name, points] of later) {
    for (const [label, labelled] of points.flatMap(({ attributes }) => Object.entries(attributes))) {
      assert.ok(closed[label]?.has(labelled), `${name}: ${label}=${String(labelled)}`);
    }
  }
});

test('what takes long has spans', async () => {
  const names = new Set(spans.getFinishedSpans().map(({ name }) => name));
  for (const name of ['entra_access.directory.refresh', 'entra_access.audit.write']) assert.ok(names.has(name), name);
  const text = JSON.stringify(spans.getFinishedSpans().map(({ attributes, events }) => [attributes, events]));
  assert.ok(!text.includes(people.olivia.oid));
});

test('where Entra is followed, how old each tenant is and whether that is too old', async () => {
  // Two backends of one process would measure the same metrics.
  await environment.stop();
  const followed = new Followed();
  environment = await startEnvironment({
    configure(config) {
      config.entraAccess.groups = followed.groups(config.backend.baseUrl);
    },
    features: [followed.feature],
  });
  await followed.ready(environment);
  const ofEntra = async () => {
    const points = await collected();
    return [...OF_ENTRA].map(name => {
      const [point, ...more] = points.get(name) ?? [];
      assert.deepEqual([point?.attributes, more], [{ tenant: HOME_TENANT_ID }, []], name);
      return point?.value as number;
    });
  };
  const [age = -1, stale] = await ofEntra();
  assert.ok(age >= 0 && age < 120, String(age));
  assert.equal(stale, 0);
  followed.completedAt(Math.floor(Date.now() / 1000) - 1_000);
  const [older = -1, tooOld] = await ofEntra();
  assert.ok(older >= 1_000 && older < 1_600, String(older));
  assert.equal(tooOld, 1);
});
