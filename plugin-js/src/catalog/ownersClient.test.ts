import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import type { OwnersAnswer } from '../service/ownersQuestion';
import { ownersClient } from './ownersClient';

const QUESTION = { principal: 'user:default/olivia', epoch: 2, session: 3, until: 0 };
const ANSWER: OwnersAnswer = {
  ...{ state: 'signedIn', epoch: 2, session: 3, expiresAt: 9, version: 'v' },
  owning: ['group:default/payments'],
  possible: null,
};

/** What the other backend was asked, and what it does */
let asked: Array<{ url?: string; authorization?: string; body: unknown }>;
let reply: (response: ServerResponse) => void;
let server: Server;
before(async () => {
  server = createServer((request, response) => void take(request).then(() => reply(response)));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
});
after(() => {
  server.close();
  server.closeAllConnections();
});

async function take(request: IncomingMessage): Promise<void> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  asked.push({ url: request.url, authorization: request.headers.authorization, body: JSON.parse(text || 'null') });
}

const json =
  (body: unknown, status = 200) =>
  (response: ServerResponse) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

function ask(then: typeof reply, options: { answerMs?: number; token?: () => Promise<{ token: string }> } = {}) {
  asked = [];
  reply = then;
  const { port } = server.address() as AddressInfo;
  const auth = {
    getOwnServiceCredentials: async () => ({ $$type: '@backstage/BackstageCredentials' as const, principal: 'me' }),
    async getPluginRequestToken({ onBehalfOf, targetPluginId }: { onBehalfOf: unknown; targetPluginId: string }) {
      assert.equal((onBehalfOf as { principal: string }).principal, 'me');
      return options.token ? options.token() : { token: `for ${targetPluginId}` };
    },
  } as never;
  const discovery = { getBaseUrl: async (pluginId: string) => `http://127.0.0.1:${port}/api/${pluginId}` };
  return ownersClient({ auth, discovery, answerMs: options.answerMs })(QUESTION);
}

test('asks the plugin as the service that it is', async () => {
  assert.deepEqual(await ask(json(ANSWER)), ANSWER);
  const url = '/api/entra-access/v1/internal/owners';
  assert.deepEqual(asked, [{ url, authorization: 'Bearer for entra-access', body: QUESTION }]);
});

test('what a later version says beside it is left out', async () => {
  assert.deepEqual(await ask(json({ ...ANSWER, more: 1 })), ANSWER);
});

for (const [what, then, reason] of [
  ['a refusal', json({ error: { message: 'secret' } }, 403), /^Error: it answers 403$/],
  ['an outage', json({}, 503), /^Error: it answers 503$/],
  ['what is no JSON', response => response.end('<html>secret</html>'), /^Error: its answer is not one that this/],
  ['another shape', json({ ...ANSWER, owning: undefined }), /^Error: its answer is not one that this version/],
  ['numbers that are none', json({ ...ANSWER, epoch: -1 }), /^Error: its answer is not one that this version/],
  ['more than is read', response => response.end(' '.repeat(9 * 1024 * 1024)), /^RangeError: longer than/],
  [
    'another address',
    response => response.writeHead(307, { location: '/elsewhere' }).end(),
    /^TypeError: fetch failed/,
  ],
  ['an end', response => response.destroy(), /^TypeError: fetch failed/],
] as Array<[string, typeof reply, RegExp]>) {
  test(`${what} is a failure that tells nothing of what was answered`, async () => {
    await assert.rejects(ask(then), reason);
    assert.equal(asked.length, 1);
  });
}

test('an answer that does not come is waited for so long and no longer', async () => {
  await assert.rejects(
    ask(() => undefined, { answerMs: 200 }),
    { name: 'TimeoutError' },
  );
  const stuck = (response: ServerResponse) => void response.writeHead(200).write('{');
  await assert.rejects(ask(stuck, { answerMs: 200 }), { name: 'TimeoutError' });
  await assert.rejects(ask(json(ANSWER), { answerMs: 200, token: () => new Promise(() => undefined) }), {
    name: 'TimeoutError',
  });
});
