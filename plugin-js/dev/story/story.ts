/** The story as data: who does what, and what must come of it. `npm start` prints it, a test proves it. */
import { forgeAttack } from '../tenant/attacks';
import { agents, people, type Principal } from '../tenant/people';
import type { Tenant } from '../tenant/tenant';
import type { Client } from './client';

/** One line of the printed table */
export interface Row {
  who: string;
  what: string;
  answer: string;
  rule: string;
  reason: string;
}

/** A scene and what must come of it */
export interface Scene {
  who: string;
  what: string;
  expect: { answer: string; rule: string; reason: RegExp };
  play(client: Client, tenant: Tenant): Promise<Row>;
}

const ENTITY = 'component:default/payments-api';

/** Somebody signs in and tries something on the entity over HTTP; the explanation is asked for with the same token */
function attempt(
  who: string,
  principal: Principal,
  action: 'read' | 'refresh' | 'delete',
  expect: Scene['expect'],
): Scene {
  const permission = `catalog.entity.${action}`;
  return {
    who,
    what: `${action} ${ENTITY}`,
    expect,
    async play(client, tenant) {
      const token = await client.tokenFor(tenant.mintAccessToken(principal));
      const status = await tryIt(client, token, action);
      const { body } = await client.explain(token, permission, ENTITY);
      const allowed = status >= 200 && status < 300;
      const agrees = allowed === (body.result === 'ALLOW');
      return {
        who,
        what: this.what,
        answer: `${allowed ? 'ALLOW' : 'DENY'} (${status})${agrees ? '' : ` but explained as ${body.result}`}`,
        rule: body.rule ?? '-',
        reason: body.reasons?.[0] ?? JSON.stringify(body),
      };
    },
  };
}

async function tryIt(client: Client, token: string, action: 'read' | 'refresh' | 'delete'): Promise<number> {
  switch (action) {
    case 'read':
      return (await client.call('/api/catalog/entities/by-name/component/default/payments-api', token)).status;
    case 'refresh':
      return (await client.call('/api/catalog/refresh', token, { entityRef: ENTITY })).status;
    default: {
      // Asked, not done: the entity is needed for the next scene.
      const item = {
        id: '1',
        resourceRef: ENTITY,
        permission: {
          type: 'resource',
          name: 'catalog.entity.delete',
          attributes: { action: 'delete' },
          resourceType: 'catalog-entity',
        },
      };
      const { body } = await client.call('/api/permission/authorize', token, { items: [item] });
      return body.items?.[0]?.result === 'ALLOW' ? 200 : 403;
    }
  }
}

/** Somebody is refused at the door */
function refused(who: string, what: string, code: string, token: (tenant: Tenant) => string): Scene {
  return {
    who,
    what,
    expect: { answer: '401', rule: code, reason: new RegExp(`^${code}: `) },
    async play(client, tenant) {
      const { status, body } = await client.signIn(token(tenant));
      return { who, what, answer: String(status), rule: body.error?.code ?? '-', reason: body.error?.message ?? '-' };
    },
  };
}

function attack(name: string, what: string, code: string): Scene {
  return refused('an attacker', what, code, tenant => forgeAttack(tenant, name).token);
}

const allow = (rule: string, reason: RegExp) => ({ answer: 'ALLOW', rule, reason });
const deny = (rule: string, reason: RegExp) => ({ answer: 'DENY', rule, reason });

/** All scenes, in order */
export const STORY: readonly Scene[] = [
  attempt(
    'Olivia, owner',
    people.olivia,
    'refresh',
    allow('owners-manage', /owned by `group:default\/payments`.*is a member/),
  ),
  attempt(
    'Dana, another team',
    people.dana,
    'refresh',
    deny('-', /owned by `group:default\/payments`.*is not a member/),
  ),
  attempt('Dana, another team', people.dana, 'read', allow('everyone-reads', /everyone-reads/)),
  attempt('Rita, reader', people.rita, 'read', allow('everyone-reads', /everyone-reads/)),
  attempt('Rita, reader', people.rita, 'refresh', deny('-', /no rule allows/)),
  attempt('Adam, admin', people.adam, 'delete', allow('platform-admins', /platform-admins/)),
  attempt("Olivia's AI agent", agents.onBehalfOfOlivia, 'read', allow('everyone-reads', /everyone-reads/)),
  attempt("Olivia's AI agent", agents.onBehalfOfOlivia, 'delete', deny('agents-dont-delete', /agents-dont-delete/)),
  refused('Frank, other tenant', 'sign in', 'tenant_not_allowed', tenant => tenant.mintAccessToken(people.frank)),
  attack('expired', 'yesterday’s token', 'token_expired'),
  attack('tampered', 'changes the groups in a token', 'signature_invalid'),
  attack('other-audience', 'a token for another API', 'audience_mismatch'),
  attack('alg-none', 'says that it needs no signature', 'algorithm_not_allowed'),
  attack('hs256-public-key', 'signs with the public key as a secret', 'algorithm_not_allowed'),
  attack('embedded-jwk', 'brings a key of its own', 'key_unusable'),
  attack('id-token', 'an ID token as access token', 'token_kind_not_allowed'),
  attack('tid-in-two-cases', 'two tenants in one token', 'claim_duplicated'),
];
