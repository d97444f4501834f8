/** The simulated tenant followed in one process: a writer, a database, and replicas with cores of their own */
import assert from 'node:assert/strict';
import { workloads } from '../../dev/tenant/applications';
import type { SimulatedDirectory } from '../../dev/tenant/directory';
import { people } from '../../dev/tenant/people';
import { startTenant } from '../../dev/tenant/server';
import type { Tenant } from '../../dev/tenant/tenant';
import { EntraCore } from '../../src/core';
import { FeedStore } from '../../src/follow/feedStore';
import { Replica } from '../../src/follow/replica';
import { Scopes } from '../../src/follow/scopes';
import { Writer } from '../../src/follow/writer';
import { createCredential } from '../../src/graph/credential';
import { GraphClient } from '../../src/graph/graphClient';
import { GRAPH_LIMITS } from '../../src/graph/limits';
import { SessionStore } from '../../src/service/sessionStore';
import { DirectoryEpoch } from '../../src/service/directoryEpoch';
import { configurationOf, recordOf } from './core';
import type { databaseOf } from './databases';
import { graphOf } from './graph';
import { RecordingLogger } from './logger';

type Opened = Awaited<ReturnType<typeof databaseOf>>;

/** The application that may read accounts and memberships */
export const DIRECTORY_READER = {
  kind: 'secret',
  clientId: workloads.directoryReader.clientId,
  secret: workloads.directoryReader.secret,
} as const;

/** The section `groups` of a backend that is told of changes, and asks for them every `poll` seconds besides; `more` of `graph` */
export function directoryGroups(baseUrl: string, poll: number, more: object = {}) {
  const { clientId, secret: clientSecret } = DIRECTORY_READER;
  const notifications = { url: `${baseUrl}/api/entra-access/v1/notifications` };
  return { source: 'graph', graph: { clientId, clientSecret, ...more, directory: { poll, notifications } } };
}

/** The sections `clouds` and `groups` of a backend that follows a simulated tenant so */
export const followingSections = (tenant: Tenant, baseUrl: string, poll: number) => ({
  clouds: { lab: { authority: tenant.authority, graph: graphOf(tenant).graph } },
  groups: directoryGroups(baseUrl, poll),
});

/** The section `entraAccess` with the directory as the source of groups */
export function followingConfiguration(tenant: Tenant): string {
  const section = JSON.parse(configurationOf(tenant)) as { clouds: object };
  const { clientId, secret: clientSecret } = DIRECTORY_READER;
  const lab = { authority: tenant.authority, graph: graphOf(tenant).graph };
  return JSON.stringify({
    ...section,
    clouds: { lab },
    groups: { source: 'graph', graph: { clientId, clientSecret } },
  });
}

/** The simulated tenant without the eleven thousand groups of one person, which prove nothing of following */
export async function startFollowedTenant(): Promise<Tenant> {
  const tenant = await startTenant();
  for (const id of tenant.directory.groupsOf(people.maxine.oid))
    if (id.startsWith('0f9e')) tenant.directory.groups.delete(id);
  return tenant;
}

export interface WriterOptions {
  groups?: 'all' | 'matter';
  wanted?: () => ReadonlySet<string> | undefined;
  maxRemovedShare?: number;
  /** A run ends after so many pages, as when its time is over */
  pages?: number;
  /** Before the writer gets a page */
  beforePage?: () => Promise<void>;
  pause?: (ms: number) => Promise<void>;
  maxPages?: number;
}

