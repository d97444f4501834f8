import { z } from 'zod';
import { appRoleAssignments, servicePrincipalOf } from '../graph/addresses';
import { GraphError } from '../graph/graphError';
import { about, error, ok, once, skipped, warning, type Check, type Verdict } from './finding';
import { needsOf, ROLES, type Need, type Needs } from './needs';
import type { GraphAccess, Section, Subject } from './subject';

/** Microsoft Graph's own application */
const GRAPH_ID = '00000003-0000-0000-c000-000000000000';

const anything = z.unknown();
const principalsSchema = z.object({
  value: z
    .array(
      z.object({
        id: z.string(),
        appRoles: z.array(z.object({ id: z.string(), value: z.string().nullish() })).nullish(),
      }),
    )
    .max(1),
});
const assignmentsSchema = z.object({ value: z.array(z.object({ appRoleId: z.string(), resourceId: z.string() })) });

/** Whether Graph can be asked at all, and what it lets us ask */
export function permissionChecks({ graph, section }: Subject): Check[] {
  if (!graph) {
    const fix =
      'configure `entraAccess.groups.overage: graph` (docs/groups.md), if groups beyond the token matter to you';
    return [
      { id: 'graph.token', about: 'entraAccess.groups', make: () => skipped('Microsoft Graph is not configured', fix) },
    ];
  }
  return graph.tenants.flatMap(tenant => {
    const { tenantId } = tenant.graph;
    // All that is asked first: whether there is a token at all, and an answer.
    const reached = once(() => reach(tenant, ROLES));
    return [
      { id: 'graph.token', about: tenantId, make: async () => tokenVerdict(await reached(), graph) },
      {
        id: 'graph.permissions',
        about: tenantId,
        make: async () => {
          const verdicts = await permissionVerdicts(tenant, graph, section, await reached());
          return graph.tenants.length > 1 ? verdicts.map(verdict => ofTenant(tenantId, verdict)) : verdicts;
        },
      },
    ];
  });
}

/** Where there are several */
function ofTenant(tenantId: string, verdict: Verdict): Verdict {
  return verdict.about === undefined ? verdict : about(`${tenantId}, ${verdict.about}`, verdict);
}

/** `undefined`: it is let through */
async function reach({ graph, client }: GraphAccess['tenants'][number], need: Need): Promise<GraphError | undefined> {
  try {
    await client.read(anything, need.request(graph));
    return undefined;
  } catch (failure) {
    if (!(failure instanceof GraphError)) throw failure;
    // There is nobody of that id; whoever may not ask is not told even that.
    return failure.status === 404 ? undefined : failure;
  }
}

/** By Entra's numbers: https://learn.microsoft.com/entra/identity-platform/reference-error-codes */
const TOKEN_FIXES: ReadonlyArray<readonly [RegExp, string]> = [
  [
    /AADSTS7000222/,
    'the secret has ended: add a new one to the app registration (Certificates & secrets) and put it into `entraAccess.groups.graph.clientSecret`',
  ],
  [
    /AADSTS7000215/,
    'the secret is wrong: put the value of a secret, not its id, into `entraAccess.groups.graph.clientSecret`',
  ],
  [
    /AADSTS700016/,
    'the tenant knows no such application: correct `entraAccess.groups.graph.clientId`, or have an administrator of the tenant consent to it',
  ],
  [/AADSTS90002/, 'there is no such tenant: correct `tenantId` and `cloud`'],
  [
    /AADSTS7000(?:27|213|216)|AADSTS700027/,
    'the certificate is not accepted: upload it to the app registration, and see registration.certificate',
  ],
  [/AADSTS7000112/, 'the application is disabled in the tenant: enable its enterprise application'],
  [/managed identity/, 'assign a managed identity to this machine, or configure a secret or a certificate'],
];

