/**
 * Delta queries of Graph for users and for groups with their members: pages and slices in an order of Graph's own, links that are
 * opaque to everybody else, tokens that live seven days.
 */
import type { DirectoryGroup, SimulatedDirectory } from './directory';
import { graphError } from './graphErrors';
import { graphBase, type GraphCaller } from './graphTokens';
import { json, type Reply, type RouteRequest } from './routes';
import type { Tenant } from './tenant';

/** How pages are cut; tests make them small */
export interface DeltaPaging {
  /** Users or groups on a page */
  items: number;
  /** Members on a page; the rest of a group's comes on later ones */
  members: number;
  /** An empty page with a next link after each one */
  emptyPages: boolean;
  /** What was told before is told again */
  replays: boolean;
}

export const PAGING: DeltaPaging = { items: 200, members: 2_000, emptyPages: false, replays: false };

const TOKEN_SECONDS = 7 * 24 * 3600;
const MAX_FILTERED = 50;

/** What stands behind a link */
interface Position {
  /** Changes up to this number are told by the time the last page is there */
  until: number;
  /** Changes after this one are told; everything when there is none */
  since?: number;
  /** The first item of the next page, and the first of its members */
  at: number;
  member: number;
  /** Seconds since 1970 */
  issued: number;
  generation: number;
  select: string;
  filter?: string;
  /** The page before was not empty, so this one may be */
  empty?: boolean;
  /** How often the same page was there, for links that are never the same */
  turn?: number;
}

interface Entry {
  head: Record<string, unknown>;
  /** Only of groups */
  members?: object[];
}

export function usersDelta(request: RouteRequest, tenant: Tenant, caller: GraphCaller): Reply {
  return delta('users', request, tenant, caller, (directory, filter) => {
    const wanted = (id: string) => !filter || filter.has(id);
    const entry = (id: string): Entry => {
      const user = directory.users.get(id);
      if (!user) throw new Error(`the simulated directory has no user ${id}`);
      if (user.removed) return { head: { id, '@removed': { reason: user.removed } } };
      return { head: { accountEnabled: user.accountEnabled, signInSessionsValidFromDateTime: user.validFrom, id } };
    };
    return {
      all: () => [...directory.users].filter(([id, { removed }]) => !removed && wanted(id)).map(([id]) => entry(id)),
      since: (from, until) =>
        touched(directory, 'users', from, until)
          .filter(([id]) => wanted(id))
          .map(([id]) => entry(id)),
    };
  });
}

export function groupsDelta(request: RouteRequest, tenant: Tenant, caller: GraphCaller): Reply {
  return delta('groups', request, tenant, caller, (directory, filter) => {
    const wanted = (id: string) => !filter || filter.has(id);
    return {
      all: () =>
        [...directory.groups]
          .filter(([id, { removed }]) => (!removed || tenant.deltaListsRemoved) && wanted(id))
          .map(([id, { removed, members }]) =>
            removed
              ? removedGroup(id, removed)
              : { head: { id }, members: [...members].map(([member, kind]) => shown(member, kind)) },
          ),
      since: (from, until) =>
        touched(directory, 'groups', from, until)
          .filter(([id]) => wanted(id))
          .map(([id, members]) => changed(directory, id, members)),
    };
  });
}

const removedGroup = (id: string, reason: string): Entry => ({ head: { id, '@removed': { reason } } });

function changed(directory: SimulatedDirectory, id: string, members: ReadonlySet<string>): Entry {
  const group = directory.groups.get(id) as DirectoryGroup;
  if (group.removed) return removedGroup(id, group.removed);
  const entries = [...members].map(member => {
    const kind = group.members.get(member);
    const gone = { '@removed': { reason: 'deleted' } };
    const was = directory.groups.has(member) ? 'group' : 'user';
    return kind ? shown(member, kind) : { ...shown(member, was), ...gone };
  });
  return { head: { id }, members: entries };
}

function shown(id: string, kind: string): object {
  return { '@odata.type': `#microsoft.graph.${kind}`, id };
}

/** By id: which of its members came or went */
function touched(directory: SimulatedDirectory, kind: string, from: number, until: number) {
  const found = new Map<string, Set<string>>();
  for (const change of directory.changes.slice(from, until)) {
    if (change.kind !== kind) continue;
    const members = found.get(change.id) ?? new Set();
    if (change.member) members.add(change.member);
    found.set(change.id, members);
  }
  return [...found];
}

type Listing = (
  directory: SimulatedDirectory,
  filter?: ReadonlySet<string>,
) => { all(): Entry[]; since(from: number, until: number): Entry[] };

