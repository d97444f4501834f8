/** What finds all groups of a user: the ways one would write it in JavaScript, and ours. */
import assert from 'node:assert/strict';
import { DirectedGraph } from 'graphology';
import type { EntraCore, MembersReport } from '../../plugin-js/src/core';
import type { Case } from '../harness';
import { closureOf, listsOf } from './closures';
import { makeCore } from './entraAccess';
import { groupsOf, TENANT_ID, type TenantData } from './tenant';

/** `Input` is what a caller would have at hand; `names` makes ids of an answer, which is not timed */
export interface Resolver<Input> {
  name: string;
  prepare(user: number): Input;
  resolve(input: Input): unknown;
  names(input: Input): Iterable<string>;
}

/** Some users in turn, each looked at before anything is timed */
export function resolverCase<Input>(resolver: Resolver<Input>, tenant: TenantData, users: number[]): Case {
  const inputs = users.map(user => resolver.prepare(user));
  let at = -1;
  const once = () => {
    at = at + 1 === inputs.length ? 0 : at + 1;
    return resolver.resolve(inputs[at] as Input);
  };
  const check = () =>
    users.forEach((user, index) => {
      const found = [...resolver.names(inputs[index] as Input)].sort();
      assert.deepEqual(found, groupsOf(tenant, user), `${resolver.name}: user ${user}`);
    });
  return { name: resolver.name, work: { kind: 'sync', once }, check };
}

/** What people write */
export function mapAndSet({ groups, users, memberOf, inside }: TenantData): Resolver<string> {
  const names = (numbers: number[]) => numbers.map(number => groups[number] as string);
  const above = new Map(inside.map((numbers, at) => [groups[at] as string, names(numbers)]));
  const direct = new Map(memberOf.map((numbers, at) => [users[at] as string, names(numbers)]));
  const resolve = (user: string) => {
    const found = new Set<string>();
    const queue = [...(direct.get(user) ?? [])];
    for (let group = queue.pop(); group !== undefined; group = queue.pop()) {
      if (found.has(group)) continue;
      found.add(group);
      for (const next of above.get(group) ?? []) if (!found.has(next)) queue.push(next);
    }
    return found;
  };
  return { name: 'Map and Set', prepare: user => users[user] as string, resolve, names: resolve };
}

export function graphology({ groups, users, memberOf, inside }: TenantData): Resolver<string> {
  const graph = new DirectedGraph();
  for (const group of groups) graph.addNode(group);
  inside.forEach((numbers, at) => {
    for (const number of numbers) graph.mergeDirectedEdge(groups[at], groups[number]);
  });
  const direct = new Map(memberOf.map((numbers, at) => [users[at] as string, numbers.map(number => groups[number]!)]));
  const resolve = (user: string) => {
    const found = new Set<string>(direct.get(user));
    // A Set is walked in the order of insertion, and grows while it is walked.
    for (const group of found) graph.forEachOutNeighbor(group, next => void found.add(next));
    return found;
  };
  return { name: 'graphology', prepare: user => users[user] as string, resolve, names: resolve };
}

/** What one writes who has measured */
export function typedArrays(tenant: TenantData): Resolver<number> {
  const { groups, memberOf, inside } = tenant;
  const [direct, above] = [listsOf(memberOf), listsOf(inside)];
  const found = new Uint32Array(groups.length);
  const stamps = new Uint32Array(groups.length);
  let stamp = 0;
  const resolve = (user: number) => {
    stamp += 1;
    let count = 0;
    for (let at = direct.starts[user]!; at < direct.starts[user + 1]!; at++) {
      const group = direct.nodes[at]!;
      stamps[group] = stamp;
      found[count++] = group;
    }
    for (let at = 0; at < count; at++) {
      const group = found[at]!;
      for (let i = above.starts[group]!; i < above.starts[group + 1]!; i++) {
        const next = above.nodes[i]!;
        if (stamps[next] === stamp) continue;
        stamps[next] = stamp;
        found[count++] = next;
      }
    }
    return found.subarray(0, count);
  };
  return numbered('typed arrays, step by step', tenant, resolve);
}

/** And has worked out beforehand what is above each group */
export function typedArraysClosed(tenant: TenantData): Resolver<number> {
  const { groups, memberOf, inside } = tenant;
  const direct = listsOf(memberOf);
  const { cycle, above } = closureOf(listsOf(inside));
  const found = new Uint32Array(groups.length);
  const stamps = new Uint32Array(groups.length);
  let stamp = 0;
  const resolve = (user: number) => {
    stamp += 1;
    let count = 0;
    for (let at = direct.starts[user]!; at < direct.starts[user + 1]!; at++) {
      const group = direct.nodes[at]!;
      if (stamps[group] === stamp) continue;
      const list = cycle[group]!;
      for (let i = above.starts[list]!; i < above.starts[list + 1]!; i++) {
        const next = above.nodes[i]!;
        if (stamps[next] === stamp) continue;
        stamps[next] = stamp;
        found[count++] = next;
      }
    }
    return found.subarray(0, count);
  };
  return numbered('typed arrays, closure', tenant, resolve);
}

function numbered(name: string, { groups }: TenantData, resolve: (user: number) => Uint32Array): Resolver<number> {
  const names = (user: number) => Array.from(resolve(user), group => groups[group] as string);
  return { name, prepare: user => user, resolve, names };
}

/** A core with the tenant's members in it */
export function loadedCore(pages: Buffer[]): { core: EntraCore; report: MembersReport } {
  const core = makeCore({ tokenCache: false });
  return { core, report: ingest(core, pages) };
}

export function ingest(core: EntraCore, pages: Buffer[]): MembersReport {
  const loading = core.members.begin(TENANT_ID, 'all', null);
  assert.ok(loading.ok);
  for (const page of pages) assert.ok(loading.value.add(page).ok);
  const outcome = loading.value.commit(() => pages);
  assert.ok(outcome.ok);
  return outcome.value;
}

/** By the number of a member, as for an access review */
export function entraAccess(core: EntraCore, { users }: TenantData): Resolver<number> {
  const { members } = core;
  return {
    name: 'entra-access',
    prepare: user => members.find(TENANT_ID, users[user] as string) as number,
    resolve: member => members.resolve(member as never),
    names: member => {
      const user = users.find(id => members.find(TENANT_ID, id) === member) as string;
      return members.groupsOf(TENANT_ID, user) ?? [];
    },
  };
}

/** By object id, and the groups as texts */
export function entraAccessTexts(core: EntraCore, { users }: TenantData): Resolver<string> {
  const groupsOfUser = (user: string) => core.members.groupsOf(TENANT_ID, user) ?? [];
  return {
    name: 'entra-access, ids in and out as texts',
    prepare: user => users[user] as string,
    resolve: groupsOfUser,
    names: groupsOfUser,
  };
}