function tokenVerdict(failure: GraphError | undefined, graph: GraphAccess): Verdict {
  if (!failure || failure.status === 403) return ok('Entra gives a token, and Microsoft Graph answers');
  if (failure.status === 429 || failure.message.includes('throttles'))
    return warning(failure.message, 'run it again later');
  const known = TOKEN_FIXES.find(([number]) => number.test(failure.message))?.[1];
  const where = [...new Set(graph.tenants.map(each => new URL(each.graph.graph).origin))].join(', ');
  return error(
    failure.message,
    known ??
      `let this machine reach ${where} and the token endpoint, and look at the credential of \`entraAccess.groups.graph\``,
  );
}

async function permissionVerdicts(
  tenant: GraphAccess['tenants'][number],
  graph: GraphAccess,
  section: Section,
  reached: GraphError | undefined,
): Promise<Verdict[]> {
  if (reached && reached.status !== 403) return [skipped('Microsoft Graph could not be asked', 'see graph.token')];
  const granted = await grantsOf(tenant, graph.clientId);
  const needs = needsOf(section);
  const verdicts = await Promise.all(needs.calls.map(need => needVerdict(tenant, need, section, granted)));
  return [...verdicts, about('least privilege', privilegeVerdict(granted, needs))];
}

async function needVerdict(
  tenant: GraphAccess['tenants'][number],
  need: Need,
  section: Section,
  granted: readonly string[] | undefined,
): Promise<Verdict> {
  const failure = await reach(tenant, need);
  const lacks = granted && need.oneOfEach.filter(oneOf => !oneOf.some(name => permits(granted, name)));
  const missing = (lacks?.length ? lacks : need.oneOfEach).map(([least]) => least).join(' and ');
  const fix = `grant the application of \`entraAccess.groups.graph\` ${missing} (application permission, with admin consent)`;
  if (failure && failure.status !== 403) return about(need.call, skipped(failure.message, 'run it again'));
  if (!failure && !lacks?.length) return about(need.call, ok('permitted'));
  return about(need.call, need.lacking(section)(fix));
}

/** Who may change something may read it */
function permits(granted: readonly string[], name: string): boolean {
  return granted.includes(name) || granted.includes(name.replace('.Read.', '.ReadWrite.'));
}

/** The application permissions on Graph, where they may be looked at; the managed identity of a machine has no client id here */
async function grantsOf({ graph, client }: GraphAccess['tenants'][number], clientId: string | undefined) {
  if (clientId === undefined) return undefined;
  try {
    const own = await client.read(principalsSchema, { url: servicePrincipalOf(graph, clientId) });
    const theirs = await client.read(principalsSchema, { url: servicePrincipalOf(graph, GRAPH_ID, ['appRoles']) });
    const [[mine], [microsoft]] = [own.value, theirs.value];
    if (!mine || !microsoft) return undefined;
    const { value } = await client.read(assignmentsSchema, { url: appRoleAssignments(graph, mine.id) });
    const ids = value.filter(({ resourceId }) => resourceId === microsoft.id).map(({ appRoleId }) => appRoleId);
    return (microsoft.appRoles ?? []).flatMap(({ id, value: name }) => (name && ids.includes(id) ? name : []));
  } catch (failure) {
    if (failure instanceof GraphError) return undefined;
    throw failure;
  }
}

/** What the plugin never makes use of, and a thief of the credential would */
function privilegeVerdict(granted: readonly string[] | undefined, { calls, beside, page }: Needs): Verdict {
  if (!granted) {
    const fix = 'grant Application.Read.All, or look under API permissions yourself';
    return skipped('what else the application may do is not known', fix);
  }
  const useful = [...calls.flatMap(({ oneOfEach }) => oneOfEach.flat()), ...beside];
  const more = granted.filter(name => !useful.includes(name)).sort();
  if (more.length === 0) return ok('the application may do nothing beyond it');
  const fix = `remove what the plugin does not need (${page}), or give it an application of its own`;
  return warning(`the application may do more than is needed: ${more.join(', ')}`, fix);
}
