import { z } from 'zod';
import { applicationOf, servicePrincipalOf } from '../graph/addresses';
import { GraphError } from '../graph/graphError';
import { skipped, type Verdict } from './finding';
import type { GraphAccess, Subject } from './subject';

const uris = z.object({ redirectUris: z.array(z.string()).nullish() }).nullish();
/** https://learn.microsoft.com/graph/api/resources/application, as far as it is looked at */
const applicationSchema = z.object({
  appId: z.string(),
  identifierUris: z.array(z.string()).nullish(),
  groupMembershipClaims: z.string().nullish(),
  api: z.object({ requestedAccessTokenVersion: z.number().nullish() }).nullish(),
  passwordCredentials: z.array(z.object({ hint: z.string().nullish(), endDateTime: z.string().nullish() })).nullish(),
  keyCredentials: z
    .array(z.object({ customKeyIdentifier: z.string().nullish(), endDateTime: z.string().nullish() }))
    .nullish(),
  web: uris,
  spa: uris,
  publicClient: uris,
});
const applicationsSchema = z.object({ value: z.array(applicationSchema).max(1) });
const principalsSchema = z.object({ value: z.array(z.object({ id: z.string() })).max(1) });

/** An app registration as Graph shows it */
export type Application = z.infer<typeof applicationSchema>;

/** What the tenants know of a client id */
export type Lookup =
  | { state: 'here'; application: Application }
  /** Registered elsewhere: in no tenant of ours, and yet known in one */
  | { state: 'elsewhere' }
  | { state: 'absent' }
  | { state: 'unknown'; why: string; fix: string };

/** The registrations of the tenants, each asked for once */
export class Applications {
  readonly #graph?: GraphAccess;
  readonly #asked = new Map<string, Promise<Lookup>>();

  constructor({ graph }: Pick<Subject, 'graph'>) {
    this.#graph = graph;
  }

  /** What the tenants know of a client id; never rejected for what Graph says */
  find(clientId: string): Promise<Lookup> {
    const key = clientId.toLowerCase();
    const known = this.#asked.get(key) ?? this.#find(key);
    this.#asked.set(key, known);
    return known;
  }

  async #find(clientId: string): Promise<Lookup> {
    if (!this.#graph) return NOT_CONFIGURED;
    const lookups = await Promise.all(this.#graph.tenants.map(tenant => findIn(tenant, clientId)));
    const rank: ReadonlyArray<Lookup['state']> = ['here', 'unknown', 'elsewhere', 'absent'];
    lookups.sort((a, b) => rank.indexOf(a.state) - rank.indexOf(b.state));
    return lookups[0] ?? NOT_CONFIGURED;
  }
}

const NOT_CONFIGURED = {
  state: 'unknown',
  why: 'Microsoft Graph is not configured',
  fix: 'configure `entraAccess.groups.overage: graph` with an application that has Application.Read.All',
} as const;

async function findIn({ graph, client }: GraphAccess['tenants'][number], clientId: string): Promise<Lookup> {
  try {
    const { value } = await client.read(applicationsSchema, { url: applicationOf(graph, clientId) });
    if (value[0]) return { state: 'here', application: value[0] };
    const principals = await client.read(principalsSchema, { url: servicePrincipalOf(graph, clientId) });
    return { state: principals.value.length > 0 ? 'elsewhere' : 'absent' };
  } catch (failure) {
    if (!(failure instanceof GraphError)) throw failure;
    return { state: 'unknown', why: failure.message, fix: fixFor(failure, 'Application.Read.All') };
  }
}

/** What to do about a refusal of Graph */
export function fixFor({ status }: GraphError, permission: string): string {
  if (status !== 403) return 'see graph.token';
  return `grant the application of \`entraAccess.groups.graph\` the permission ${permission}, with admin consent`;
}

/** Why a check about a registration cannot be made; `undefined` where it can */
export function notSeen(lookup: Lookup): Verdict | undefined {
  switch (lookup.state) {
    case 'here':
      return undefined;
    case 'unknown':
      return skipped(`the app registration cannot be seen: ${lookup.why}`, lookup.fix);
    case 'elsewhere':
      return skipped(
        'it is registered in a tenant that is not under `entraAccess.tenants`',
        'look there yourself (App registrations)',
      );
    default:
      return skipped(
        'there is no such app registration',
        'see registration.tokens and graph.token; correct the client id',
      );
  }
}
