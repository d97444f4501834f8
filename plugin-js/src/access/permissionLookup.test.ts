import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import type { AuthService, DiscoveryService } from '@backstage/backend-plugin-api';
import { freePort } from '../../dev/freePort';
import { PermissionLookup } from './permissionLookup';

const auth = {
  getOwnServiceCredentials: async () => ({}),
  getPluginRequestToken: async () => ({ token: 'x' }),
} as unknown as AuthService;

const lookupAt = (port: number) =>
  new PermissionLookup({
    auth,
    discovery: { getBaseUrl: async () => `http://127.0.0.1:${port}` } as unknown as DiscoveryService,
  });

test('a plugin that is away, or fails, is no reason to say that there is no such permission', async () => {
  const port = await freePort();
  await assert.rejects(lookupAt(port).find('catalog.entity.read'), { code: 'plugin_unavailable' });
  let status = 500;
  const server = createServer((_request, response) => response.writeHead(status).end()).listen(port, '127.0.0.1');
  try {
    await assert.rejects(lookupAt(port).find('catalog.entity.read'), { code: 'plugin_unavailable' });
    status = 404;
    await assert.rejects(lookupAt(port).find('catalog.entity.read'), { code: 'permission_unknown' });
  } finally {
    server.close();
    server.closeAllConnections();
  }
});
