/** What a scene of the story can be: somebody tries something, or is refused at the door; all of it over HTTP. */
import { setTimeout as sleep } from 'node:timers/promises';
import { forgeAttack } from '../tenant/attacks';
import type { Principal } from '../tenant/people';
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

/** What must come of a scene */
export interface Expectation {
  answer: string;
  rule: string;
  reason: RegExp;
}

/** A scene and what must come of it */
export interface Scene {
  who: string;
  what: string;
  expect: Expectation;
  play(client: Client, tenant: Tenant): Promise<Row>;
}

/** How somebody comes by the bearer token of all further requests */
export type WayIn = (client: Client, tenant: Tenant) => Promise<string>;

type Action = 'read' | 'refresh' | 'delete';

const ENTITY = 'component:default/payments-api';

/** Graph answers, and is asked again within seconds: the pause after an outage */
const BACK_WITHIN_MS = 30_000;

export const allow = (rule: string, reason: RegExp): Expectation => ({ answer: 'ALLOW', rule, reason });
export const deny = (rule: string, reason: RegExp): Expectation => ({ answer: 'DENY', rule, reason });

/** Exchanges the Entra token for a Backstage token */
export const signedIn =
  (principal: Principal): WayIn =>
  (client, tenant) =>
    client.tokenFor(tenant.mintAccessToken(principal));

/** Calls with the Entra token itself: no sign-in */
export const directly =
  (principal: Principal): WayIn =>
  async (_client, tenant) =>
    tenant.mintAccessToken(principal);

/** A job exchanges the token that its CI service gave to it */
export const jobSignedIn =
  (job: string): WayIn =>
  (client, tenant) =>
    client.tokenFor(tenant.ci.mint(job));

/** A job calls with that token itself */
export const jobDirectly =
  (job: string): WayIn =>
  async (_client, tenant) =>
    tenant.ci.mint(job);

/** The token of one sign-in for several scenes */
export function once(wayIn: WayIn): WayIn {
  const tokens = new WeakMap<Tenant, Promise<string>>();
  return (client, tenant) => {
    const token = tokens.get(tenant) ?? wayIn(client, tenant);
    tokens.set(tenant, token);
    return token;
  };
}

/** Somebody tries something on an entity; the explanation is asked for with the same token */
export function attempt(who: string, wayIn: WayIn, action: Action, expect: Expectation, entity = ENTITY): Scene {
  const what = `${action} ${entity}`;
  return {
    who,
    what,
    expect,
    async play(client, tenant) {
      const token = await wayIn(client, tenant);
      const status = await tryIt(client, token, action, entity);
      const { body } = await client.explain(token, `catalog.entity.${action}`, entity);
      const allowed = status >= 200 && status < 300;
      const agrees = allowed === (body.result === 'ALLOW');
      return {
        who,
        what,
        answer: `${allowed ? 'ALLOW' : 'DENY'} (${status})${agrees ? '' : ` but explained as ${body.result}`}`,
        rule: body.rule ?? '-',
        reason: reasonIn(body),
      };
    },
  };
}

/** The sentence that says most of an explanation */
function reasonIn(explanation: any): string {
  const { result, reasons, groups, onBehalfOf } = explanation;
  const [first = JSON.stringify(explanation)]: string[] = reasons ?? [];
  if (result !== 'DENY') return first;
  if (onBehalfOf?.personResult === 'DENY') {
    const { agent, agentResult, person, personResult } = onBehalfOf;
    const [, objectId] = person.split('/');
    return `agent ${agent}: ${agentResult}, person ${objectId}: ${personResult}; ${first}`;
  }
  // Why the groups are not known says more than which rules would have needed them.
  return groups?.reason ?? first;
}

async function tryIt(client: Client, token: string, action: Action, entity: string): Promise<number> {
  switch (action) {
    case 'read':
      return (await client.call(`/api/catalog/entities/by-name/${entity.replace(':', '/')}`, token)).status;
    case 'refresh':
      return (await client.call('/api/catalog/refresh', token, { entityRef: entity })).status;
    default: {
      // Asked, not done: the entity is needed for the next scene.
      const item = {
        id: '1',
        resourceRef: entity,
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

/** The scene during an outage of Microsoft Graph */
export function whileGraphIsDown(scene: Scene): Scene {
  return {
    ...scene,
    async play(client, tenant) {
      tenant.faults.graph = 'unavailable';
      try {
        return await scene.play(client, tenant);
      } finally {
        tenant.faults.graph = undefined;
      }
    },
  };
}

/** The scene after it: the same request again, until Graph has been asked again */
export function whenGraphIsBack(scene: Scene): Scene {
  return {
    ...scene,
    async play(client, tenant) {
      const deadline = Date.now() + BACK_WITHIN_MS;
      for (;;) {
        const row = await scene.play(client, tenant);
        if (row.answer.startsWith(scene.expect.answer) || Date.now() > deadline) return row;
        await sleep(100);
      }
    },
  };
}

/** Somebody is refused at the door */
export function refused(who: string, what: string, code: string, token: (tenant: Tenant) => string): Scene {
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

/** Somebody offers a job's token that the job has used already */
export function offeredAgain(who: string, what: string, code: string, job: string): Scene {
  let token = '';
  const again = refused(who, what, code, () => token);
  return {
    ...again,
    async play(client, tenant) {
      token = tenant.ci.mint(job);
      await client.tokenFor(token);
      return again.play(client, tenant);
    },
  };
}

/** The same with a forged token */
export function attack(name: string, what: string, code: string): Scene {
  return refused('an attacker', what, code, tenant => forgeAttack(tenant, name).token);
}
