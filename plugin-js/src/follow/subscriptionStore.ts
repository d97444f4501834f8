import { createHash, timingSafeEqual } from 'node:crypto';
import { answered } from '../service/answered';
import type { Database } from './feeds';

const SUBSCRIPTIONS = 'entra_access_subscriptions';

/** Change notifications that were asked for */
export interface Subscription {
  /** Graph's */
  id: string;
  tenant: string;
  /** Such as `/users` */
  resource: string;
  /** Where they are sent */
  url: string;
  /** Digest of the secret that comes with each: whoever reads the database cannot forge one */
  clientState: string;
  /** Milliseconds since 1970 */
  expiresAt: number;
}

interface Row {
  id: string;
  tenant: string;
  resource: string;
  url: string;
  client_state: string;
  // Text in PostgreSQL.
  expires_at: number | string;
}

/** The subscriptions of all replicas */
export class SubscriptionStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async all(tenant: string): Promise<Subscription[]> {
    const rows = await answered(this.#database<Row>(SUBSCRIPTIONS).where({ tenant }).orderBy('resource'));
    return rows.map(subscriptionOf);
  }

  async find(id: string): Promise<Subscription | undefined> {
    const row = await answered(this.#database<Row>(SUBSCRIPTIONS).where({ id }).first());
    return row && subscriptionOf(row);
  }

  /** In the place of another one for the same */
  async put({ id, tenant, resource, url, clientState, expiresAt }: Subscription): Promise<void> {
    const row = { id, tenant, resource, url, client_state: clientState, expires_at: expiresAt };
    await answered(this.#database<Row>(SUBSCRIPTIONS).insert(row).onConflict(['tenant', 'resource']).merge());
  }

  async remove(id: string): Promise<void> {
    await answered(this.#database<Row>(SUBSCRIPTIONS).where({ id }).delete());
  }
}

/** What stands for a secret in the database */
export function digestOf(clientState: string): string {
  return createHash('sha256').update(clientState).digest('hex');
}

/** Whether a notification carries the secret of a subscription; takes as long whatever it carries */
export function isFrom({ clientState }: Subscription, secret: string): boolean {
  return timingSafeEqual(Buffer.from(clientState, 'hex'), Buffer.from(digestOf(secret), 'hex'));
}

function subscriptionOf(row: Row): Subscription {
  const { id, tenant, resource, url } = row;
  return { id, tenant, resource, url, clientState: row.client_state, expiresAt: Number(row.expires_at) };
}
