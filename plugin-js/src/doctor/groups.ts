import { z } from 'zod';
import { appRoleAssignments, groupsNamed, MAX_NAMED, servicePrincipalOf } from '../graph/addresses';
import { GraphError } from '../graph/graphError';
import { about, once, orOk, skipped, warning, type Check, type Verdict } from './finding';
import type { CatalogLook, GraphAccess, Section, Subject } from './subject';

/** Most ids that Graph is asked about: a hundred requests */
const MOST_ASKED = 100 * MAX_NAMED;
/** Most lines of one kind; the last one tells how many more there are */
const MOST_SHOWN = 20;
const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const idsSchema = z.object({ value: z.array(z.object({ id: z.string() })) });
const assignedSchema = z.object({ value: z.array(z.object({ principalId: z.string(), principalType: z.string() })) });

/** Ids of groups, each with the places that name it */
type Named = ReadonlyMap<string, readonly string[]>;

/** Whether the groups of Entra and those of the catalog fit each other, and what the configuration says of them */
export function groupChecks(subject: Subject): Check[] {
  const { section, policy, graph } = subject;
  const configured = configuredGroups(section, policy);
  const catalog = once(() => subject.catalog());
  const check = (id: string, make: Check['make']): Check => ({ id, about: 'groups', make });
  return [
    check('groups.configured', () =>
      existence(graph, configured, 'the configuration names', 'correct the id, or take it out'),
    ),
    check('groups.catalog', async () => {
      const look = await catalog();
      if (!look.known) return skipped(look.why, look.fix);
      return orOk(
        [...problems(look), ...owners(look, section)],
        `${look.groups.length} groups in the catalog, and nothing wrong with them`,
      );
    }),
    check('groups.annotated', async () => {
      const look = await catalog();
      if (!look.known) return skipped(look.why, look.fix);
      const fix = 'correct the annotation graph.microsoft.com/group-id, or remove the catalog group';
      return existence(graph, annotated(look), 'the catalog names', fix);
    }),
    check('groups.owners', async () => {
      const look = await catalog();
      if (!look.known) return skipped(look.why, look.fix);
      return orOk(
        ownerless(section, policy, look),
        'every group of a job or an application stands for an owner, or a rule names it',
      );
    }),
    check('groups.assigned', async () => {
      const look = await catalog();
      if (!look.known) return skipped(look.why, look.fix);
      return assignedVerdicts(graph, section, configured, look);
    }),
  ];
}

// ---- what is named where

function gather(entries: ReadonlyArray<readonly [string, string]>): Named {
  const named = new Map<string, string[]>();
  for (const [id, place] of entries) {
    const key = id.toLowerCase();
    named.set(key, [...(named.get(key) ?? []), place]);
  }
  return named;
}

function configuredGroups(section: Section, policy: string): Named {
  const mapping = (section.groups?.mapping ?? []).map(
    ({ group, owner }) => [group, `groups.mapping (${owner})`] as const,
  );
  return gather([...policyGroups(policy), ...givenGroups(section), ...mapping]);
}

/** Those that jobs and applications are given */
function givenGroups({ groups, pipelines = [] }: Section): Array<readonly [string, string]> {
  const jobs = pipelines.flatMap(({ id, trust }) =>
    trust.flatMap(entry => entry.groups.map(group => [group, `pipeline ${id}, trust entry ${entry.name}`] as const)),
  );
  const workloads = (groups?.workloads ?? []).flatMap(({ client, groups: ids }) =>
    ids.map(group => [group, `groups.workloads (${client})`] as const),
  );
  return [...jobs, ...workloads];
}

function policyGroups(policy: string): Array<readonly [string, string]> {
  const { rules } = JSON.parse(policy) as { rules: Array<{ id: string; principals?: Array<{ group?: string }> }> };
  return rules.flatMap(({ id, principals = [] }) =>
    principals.flatMap(({ group }) => (group === undefined ? [] : [[group, `rule ${id}`] as const])),
  );
}

type KnownCatalog = Extract<CatalogLook, { known: true }>;

function annotated({ groups }: KnownCatalog): Named {
  return gather(groups.flatMap(({ entityRef, groupId }) => (isId(groupId) ? [[groupId, entityRef] as const] : [])));
}

function isId(groupId: unknown): groupId is string {
  return typeof groupId === 'string' && GUID.test(groupId.toLowerCase());
}

// ---- what Graph knows

async function existence(
  graph: GraphAccess | undefined,
  named: Named,
  who: string,
  fix: string,
): Promise<readonly Verdict[]> {
  if (named.size === 0) return orOk([], `${who} no group`);
  if (!graph) return [NO_GRAPH];
  const asked = [...named.keys()].slice(0, MOST_ASKED);
  let known: ReadonlySet<string>;
  try {
    known = await existing(graph, asked);
  } catch (failure) {
    if (!(failure instanceof GraphError)) throw failure;
    return [
      skipped(
        `which groups there are is not known: ${failure.message}`,
        'grant GroupMember.Read.All; see graph.permissions',
      ),
    ];
  }
  const missing = asked.filter(id => !known.has(id));
  const verdicts = missing.map(id => {
    const places = (named.get(id) ?? []).join(', ');
    return about(id, warning(`Entra has no such group, and ${who} it: ${places}`, fix));
  });
  const left = named.size - asked.length;
  if (left > 0) verdicts.push(skipped(`${left} further groups were not asked about`, 'they are too many for one run'));
  return orOk(few(verdicts), `${who} ${named.size} groups, and Entra has all of them`);
}