export async function followed(tenant: Tenant, { service, knex }: Opened) {
  await SessionStore.open({ ...service, getClient: async () => knex });
  const store = new FeedStore(knex);
  const open = new Set<EntraCore>();

  function writer(options: WriterOptions = {}) {
    const graph = graphOf(tenant);
    const limits = { ...GRAPH_LIMITS, backoffMs: 1 };
    const client = new GraphClient(graph, createCredential(DIRECTORY_READER, graph), limits);
    let ending = new AbortController();
    let left = 0;
    const counting = {
      ask: client.ask.bind(client),
      read: client.read.bind(client),
      async delta(address: string | URL, signal?: AbortSignal) {
        const page = await client.delta(address, signal);
        await options.beforePage?.();
        left -= 1;
        if (left === 0) ending.abort();
        return page;
      },
    };
    const logger = new RecordingLogger();
    const scopes = new Scopes({
      store,
      groups: options.groups ?? 'all',
      wanted: options.wanted ?? (() => undefined),
    });
    const told: string[] = [];
    const made = new Writer({
      store,
      tenants: [{ graph, client: counting }],
      scopes,
      maxRemovedShare: options.maxRemovedShare ?? 0.2,
      logger,
      changed: async changed => void told.push(changed),
      pause: options.pause,
      maxPages: options.maxPages,
    });
    const run = (what?: 'all' | 'changes', only?: string) => {
      ending = new AbortController();
      left = options.pages ?? Infinity;
      return made.run(ending.signal, what, only);
    };
    /** As when the backend is stopped */
    const end = () => ending.abort();
    return { logger, told, run, end };
  }

  /** `others`: tenants that are followed, too */
  function replica({ groups = 'all', others = [] }: Pick<WriterOptions, 'groups'> & { others?: string[] } = {}) {
    const logger = new RecordingLogger();
    const core = new EntraCore({ configuration: followingConfiguration(tenant), staleAfter: 900, logger });
    open.add(core);
    const epoch = new DirectoryEpoch();
    epoch.followMembers();
    const scopes = new Scopes({ store, groups, wanted: () => undefined });
    const tenants = [...others, tenant.tenantId];
    const made = new Replica({ store, core, epoch, tenants, counts: feed => scopes.counts(feed), logger });
    return { core, epoch, logger, replica: made, poll: () => made.poll() };
  }

  return { store, writer, replica, close: () => open.forEach(core => core.close()) };
}

/** Whether a core has of everybody what the simulator has: groups at any depth, and whose account is in force */
export function assertSame(core: EntraCore, tenant: Tenant, directory: SimulatedDirectory = tenant.directory): void {
  const above = aboveAll(directory);
  for (const [id, account] of directory.users) {
    const expected = [...reached(directory.groupsOf(id), above)].sort();
    assert.deepEqual(core.members.groupsOf(tenant.tenantId, id)?.sort() ?? [], expected, `groups of ${id}`);
    const expectedStanding = account.removed ? 'deleted' : account.accountEnabled ? undefined : 'disabled';
    assert.equal(standingOf(core, id), expectedStanding, `account of ${id}`);
  }
}

/** Why whoever signs in now is refused; `undefined` where they are not */
export function standingOf(core: EntraCore, objectId: string, issuedAt = Math.floor(Date.now() / 1000)) {
  const principal = core.admit(recordOf({ objectId, issuedAt } as never), `user:default/${objectId}`, 4_000_000_000);
  assert.ok(principal !== undefined);
  const standing = core.standing(principal);
  core.release(principal);
  return standing?.revoked;
}

function aboveAll(directory: SimulatedDirectory): Map<string, string[]> {
  const above = new Map<string, string[]>();
  for (const [id, { members, removed }] of directory.groups) {
    if (removed) continue;
    for (const [member, kind] of members) if (kind === 'group') above.set(member, [...(above.get(member) ?? []), id]);
  }
  return above;
}

function reached(from: readonly string[], above: ReadonlyMap<string, readonly string[]>): Set<string> {
  const found = new Set(from);
  for (const group of found) above.get(group)?.forEach(parent => found.add(parent));
  return found;
}

/**
 * Kills whoever uses a database with their `at`-th statement: it is not executed, and none after it, but for what the server does by
 * itself when a connection is gone
 */
export function killAt(knex: Opened['knex'], at: number) {
  let statements = 0;
  const listener = ({ sql }: { sql: string }) => {
    if (/^rollback/i.test(sql)) return;
    statements += 1;
    if (statements >= at) throw Object.assign(new Error('killed'), { code: 'KILLED' });
  };
  knex.on('query', listener);
  return {
    /** Whether it came to that */
    get killed() {
      return statements >= at;
    },
    async revive() {
      knex.removeListener('query', listener);
      // As the server does: what was begun and not committed is as if it had not been.
      await knex.raw('rollback').catch(() => undefined);
    },
  };
}
