import type { HttpAuthService } from '@backstage/backend-plugin-api';
import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { AuthorizeResult } from '@backstage/plugin-permission-common';
import express from 'express';
import { people } from '../../dev/tenant/people';
import { startTenant } from '../../dev/tenant/server';
import type { Tenant } from '../../dev/tenant/tenant';
import { configurationOf, POLICY } from '../../e2e/support/core';
import { RecordingLogger } from '../../e2e/support/logger';
import type { Inspection } from '../core';
import { EntraAccess } from '../service/entraAccess';
import { Questions, type QuestionsOptions } from './questions';
import { callerLimits } from './callerLimit';
import { createRouter, type RouterOptions } from './router';

let tenant: Tenant;
before(async () => {
  tenant = await startTenant();
});
after(() => tenant.close());

/** Asks the inspector of a process that has just started and has no keys yet */
async function inspectFresh(tokens: string[]): Promise<{ inspections: Inspection[]; principals: number }> {
  const configuration = { json: configurationOf(tenant), policy: { json: POLICY, place: 'policy' } };
  const entraAccess = new EntraAccess(configuration, new RecordingLogger());
  const credentials = async () => ({ principal: { type: 'service' } });
  const httpAuth = { credentials } as unknown as HttpAuthService;
  const options = {
    entraAccess,
    questions: new Questions({ entraAccess } as QuestionsOptions),
    limits: callerLimits(entraAccess.limits, httpAuth),
    httpAuth,
    permissions: { authorize: async () => [{ result: AuthorizeResult.ALLOW }] },
  } as unknown as RouterOptions;
  const server = express().use(createRouter(options)).listen(0);
  try {
    const { port } = server.address() as AddressInfo;
    const inspections: Inspection[] = [];
    for (const token of tokens) {
      const response = await fetch(`http://127.0.0.1:${port}/v1/tokens/inspect`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ token }),
      });
      inspections.push((await response.json()) as Inspection);
    }
    return { inspections, principals: entraAccess.core.principals };
  } finally {
    server.close();
    server.closeAllConnections();
    entraAccess.close();
  }
}

test('the inspector fetches the keys that it needs: a good token is accepted on a fresh start', async () => {
  const v1 = tenant.mintAccessToken(people.olivia, {
    version: '1.0',
    claims: { aud: '6d2f8a94-1b7c-4e50-9f3d-c84a0e5b7126' },
  });
  const { inspections, principals } = await inspectFresh([v1, tenant.mintAccessToken(people.olivia)]);
  assert.deepEqual(
    inspections.map(({ verdict, code }) => [verdict, code]),
    [
      ['accepted', undefined],
      ['accepted', undefined],
    ],
  );
  assert.equal(principals, 0, 'who is only looked at is not taken in');
});

test('a key that nobody publishes stays unknown to the inspector', async () => {
  const madeUp = tenant.mintAccessToken(people.olivia, { header: { kid: 'made-up' } });
  const { inspections } = await inspectFresh([madeUp, madeUp]);
  assert.deepEqual(
    inspections.map(({ code }) => code),
    ['key_unknown', 'key_unknown'],
  );
});
