/** Accounts that come and go in Entra, and what becomes of whoever holds a token meanwhile. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { User } from '../tenant/people';
import type { Tenant } from '../tenant/tenant';
import type { Client } from './client';
import type { Scene, WayIn } from './scene';

const ENTITY = 'component:default/payments-api';
/** More than a poll takes, for whoever gets no notification */
const WITHIN_MS = 60_000;
const LOOK_MS = 50;

/** The scene of somebody whose account is made in Entra just before */
export function justMade(person: User, scene: Scene): Scene {
  return {
    ...scene,
    async play(client, tenant) {
      const { directory } = tenant;
      if (!directory.users.has(person.oid)) {
        directory.addUser(person.oid);
        for (const { id } of person.groups) directory.addMember(id, person.oid);
      }
      return scene.play(client, tenant);
    },
  };
}

/** An account is disabled in Entra; the row says how long its Backstage token was taken all the same, and would have been otherwise */
export function disabledInEntra(who: string, { oid }: User, wayIn: WayIn): Scene {
  const what = `refresh ${ENTITY}`;
  const code = 'principal_revoked';
  return {
    who,
    what,
    expect: {
      answer: '401',
      rule: code,
      reason:
        /^principal_revoked: the account is disabled in Entra \(reference \w+\); \d+\.\d s after it was, \d+ min before/,
    },
    async play(client, tenant) {
      const token = await wayIn(client, tenant);
      const before = await refresh(client, token);
      if (before.status !== 200) return rowOf(who, what, before, 'refused before');
      tenant.directory.setEnabled(oid, false);
      const begun = performance.now();
      await until(client, token, status => status === 401);
      const seconds = ((performance.now() - begun) / 1000).toFixed(1);
      // That one may have been under way: the catalog passes on that it was refused, but not why.
      const answer = await refresh(client, token);
      const left = Math.floor((endOf(token) - Date.now() / 1000) / 60);
      return rowOf(who, what, answer, `${seconds} s after it was, ${left} min before the Backstage token ends`);
    },
  };
}

/** It is enabled again, and the same token counts as before */
export function enabledAgain(scene: Scene, { oid }: User, wayIn: WayIn): Scene {
  return {
    ...scene,
    async play(client, tenant) {
      tenant.directory.setEnabled(oid, true);
      await until(client, await wayIn(client, tenant), status => status === 200);
      return scene.play(client, tenant);
    },
  };
}

/** Whether Graph has been asked to tell of accounts: changes arrive in seconds from then on */
export async function untilTold({ subscriptions }: Tenant): Promise<void> {
  const deadline = Date.now() + WITHIN_MS;
  while (![...subscriptions.values()].some(({ resource }) => resource === '/users')) {
    if (Date.now() > deadline) throw new Error('Graph was not asked to tell of changes');
    await sleep(LOOK_MS);
  }
}

type Answer = Awaited<ReturnType<Client['call']>>;

const refresh = (client: Client, token: string) => client.call('/api/catalog/refresh', token, { entityRef: ENTITY });

/** The first answer that fits, or the last one in time */
async function until(client: Client, token: string, fits: (status: number) => boolean): Promise<Answer> {
  const deadline = Date.now() + WITHIN_MS;
  for (;;) {
    const answer = await refresh(client, token);
    if (fits(answer.status) || Date.now() > deadline) return answer;
    await sleep(LOOK_MS);
  }
}

function rowOf(who: string, what: string, { status, body }: Answer, more: string) {
  const { code = '-', message = '-' } = body?.error ?? {};
  return { who, what, answer: String(status), rule: code, reason: `${message}; ${more}` };
}

/** Seconds since 1970 */
function endOf(token: string): number {
  const [, claims = ''] = token.split('.');
  return (JSON.parse(Buffer.from(claims, 'base64url').toString()) as { exp: number }).exp;
}
