import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EntraCore } from '../core';
import { warnOfNoProvider } from './module';

type Issuer = EntraCore['issuers'][number];

const ENTRA: Issuer = {
  index: 0,
  id: 'entra-v2:x',
  issuer: 'https://login.example/x/v2.0',
  discoveryUrl: 'https://login.example/x/v2.0/.well-known/openid-configuration',
  tenantId: 'x',
  authority: 'https://login.example',
  graph: '',
};
const GITLAB: Issuer = { ...ENTRA, index: 1, id: 'pipeline:gitlab', tenantId: '', authority: '', pipeline: 'gitlab' };

function warnings(directCalls: boolean, issuers: Issuer[]): string[] {
  const said: string[] = [];
  warnOfNoProvider({ directCalls, issuers }, { warn: message => void said.push(message) });
  return said;
}

test('without the provider the log says who is refused for it, and what to write', () => {
  for (const [directCalls, issuers, says] of [
    [
      true,
      [ENTRA],
      /^auth\.providers\.entra is missing, so direct calls are refused \(.*\{\}`, or switch direct calls off/,
    ],
    [
      true,
      [ENTRA, GITLAB],
      /so direct calls and jobs of pipelines are refused \(add `auth\.providers\.entra: \{\}`\)$/,
    ],
    [false, [ENTRA, GITLAB], /so jobs of pipelines are refused \(add `auth\.providers\.entra: \{\}`\)$/],
  ] as Array<[boolean, Issuer[], RegExp]>) {
    const [message = '', ...more] = warnings(directCalls, issuers);
    assert.match(message, says);
    assert.deepEqual(more, []);
  }
});

test('nobody needs the provider where direct calls are off and there is no pipeline', () => {
  assert.deepEqual(warnings(false, [ENTRA]), []);
});