const NO_GRAPH = skipped(
  'which groups there are is not known: Microsoft Graph is not configured',
  'configure `entraAccess.groups.overage: graph` with GroupMember.Read.All',
);

/** In any of the tenants; if one cannot be asked, nobody knows */
async function existing(graph: GraphAccess, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const known = new Set<string>();
  for (const { graph: tenant, client } of graph.tenants) {
    for (let at = 0; at < ids.length; at += MAX_NAMED) {
      const { value } = await client.read(idsSchema, { url: groupsNamed(tenant, ids.slice(at, at + MAX_NAMED)) });
      value.forEach(({ id }) => known.add(id.toLowerCase()));
    }
  }
  return known;
}

// ---- what the catalog knows

function problems({ problems: found }: KnownCatalog): Verdict[] {
  if (!found) return [skipped('which of them count is not told', 'let the caller have entra-access.status.read')];
  const fix = 'docs/groups.md; where it stands: docs/decisions/0003-trusted-locations.md';
  return few(found.map(({ entityRef, message }) => about(entityRef, warning(message, fix))));
}

/** Owners of the mapping that nobody can be in the catalog */
function owners({ groups }: KnownCatalog, section: Section): Verdict[] {
  const there = new Set(groups.map(({ entityRef }) => entityRef.toLowerCase()));
  const missing = (section.groups?.mapping ?? []).filter(
    ({ owner }) => /^group:/i.test(owner) && !there.has(owner.toLowerCase()),
  );
  const fix = 'correct `groups.mapping`, or add the group to the catalog';
  return few(
    missing.map(({ owner }) =>
      about(owner, warning('`groups.mapping` names it, and the catalog has no such group', fix)),
    ),
  );
}

/** Groups that stand for an owner: by a good annotation, or by the mapping */
function bound(section: Section, { groups, problems: wrong = [] }: KnownCatalog): ReadonlySet<string> {
  const bad = new Set(wrong.map(({ entityRef }) => entityRef));
  const annotations = groups.flatMap(({ entityRef, groupId }) => (isId(groupId) && !bad.has(entityRef) ? groupId : []));
  const mapped = (section.groups?.mapping ?? []).map(({ group }) => group);
  return new Set([...annotations, ...mapped].map(id => id.toLowerCase()));
}

/** A rule may name a group that owns nothing; a job or an application is given groups to own something by */
function ownerless(section: Section, policy: string, look: KnownCatalog): Verdict[] {
  const standing = new Set([...bound(section, look), ...gather(policyGroups(policy)).keys()]);
  const fix = 'annotate its catalog group with graph.microsoft.com/group-id, or add it to `groups.mapping`';
  const useless = [...gather(givenGroups(section))].filter(([id]) => !standing.has(id));
  return few(
    useless.map(([id, places]) =>
      about(id, warning(`no catalog group stands for it, so it gives nothing: ${places.join(', ')}`, fix)),
    ),
  );
}

/** Groups to which the application is assigned in Entra: their people are meant to use it */
async function assignedVerdicts(
  graph: GraphAccess | undefined,
  section: Section,
  configured: Named,
  look: KnownCatalog,
): Promise<readonly Verdict[]> {
  if (!graph) return [NO_GRAPH];
  let assigned: ReadonlySet<string>;
  try {
    assigned = await assignedGroups(graph, section);
  } catch (failure) {
    if (!(failure instanceof GraphError)) throw failure;
    return [
      skipped(
        `which groups are assigned is not known: ${failure.message}`,
        'grant Application.Read.All; see graph.permissions',
      ),
    ];
  }
  const standing = bound(section, look);
  const idle = [...assigned].filter(id => !standing.has(id) && !configured.has(id));
  const fix =
    'annotate its catalog group with graph.microsoft.com/group-id, add it to `groups.mapping`, or name it in a rule';
  const verdicts = few(
    idle.map(id =>
      about(id, warning('assigned to the application in Entra, and nothing in Backstage stands for it', fix)),
    ),
  );
  return orOk(verdicts, `${assigned.size} groups are assigned to the application, and something stands for each`);
}

async function assignedGroups(graph: GraphAccess, { tenants }: Section): Promise<ReadonlySet<string>> {
  const assigned = new Set<string>();
  for (const { graph: tenant, client } of graph.tenants) {
    const own = tenants.filter(({ tenantId }) => tenantId.toLowerCase() === tenant.tenantId.toLowerCase());
    const clients = own.flatMap(({ audiences }) => audiences).filter(isId);
    for (const clientId of clients) {
      const principals = await client.read(idsSchema, { url: servicePrincipalOf(tenant, clientId) });
      for (const { id } of principals.value) {
        const { value } = await client.read(assignedSchema, { url: appRoleAssignments(tenant, id, true) });
        value
          .filter(each => each.principalType === 'Group')
          .forEach(each => assigned.add(each.principalId.toLowerCase()));
      }
    }
  }
  return assigned;
}

/** No more lines than anybody reads */
function few(verdicts: readonly Verdict[]): Verdict[] {
  const more = verdicts.length - MOST_SHOWN;
  if (more <= 0) return [...verdicts];
  const { outcome, fix } = verdicts[MOST_SHOWN]!;
  return [...verdicts.slice(0, MOST_SHOWN), { outcome, fix, what: `${more} more of the same kind` }];
}