function delta(path: string, { query }: RouteRequest, tenant: Tenant, { tenantId }: GraphCaller, list: Listing): Reply {
  const directory = tenant.directoryOf(tenantId);
  const position = positionOf(query, tenant, directory);
  if ('status' in position) return position;
  if (position.issued + TOKEN_SECONDS < tenant.clock() || position.generation !== tenant.deltaGeneration)
    return tooOld(tenant, path);
  const filter = filterOf(position.filter);
  if (filter && 'status' in filter) return filter;
  const listing = list(directory, filter);
  const empty = tenant.faults.graph === 'emptyTenant';
  const entries = empty
    ? []
    : position.since === undefined
      ? kept(directory, `${path} ${position.until} ${position.filter}`, position.at + position.member === 0, () =>
          listing.all(),
        )
      : listing.since(Math.max(0, position.since - (tenant.deltaPaging.replays ? 3 : 0)), position.until);
  return page(path, tenant, position, entries);
}

/** The last listing of everything: whoever has its first page asks for the next ones */
const listings = new WeakMap<SimulatedDirectory, { key: string; entries: Entry[] }>();

function kept(directory: SimulatedDirectory, key: string, isFirst: boolean, list: () => Entry[]): Entry[] {
  const known = listings.get(directory);
  if (!isFirst && known?.key === key) return known.entries;
  const entries = list();
  listings.set(directory, { key, entries });
  return entries;
}

function page(path: string, tenant: Tenant, position: Position, entries: readonly Entry[]): Reply {
  const paging = tenant.deltaPaging;
  const value: object[] = [];
  let { at, member } = position;
  if (!position.empty) {
    let room = paging.members;
    while (at < entries.length && value.length < paging.items && room > 0) {
      const { head, members } = entries[at] as Entry;
      const slice = members?.slice(member, member + room);
      room -= slice?.length ?? 0;
      value.push(slice && slice.length > 0 ? { ...head, 'members@delta': slice } : head);
      member += slice?.length ?? 0;
      if (members && member < members.length) break;
      [at, member] = [at + 1, 0];
    }
  }
  const { faults } = tenant;
  const turn = faults.graph === 'newLinks' ? (position.turn ?? 0) + 1 : undefined;
  const endless = faults.graph === 'endlessPages' || turn !== undefined;
  const more = at < entries.length || (paging.emptyPages && !position.empty);
  const next = endless
    ? { ...position, turn }
    : { ...position, at, member, empty: paging.emptyPages && !position.empty };
  const base =
    faults.graph === 'foreignNextLink' ? graphBase(tenant).replace('127.0.0.1', 'localhost') : graphBase(tenant);
  const url = `${base}/v1.0/${path}/delta`;
  const last: Position = { ...position, since: position.until, at: 0, member: 0, empty: false, issued: tenant.clock() };
  return json(200, {
    '@odata.context': `${graphBase(tenant)}/v1.0/$metadata#${path}`,
    ...(more || endless
      ? { '@odata.nextLink': `${url}?$skiptoken=${encode(next)}` }
      : { '@odata.deltaLink': `${url}?$deltatoken=${encode(last)}` }),
    value: faults.graph === 'names' ? value.map(entry => ({ ...entry, id: 'a name' })) : value,
  });
}

/** A first question, the next page, or what has changed since */
function positionOf(query: URLSearchParams, tenant: Tenant, directory: SimulatedDirectory): Position | Reply {
  const until = directory.changes.length;
  const [skip, since] = [query.get('$skiptoken'), query.get('$deltatoken')];
  const token = skip ?? since;
  if (token !== null) {
    const position = decode(token);
    if (!position) return graphError(400, 'Request_BadRequest', 'Badly formed token.');
    return skip === null ? { ...position, until } : position;
  }
  const select = query.get('$select');
  const unsupported = ['$expand', '$top', '$orderby'].find(option => query.has(option));
  if (unsupported || !select)
    return graphError(400, 'Request_UnsupportedQuery', `Unsupported query: ${unsupported ?? 'no $select'}.`);
  const filter = query.get('$filter') ?? undefined;
  return { until, at: 0, member: 0, issued: tenant.clock(), generation: tenant.deltaGeneration, select, filter };
}

/** The one filter that Graph supports here: some objects by their ids, each asked for once */
function filterOf(filter: string | undefined): ReadonlySet<string> | Reply | undefined {
  if (filter === undefined) return undefined;
  const ids = filter
    .split(' or ')
    .map(part => /^id eq '([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})'$/i.exec(part)?.[1]);
  if (ids.includes(undefined))
    return graphError(400, 'Request_UnsupportedQuery', "Unsupported filter: only `id eq '...'`, joined by `or`.");
  if (ids.length > MAX_FILTERED)
    return graphError(400, 'Request_BadRequest', `Too many ids in the filter: ${ids.length}. At most ${MAX_FILTERED}.`);
  return new Set(ids.map(id => (id as string).toLowerCase()));
}

/** Graph says both: that the token is too old, and where everything begins anew */
function tooOld(tenant: Tenant, path: string): Reply {
  const location = `${graphBase(tenant)}/v1.0/${path}/delta?$select=id`;
  return graphError(410, 'syncStateNotFound', 'The sync state generation is not found; resync.', { location });
}

const encode = (position: Position) => Buffer.from(JSON.stringify(position)).toString('base64url');

function decode(token: string): Position | undefined {
  try {
    return JSON.parse(Buffer.from(token, 'base64url').toString()) as Position;
  } catch {
    return undefined;
  }
}
