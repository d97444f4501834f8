import { MAX_NAMED } from '../graph/addresses';
import { GraphError } from '../graph/graphError';
import { fixFor } from './applications';
import { about, once, orOk, skipped, warning, type Check, type Verdict } from './finding';
import { assignedGroups, existingAnywhere, type Assigned } from './graphGroups';
import {
  annotatedGroups,
  boundGroups,
  configuredGroups,
  givenGroups,
  mappingOf,
  policyGroups,
  type KnownCatalog,
  type Named,
} from './namedGroups';
import type { GraphAccess, Section, Subject } from './subject';

/** Most ids that Graph is asked about: a hundred requests */
const MOST_ASKED = 100 * MAX_NAMED;
/** Most lines of one kind; the last one tells how many more there are */
const MOST_SHOWN = 20;
const BIND = 'annotate its catalog group with graph.microsoft.com/group-id, or add it to `groups.mapping`';

/** Whether the groups of Entra and those of the catalog fit each other, and what the configuration says of them */
export function groupChecks(subject: Subject): Check[] {
  const { section, policy, graph } = subject;
  const configured = configuredGroups(section, policy);
  const catalog = once(() => subject.catalog());
  const check = (id: string, make: Check['make']): Check => ({ id, about: 'groups', make });
  const withCatalog = (id: string, make: (look: KnownCatalog) => ReturnType<Check['make']>) =>
    check(id, async () => {
      const look = await catalog();
      return look.known ? make(look) : skipped(look.why, look.fix);
    });
  return [
    check('groups.configured', () =>
      existence(graph, configured, 'the configuration names', 'correct the id, or take it out'),
    ),
    withCatalog('groups.catalog', look =>
      orOk(
        [...problems(look), ...owners(look, section)],
        `${look.groups.length} groups in the catalog, and nothing wrong with them`,
      ),
    ),
    withCatalog('groups.annotated', look => {
      const fix = 'correct the annotation graph.microsoft.com/group-id, or remove the catalog group';
      return existence(graph, annotatedGroups(look), 'the catalog names', fix);
    }),
    withCatalog('groups.owners', look =>
      orOk(
        ownerless(section, policy, look),
        'every group of a job or an application stands for an owner, or a rule names it',
      ),
    ),
    withCatalog('groups.assigned', look => idle(graph, section, configured, look)),
  ];
}

/** Whether Entra has the groups that somebody names */
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
    known = await existingAnywhere(graph, asked);
  } catch (failure) {
    return [unknown(failure, 'GroupMember.Read.All')];
  }
  const missing = asked.filter(id => !known.has(id));
  const verdicts = few(
    missing.map(id => {
      const places = (named.get(id) ?? []).join(', ');
      return about(id, warning(`Entra has no such group, and ${who} it: ${places}`, fix));
    }),
  );
  const left = named.size - asked.length;
  if (left > 0) verdicts.push(skipped(`${left} further groups were not asked about`, 'they are too many for one run'));
  return orOk(verdicts, `${who} ${named.size} groups, and Entra has all of them`);
}

const NO_GRAPH = skipped(
  'which groups there are is not known: Microsoft Graph is not configured',
  'configure `entraAccess.groups.overage: graph` with GroupMember.Read.All',
);

function unknown(failure: unknown, permission: string): Verdict {
  if (!(failure instanceof GraphError)) throw failure;
  return skipped(`which groups there are is not known: ${failure.message}`, fixFor(failure, permission));
}

/** What the core has found in the catalog */
function problems({ problems: found }: KnownCatalog): Verdict[] {
  if (!found) return [skipped('which of them count is not told', 'let the caller have entra-access.status.read')];
  const fix = 'docs/groups.md; where it stands: docs/decisions/0003-trusted-locations.md';
  return few(found.map(({ entityRef, message }) => about(entityRef, warning(message, fix))));
}

/** Owners in the mapping that the catalog does not have */
function owners({ groups }: KnownCatalog, section: Section): Verdict[] {
  const there = new Set(groups.map(({ entityRef }) => entityRef.toLowerCase()));
  const missing = mappingOf(section).filter(({ owner }) => /^group:/i.test(owner) && !there.has(owner.toLowerCase()));
  const fix = 'correct `groups.mapping`, or add the group to the catalog';
  const what = '`groups.mapping` names it, and the catalog has no such group';
  return few(missing.map(({ owner }) => about(owner, warning(what, fix))));
}

/** A rule may name a group that owns nothing; a job or an application is given groups to own something by */
function ownerless(section: Section, policy: string, look: KnownCatalog): Verdict[] {
  const standing = new Set([...boundGroups(section, look), ...policyGroups(policy).keys()]);
  const useless = [...givenGroups(section)].filter(([id]) => !standing.has(id));
  return few(
    useless.map(([id, places]) =>
      about(id, warning(`no catalog group stands for it, so it gives nothing: ${places.join(', ')}`, BIND)),
    ),
  );
}

/** Groups to which the application is assigned in Entra, so that their people may use it, and that nothing here is about */
async function idle(
  graph: GraphAccess | undefined,
  section: Section,
  configured: Named,
  look: KnownCatalog,
): Promise<readonly Verdict[]> {
  if (!graph) return [NO_GRAPH];
  let assigned: Assigned;
  try {
    assigned = await assignedGroups(graph, section);
  } catch (failure) {
    return [unknown(failure, 'Application.Read.All')];
  }
  const bound = boundGroups(section, look);
  const found = [...assigned.ids].filter(id => !bound.has(id) && !configured.has(id));
  const what = 'assigned to the application in Entra, and nothing in Backstage stands for it';
  const verdicts = few(found.map(id => about(id, warning(what, `${BIND}, or name it in a rule`))));
  if (!assigned.complete) verdicts.push(skipped('more is assigned than was looked at', 'look under Users and groups'));
  return orOk(verdicts, `${assigned.ids.size} groups are assigned to the application, and something stands for each`);
}

/** No more lines than anybody reads */
function few(verdicts: readonly Verdict[]): Verdict[] {
  const more = verdicts.length - MOST_SHOWN;
  if (more <= 0) return [...verdicts];
  const { outcome, fix } = verdicts[MOST_SHOWN]!;
  return [...verdicts.slice(0, MOST_SHOWN), { outcome, fix, what: `${more} more of the same kind` }];
}
