/** `@azure/identity` as it is, against the simulated tenant behind https. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { generateKeyPairSync, createPrivateKey } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { workloads } from '../../dev/tenant/applications';
import { selfSignedCertificate } from '../../dev/tenant/certificate';
import { startTenant } from '../../dev/tenant/server';
import type { Tenant } from '../../dev/tenant/tenant';
import { graphOf } from '../../e2e/support/graph';
import type { GraphSettings } from './settings';

const ROOT = join(__dirname, '../../..');
const { clientId, secret } = workloads.groupReader;

let tenant: Tenant;
let server: Server;
let folder: string;
/** What the token endpoint was sent */
let forms: URLSearchParams[] = [];
/** Everything that was asked here */
let paths: string[] = [];
before(async () => {
  tenant = await startTenant();
  folder = mkdtempSync(join(tmpdir(), 'entra-access-azure-'));
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const certificate = selfSignedCertificate(createPrivateKey(privateKey), 'localhost').toString('base64');
  const pem = `-----BEGIN CERTIFICATE-----\n${certificate.replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
  writeFileSync(join(folder, 'ca.pem'), pem);
  writeFileSync(join(folder, 'reader.pem'), privateKey + pem);
  server = createServer({ key: privateKey, cert: pem }, (incoming, response) => {
    void forward(incoming).then(({ status, text }) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(text),
    );
  });
  await new Promise<void>(resolve => server.listen(0, 'localhost', resolve));
});
after(async () => {
  server.closeAllConnections();
  await new Promise(resolve => server.close(resolve));
  await tenant.close();
  rmSync(folder, { recursive: true, force: true });
});

const authority = () => `https://localhost:${(server.address() as AddressInfo).port}`;

async function forward(incoming: IncomingMessage): Promise<{ status: number; text: string }> {
  const body = await textOf(incoming);
  paths.push(new URL(incoming.url ?? '', authority()).pathname);
  if (incoming.method === 'POST') forms.push(new URLSearchParams(body));
  return new Promise((resolve, reject) => {
    const { url: path, method, headers } = incoming;
    const upstream = request({ host: '127.0.0.1', port: tenant.port, path, method, headers }, answer => {
      const { statusCode: status = 500 } = answer;
      textOf(answer).then(text => resolve({ status, text: text.replaceAll(tenant.authority, authority()) }), reject);
    });
    upstream.once('error', reject).end(body);
  });
}

async function textOf(stream: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of stream.setEncoding('utf8')) text += chunk;
  return text;
}

async function ask(settings: GraphSettings): Promise<{ token?: string; error?: string }> {
  [forms, paths] = [[], []];
  const question = JSON.stringify({ settings, tenant: { ...graphOf(tenant), authority: authority() } });
  const env: NodeJS.ProcessEnv = { ...process.env, NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem') };
  // The test runner's own mark would make the child one of its tests.
  delete env.NODE_TEST_CONTEXT;
  const script = join(ROOT, 'plugin-js/e2e/support/askForToken.ts');
  const child = await promisify(execFile)(process.execPath, ['--import', 'tsx', script, question], { cwd: ROOT, env });
  return JSON.parse(child.stdout);
}

test('a secret: the token comes from the configured cloud', async () => {
  const { token, error } = await ask({ kind: 'secret', clientId, secret });
  assert.match(token ?? '', /^eyJ/, error);
  assert.deepEqual(
    forms.map(form => [form.get('client_id'), form.get('scope')]),
    [[clientId, `${graphOf(tenant).graph}/.default`]],
  );
  assert.ok(
    paths.every(path => path.startsWith(`/${tenant.tenantId}/`)),
    paths.join(),
  );
});

test('a wrong secret is named by the number of its error, and not repeated', async () => {
  const { error } = await ask({ kind: 'secret', clientId, secret: 'A-Wr0ng-Secret' });
  assert.equal(error, 'there is no token for Microsoft Graph: Entra ID answered AADSTS7000215');
});

test('a certificate: a signed assertion is sent and no secret', async () => {
  const { error } = await ask({ kind: 'certificate', clientId, path: join(folder, 'reader.pem') });
  // The simulated endpoint takes secrets only.
  assert.equal(error, 'there is no token for Microsoft Graph: Entra ID answered AADSTS7000218');
  assert.equal(forms[0]?.get('client_secret'), null);
  assert.match(forms[0]?.get('client_assertion') ?? '', /^[\w-]+\.[\w-]+\.[\w-]+$/);
});
