/** Change notifications of Graph: subscriptions with their handshake, and what is sent when something changes. */
import { randomUUID } from 'node:crypto';
import type { Change } from './directory';
import { graphError, notThere } from './graphErrors';
import { graphBase, type GraphCaller } from './graphTokens';
import { json, text, type Reply, type RouteRequest } from './routes';
import type { Tenant } from './tenant';

export interface Subscription {
  readonly id: string;
  readonly tenantId: string;
  readonly changeType: string;
  readonly notificationUrl: string;
  readonly resource: string;
  readonly clientState?: string;
  expirationDateTime: string;
}

const MAX_MINUTES = 41_760;
const MAX_PER_APP = 100;
const HANDSHAKE_MS = 10_000;
const DELIVERY_MS = 3_000;

export async function create({ body }: RouteRequest, tenant: Tenant, { tenantId }: GraphCaller): Promise<Reply> {
  const asked = JSON.parse(body) as Omit<Subscription, 'id' | 'tenantId'>;
  const known = /^\/?(?:users|groups\/[0-9a-f-]{36}\/members)$/.test(asked.resource);
  if (!known || !/^(?:(?:created|updated|deleted),?)+$/.test(asked.changeType))
    return graphError(400, 'InvalidRequest', `Unsupported resource '${asked.resource}' or change type.`);
  if ((asked.clientState?.length ?? 0) > 128) return graphError(400, 'InvalidRequest', 'clientState is too long.');
  const late = lifetimeRefused(asked.expirationDateTime, tenant);
  if (late) return late;
  const here = [...tenant.subscriptions.values()].filter(each => each.tenantId === tenantId);
  if (here.length >= MAX_PER_APP) return graphError(403, 'Forbidden', 'Subscription quota exceeded.');
  if (!(await agrees(asked.notificationUrl)))
    return graphError(400, 'ValidationError', 'Subscription validation request failed.');
  const subscription = { ...asked, id: randomUUID(), tenantId };
  tenant.subscriptions.set(subscription.id, subscription);
  return json(201, shown(subscription, tenant));
}

export function renew({ params: { id = '' }, body }: RouteRequest, tenant: Tenant): Reply {
  const found = tenant.subscriptions.get(id);
  if (!found) return notThere(id);
  const { expirationDateTime } = JSON.parse(body) as Pick<Subscription, 'expirationDateTime'>;
  const late = lifetimeRefused(expirationDateTime, tenant);
  if (late) return late;
  found.expirationDateTime = expirationDateTime;
  return json(200, shown(found, tenant));
}

export function remove({ params: { id = '' } }: RouteRequest, tenant: Tenant): Reply {
  return tenant.subscriptions.delete(id) ? text(204, '') : notThere(id);
}

/** Sends what concerns a change, and forgets what has ended; nobody waits for it */
export async function notify(tenant: Tenant, tenantId: string, { kind, id, member }: Change): Promise<void> {
  const now = tenant.clock() * 1000;
  const resource = kind === 'users' ? 'users' : member && `groups/${id}/members`;
  for (const subscription of [...tenant.subscriptions.values()]) {
    if (Date.parse(subscription.expirationDateTime) <= now) tenant.subscriptions.delete(subscription.id);
    else if (subscription.tenantId === tenantId && subscription.resource.replace(/^\//, '') === resource)
      await deliver(subscription, member ?? id);
  }
}

async function deliver(subscription: Subscription, id: string): Promise<void> {
  const { id: subscriptionId, clientState, tenantId, resource, expirationDateTime } = subscription;
  const resourceData = { '@odata.type': '#Microsoft.Graph.User', '@odata.id': `Users/${id}`, id };
  const value = [
    {
      subscriptionId,
      clientState,
      tenantId,
      resource: `Users/${id}`,
      changeType: 'updated',
      subscriptionExpirationDateTime: expirationDateTime,
      resourceData: resource.includes('groups/') ? { ...resourceData, 'members@delta': [{ id }] } : resourceData,
    },
  ];
  await fetch(subscription.notificationUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: JSON.stringify({ value }),
    signal: AbortSignal.timeout(DELIVERY_MS),
  }).catch(() => undefined);
}

/** Asks whoever is to be told whether they want to be */
async function agrees(notificationUrl: string): Promise<boolean> {
  const token = `Validation: Testing client application reachability for subscription Request-Id: ${randomUUID()}`;
  try {
    const url = `${notificationUrl}?validationToken=${encodeURIComponent(token)}`;
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'text/plain; charset=utf-8' },
      signal: AbortSignal.timeout(HANDSHAKE_MS),
    });
    const plain = response.headers.get('content-type')?.startsWith('text/plain');
    return response.status === 200 && plain === true && (await response.text()) === token;
  } catch {
    return false;
  }
}

function lifetimeRefused(expiration: string, tenant: Tenant): Reply | undefined {
  const minutes = (Date.parse(expiration) / 1000 - tenant.clock()) / 60;
  if (minutes > 0 && minutes <= MAX_MINUTES) return undefined;
  return graphError(400, 'InvalidRequest', `Subscription expiration can only be ${MAX_MINUTES} minutes in the future.`);
}

/** The secret is not shown again */
function shown({ clientState: _, ...subscription }: Subscription, tenant: Tenant): object {
  return { '@odata.context': `${graphBase(tenant)}/v1.0/$metadata#subscriptions/$entity`, ...subscription };
}
