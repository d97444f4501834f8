import type { LoggerService } from '@backstage/backend-plugin-api';
import { InputError } from '@backstage/errors';
import type { Request, Response } from 'express';
import { changeNotifications, HANDSHAKE, type ChangeNotification } from '../openapi/notifications';
import { bodyOf, readBody } from '../openapi/request';
import { coded } from '../service/coded';
import { isFrom, type Subscription, type SubscriptionStore } from './subscriptionStore';

/** Anybody may send one */
const BODY = bodyOf('256kb', '256 KiB');
/** Subscriptions that are not known here are looked for in the database, so many in a second */
const LOOKUPS_PER_SECOND = 20;
const MAX_KNOWN = 1_000;

/** Counts what comes; shown in `status` */
export interface NotificationCounts {
  taken: number;
  refused: number;
}

/** Change notifications of Graph: a hint to ask what has changed, never data. Whoever sends one without the secret is not heard */
export class Notifications {
  readonly counts: NotificationCounts = { taken: 0, refused: 0 };
  readonly #store: Pick<SubscriptionStore, 'find'>;
  readonly #hint: (tenant: string) => void;
  readonly #logger: Pick<LoggerService, 'warn'>;
  readonly #known = new Map<string, Subscription>();
  #lookups = 0;
  #second = 0;

  constructor(
    store: Pick<SubscriptionStore, 'find'>,
    hint: (tenant: string) => void,
    logger: Pick<LoggerService, 'warn'>,
  ) {
    this.#store = store;
    this.#hint = hint;
    this.#logger = logger;
  }

  /** Answers what is sent: whoever sends something is told at once that it has come, whatever becomes of it */
  async answer(request: Request, response: Response): Promise<undefined> {
    const handshake = request.query.validationToken;
    response.set('x-content-type-options', 'nosniff');
    if (handshake !== undefined) {
      if (typeof handshake !== 'string' || !HANDSHAKE.test(handshake))
        throw coded('request_invalid', new InputError('validationToken: not one of Microsoft Graph'));
      response.status(200).type('text/plain').send(handshake);
      return;
    }
    const { value } = await readBody(changeNotifications, request, response, BODY);
    response.status(202).end();
    void this.receive(value);
  }

  /** Looks for one that is genuine: one is as good as a thousand. Never fails */
  async receive(notifications: readonly ChangeNotification[]): Promise<void> {
    const hinted = new Set<string>();
    for (const notification of notifications) {
      const subscription = await this.#find(notification.subscriptionId);
      if (subscription && hinted.has(subscription.tenant)) continue;
      if (!subscription || !isGenuine(subscription, notification)) {
        this.#refused();
        continue;
      }
      this.counts.taken += 1;
      hinted.add(subscription.tenant);
      this.#hint(subscription.tenant);
    }
  }

  async #find(id: string): Promise<Subscription | undefined> {
    const known = this.#known.get(id);
    if (known) return known;
    const second = Math.floor(performance.now() / 1000);
    if (second !== this.#second) [this.#second, this.#lookups] = [second, 0];
    this.#lookups += 1;
    if (this.#lookups > LOOKUPS_PER_SECOND) return undefined;
    // Another replica may have asked for it just now.
    const found = await this.#store.find(id).catch(() => undefined);
    if (found) {
      if (this.#known.size >= MAX_KNOWN) this.#known.clear();
      this.#known.set(id, found);
    }
    return found;
  }

  #refused(): void {
    if (this.counts.refused === 0)
      this.#logger.warn('a change notification is not one that was asked for, or lacks its secret; it is ignored');
    this.counts.refused += 1;
  }
}

function isGenuine(subscription: Subscription, { clientState, tenantId }: ChangeNotification): boolean {
  return (
    isFrom(subscription, clientState) && (tenantId === undefined || tenantId.toLowerCase() === subscription.tenant)
  );
}
