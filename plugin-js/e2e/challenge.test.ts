/** Claims challenges over HTTP: a direct call that a stronger sign-in would let through is told which one */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client, untilReady } from '../dev/story/client';
import { startEnvironment, type Environment } from '../dev/story/environment';
import { groups, people } from '../dev/tenant/people';
import claimsChallengesServiceFactory from '../src/challenge';
import { entraPermissionsServiceFactory } from '../src/inProcess';
import './support/conforms';

const USERS = [{ user: `${people.olivia.tenantId}/${people.olivia.oid}` }];
const RULES = [
  { id: 'admins', effect: 'allow', permissions: ['*'], principals: [{ group: groups.platformAdmins.id }] },
  { id: 'reads', effect: 'allow', permissions: ['catalog.entity.read', 'entra-access.decision.explain'] },
  {
    id: 'strong',
    effect: 'allow',
    permissions: ['catalog.entity.refresh'],
    principals: USERS,
    requires: { authContext: 'c1' },
  },
  {
    id: 'inspects',
    effect: 'allow',
    permissions: ['entra-access.token.inspect'],
    principals: USERS,
    requires: { authContext: 'c7' },
  },
  {
    id: 'recent',
    effect: 'allow',
    permissions: ['entra-access.status.read'],
    principals: USERS,
    requires: { signedInWithin: '5m' },
  },
];
const CAPABLE = { xms_cc: ['cp1'] };
const claims = (value: string) => ({ access_token: { acrs: { essential: true, value } } });

let environment: Environment;
let client: Client;
before(async () => {
  environment = await startEnvironment({
    configure(config) {
      config.entraAccess.policy = { rules: RULES };
    },
    features: [entraPermissionsServiceFactory, claimsChallengesServiceFactory],
  });
  client = new Client(environment);
  await untilReady(client, () => environment.tenant.mintAccessToken(people.adam));
});
after(() => environment?.stop());

const olivia = (more: object) => environment.tenant.mintAccessToken(people.olivia, { claims: { ...more } });
const dana = () => environment.tenant.mintAccessToken(people.dana, { claims: CAPABLE });

async function ask(path: string, token: string, body?: object, headers?: Record<string, string>) {
  const response = await fetch(`${environment.backendUrl}${path}`, {
    method: body ? 'POST' : 'GET',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    body: body && JSON.stringify(body),
  });
  const text = await response.text();
  const json: any = text.startsWith('{') ? JSON.parse(text) : undefined;
  return { status: response.status, challenge: response.headers.get('www-authenticate'), body: json };
}
const refresh = (token: string) => ask('/api/catalog/refresh', token, { entityRef: 'component:default/payments-api' });
const inspect = (token: string) => ask('/api/entra-access/v1/tokens/inspect', token, { token: 'x' });

/** The parameters of a challenge, each of which may be there once */
function parametersOf(challenge: string | null): Record<string, string> {
  assert.match(challenge ?? '', /^Bearer (?:[a-z_]+="[^"]*"(?:, |$))+$/);
  const pairs = [...challenge!.matchAll(/([a-z_]+)="([^"]*)"/g)].map(([, name, value]) => [name!, value!]);
  assert.equal(new Set(pairs.map(([name]) => name)).size, pairs.length);
  return Object.fromEntries(pairs);
}

test('a plugin’s refusal becomes the challenge that Entra’s libraries understand', async () => {
  const { status, challenge, body } = await refresh(olivia(CAPABLE));
  assert.equal(status, 401);
  const { claims: encoded, ...parameters } = parametersOf(challenge);
  const { tenantId } = people.olivia;
  assert.deepEqual(parameters, {
    realm: tenantId,
    authorization_uri: `${environment.tenant.authority}/${tenantId}/oauth2/v2.0/authorize`,
    error: 'insufficient_claims',
  });
  assert.deepEqual(JSON.parse(Buffer.from(encoded!, 'base64').toString()), claims('c1'));
  assert.deepEqual(
    [body.error.name, body.error.code, body.response.statusCode],
    ['AuthenticationError', 'step_up_required', 401],
  );
});

test('so does a refusal of our own routes', async () => {
  const { status, challenge, body } = await inspect(olivia({ xms_cc: ['CP1'] }));
  assert.equal(status, 401);
  const { claims: encoded } = parametersOf(challenge);
  assert.deepEqual(JSON.parse(Buffer.from(encoded!, 'base64').toString()), claims('c7'));
  assert.equal(body.error.code, 'step_up_required');
  assert.match(body.error.message, /token\.inspect needs a stronger sign-in/, 'by the route itself');
});

test('whoever comes back with what was asked for is let in', async () => {
  assert.equal((await refresh(olivia({ ...CAPABLE, acrs: ['c1'] }))).status, 200);
  assert.equal((await inspect(olivia({ ...CAPABLE, acrs: ['c7'] }))).status, 200);
});

test('nobody else is challenged', async () => {
  const backstageToken = await client.tokenFor(olivia(CAPABLE));
  for (const [why, answer] of [
    ['the client does not understand it', refresh(olivia({}))],
    ['it has declared something else', refresh(olivia({ xms_cc: ['protapp'] }))],
    ['it would not help', refresh(dana())],
    ['Entra has no such claim', ask('/api/entra-access/v1/status', olivia(CAPABLE))],
    ['it is not a direct call', refresh(backstageToken)],
    ['our route: the client does not understand it', inspect(olivia({}))],
    ['our route: it is not a direct call', inspect(backstageToken)],
  ] as const) {
    const { status, challenge, body } = await answer;
    assert.deepEqual([status, challenge, body.response.statusCode], [403, null, 403], why);
  }
});

test('what one request was refused does not show in another', async () => {
  const token = olivia(CAPABLE);
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, at) => (at % 2 ? refresh(token) : ask('/api/entra-access/v1/status', token))),
  );
  assert.deepEqual(
    answers.map(({ status }) => status),
    Array.from({ length: 12 }, (_, at) => (at % 2 ? 401 : 403)),
  );
  assert.equal((await refresh(dana())).status, 403);
});

test('the record of a decision has the id of the request', async () => {
  const id = { 'x-request-id': 'seen-in-front.1' };
  const asked = await ask('/api/catalog/refresh', dana(), { entityRef: 'component:default/payments-api' }, id);
  assert.equal(asked.status, 403);
  const query = `principal=user:default/${people.dana.oid}&event=decision&limit=1`;
  const admin = environment.tenant.mintAccessToken(people.adam);
  const { items } = (await ask(`/api/entra-access/v1/audit/entries?${query}`, admin)).body;
  assert.deepEqual(
    items.map(({ permission, request }: any) => [permission, request]),
    [['catalog.entity.refresh', id['x-request-id']]],
  );
});

test('an explanation says what to ask Entra for', async () => {
  const { body } = await client.explain(await client.tokenFor(olivia({})), 'catalog.entity.refresh');
  assert.deepEqual(body.stepUp, [{ authContext: 'c1', claims: JSON.stringify(claims('c1')) }]);
});
