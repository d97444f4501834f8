import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ConfigReader } from '@backstage/config';
import { backstageApi, workloads } from '../../dev/tenant/applications';
import { HOME_TENANT_ID } from '../../dev/tenant/tenantIds';
import { RecordingLogger } from '../../e2e/support/logger';
import { ConfigurationError } from '../core';
import { readConfiguration } from '../service/configuration';
import { EntraAccess } from '../service/entraAccess';

const SECRET = 'q1~S3cr3t.Value-of_the8Q~reader';
const { clientId } = workloads.groupReader;

let folder: string;
let argv: string[];
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'entra-access-graph-'));
  argv = ['--config', join(folder, 'app-config.yaml')];
  writeFileSync(join(folder, 'reader.pem'), 'a certificate, which is read when it is needed');
});
after(() => rmSync(folder, { recursive: true, force: true }));

function read(graph: unknown, overage: unknown = 'graph') {
  const entraAccess = {
    tenants: [{ tenantId: HOME_TENANT_ID, audiences: [backstageApi.clientId] }],
    groups: { overage, graph },
    policy: { rules: [] },
  };
  return readConfiguration(new ConfigReader({ entraAccess } as never), argv);
}

/** The message with which the backend does not start */
function refused(graph: unknown, overage?: unknown): string {
  try {
    const configuration = read(graph, overage);
    assert.ok(!configuration.json.includes('S3cr3t') && !configuration.json.includes('31337'), configuration.json);
    new EntraAccess(configuration, new RecordingLogger()).close();
  } catch (error) {
    assert.ok(error instanceof ConfigurationError, String(error));
    assert.doesNotMatch(error.message, /S3cr3t|31337/);
    return error.message;
  }
  return assert.fail('it was accepted');
}

test('credentials are read, and none of them reaches the core', () => {
  for (const [graph, settings] of [
    [
      { clientId, clientSecret: SECRET },
      { kind: 'secret', clientId, secret: SECRET },
    ],
    [
      { clientId, certificate: 'reader.pem' },
      { kind: 'certificate', clientId, path: join(folder, 'reader.pem') },
    ],
    [{ managedIdentity: true }, { kind: 'managedIdentity' }],
    [
      { clientId, managedIdentity: true },
      { kind: 'managedIdentity', clientId },
    ],
    [{ managedIdentity: { clientId } }, { kind: 'managedIdentity', clientId }],
  ]) {
    const configuration = read(graph);
    assert.deepEqual(configuration.graph, settings);
    assert.ok(!configuration.json.includes(SECRET));
    const entraAccess = new EntraAccess(configuration, new RecordingLogger());
    assert.deepEqual(entraAccess.graph, [
      {
        tenant: HOME_TENANT_ID,
        state: 'idle',
        lastSuccess: undefined,
        error: undefined,
        directoryRoles: { count: undefined, error: undefined },
      },
    ]);
    entraAccess.close();
  }
});

test('without Graph nothing is read and nobody is asked', () => {
  const configuration = readConfiguration(new ConfigReader({ entraAccess: { policy: { rules: [] } } } as never), argv);
  assert.equal(configuration.graph, undefined);
});

test('each mistake is an error with its place, and without the secret', () => {
  for (const [graph, says] of [
    [
      { clientId },
      /^entraAccess\.groups\.graph: there are no credentials \(.*; an environment variable that is not set gives none\)/,
    ],
    [{ clientId, clientSecret: SECRET, managedIdentity: true }, /^entraAccess\.groups\.graph: there are several/],
    [{ clientId, clientSecret: 31337 }, /^entraAccess\.groups\.graph\.clientSecret: .*a text in quotes/],
    [{ clientId, clientSecret: '' }, /^entraAccess\.groups\.graph\.clientSecret: .*a text in quotes/],
    [{ clientId, clientSecret: { $env: SECRET } }, /^entraAccess\.groups\.graph\.clientSecret: .*a text in quotes/],
    [
      { clientId: SECRET, clientSecret: clientId },
      /^entraAccess\.groups\.graph\.clientId: `\(not shown\)` is not a GUID/,
    ],
    [{ clientId, secret: SECRET }, /^entraAccess\.groups\.graph\.secret: unknown field `secret`/],
    [{ managedIdentity: { clientId: SECRET } }, /\.managedIdentity\.clientId: `\(not shown\)` is not a GUID/],
    [{ managedIdentity: SECRET }, /\.managedIdentity: invalid type: a string, expected `true`, or the `clientId`/],
    [[SECRET], /^entraAccess\.groups\.graph/],
    [SECRET, /^entraAccess\.groups\.graph/],
    [{ clientId, certificate: 'none.pem' }, /^entraAccess\.groups\.graph\.certificate: there is no such file \(looked/],
    [{ clientId, certificate: `-----BEGIN ${SECRET}` }, /certificate: this is the path of a PEM file, not its content/],
  ] as Array<[unknown, RegExp]>) {
    assert.match(refused(graph), says);
  }
  assert.match(refused({ clientId, clientSecret: SECRET }, 'unknown'), /nothing uses these credentials/);
  assert.match(refused(undefined), /^entraAccess\.groups\.graph: the section is missing/);
});
