import type { RootConfigService } from '@backstage/backend-plugin-api';
import type { CatalogGroupInput, DirectoryReport, EntraCore, Issuer, KeySetReport, Outcome } from '../core';
import type { GraphTenant } from '../graph/addresses';
import type { GraphClient } from '../graph/graphClient';
import type { GraphSettings } from '../graph/settings';
import type { Configuration } from '../service/configuration';
import { mapping } from '../service/loosely';

/** The section `entraAccess`, as far as it is looked at; the core has read it without a mistake */
export interface Section {
  tenants: ReadonlyArray<{
    tenantId: string;
    audiences: readonly string[];
    clients?: readonly string[];
    leeway?: number;
  }>;
  pipelines?: ReadonlyArray<{
    id: string;
    type: string;
    audiences: readonly string[];
    leeway?: number;
    trust: ReadonlyArray<{ name: string; groups: readonly string[] }>;
  }>;
  groups?: {
    source?: 'token' | 'graph';
    mapping?: ReadonlyArray<{ group: string; owner: string }>;
    workloads?: ReadonlyArray<{ client: string; groups: readonly string[] }>;
  };
}

/** Whether groups come from Entra's directory, which is followed, not from tokens */
export function followsDirectory({ groups }: Section): boolean {
  return groups?.source === 'graph';
}

/** An environment of Backstage's interactive provider `microsoft` */
export interface SignIn {
  /** Path of its settings */
  place: string;
  clientId: string;
  /** Where Entra sends people back to */
  redirectUri?: string;
  /** Whether its secret begins so; without one there is nothing to tell */
  begins?: (hint: string) => boolean;
}

/** How Microsoft Graph is asked */
export interface GraphAccess {
  clientId?: string;
  /** With a secret: whether it begins so */
  begins?: (hint: string) => boolean;
  /** With a certificate: its file */
  certificate?: string;
  tenants: ReadonlyArray<{ graph: GraphTenant; client: Pick<GraphClient, 'read'> }>;
}

/** The groups of the catalog with what the core makes of them, or why they are not known */
export type CatalogLook =
  | {
      known: true;
      groups: readonly CatalogGroupInput[];
      /** What of it does not count; `undefined` where that is not told */
      problems?: DirectoryReport['problems'];
    }
  | { known: false; why: string; fix: string };

/** What in the policy does not fit the installed plugins, or why that is not known */
export type PolicyReview =
  | {
      known: true;
      warnings: readonly string[];
      /** Plugins that did not tell what they declare */ silent: readonly string[];
    }
  | { known: false; why: string; fix: string };

/** Everything that is looked at, and by whom it is asked */
export interface Subject {
  section: Section;
  issuers: readonly Issuer[];
  /** `backend.baseUrl` */
  baseUrl?: string;
  signIns: readonly SignIn[];
  graph?: GraphAccess;
  /** The policy in force as JSON text */
  policy: string;
  judgeKeys(issuer: Issuer, jwks: string): Outcome<KeySetReport, string>;
  catalog(): Promise<CatalogLook>;
  review(): Promise<PolicyReview>;
  /** Milliseconds since the epoch */
  now(): number;
}

/** What differs between a running backend and the command line */
export interface Surroundings extends Pick<Subject, 'policy' | 'catalog' | 'review'> {
  config: Pick<RootConfigService, 'getOptional'>;
  configuration: Pick<Configuration, 'json' | 'graph'>;
  /** With this configuration; it is told keys, so it must be one in which nobody signs in */
  core: Pick<EntraCore, 'issuers' | 'setKeys'>;
  graphClients: GraphAccess['tenants'];
}

/** What is looked at, from Backstage's configuration */
export function subjectOf({
  config,
  configuration,
  core,
  graphClients,
  policy,
  catalog,
  review,
}: Surroundings): Subject {
  const baseUrl = textOf(config.getOptional('backend.baseUrl'));
  const { graph } = configuration;
  return {
    section: JSON.parse(configuration.json) as Section,
    issuers: core.issuers,
    baseUrl,
    signIns: signInsOf(config.getOptional('auth.providers.microsoft'), baseUrl),
    graph: graph && { ...credentialOf(graph), tenants: graphClients },
    policy,
    judgeKeys: (issuer, jwks) => core.setKeys(issuer, jwks),
    catalog,
    review,
    now: Date.now,
  };
}

function credentialOf(settings: GraphSettings): Omit<GraphAccess, 'tenants'> {
  switch (settings.kind) {
    case 'secret':
      return { clientId: settings.clientId, begins: hint => settings.secret.startsWith(hint) };
    case 'certificate':
      return { clientId: settings.clientId, certificate: settings.path };
    default:
      return settings.clientId === undefined ? {} : { clientId: settings.clientId };
  }
}

function signInsOf(microsoft: unknown, baseUrl: string | undefined): SignIn[] {
  return Object.entries(mapping(microsoft)).flatMap(([name, settings]) => {
    const { clientId, clientSecret, callbackUrl } = mapping(settings);
    if (typeof clientId !== 'string') return [];
    // As `createOAuthRouteHandlers` of @backstage/plugin-auth-node makes it.
    const own = baseUrl && `${baseUrl.replace(/\/+$/, '')}/api/auth/microsoft/handler/frame`;
    return {
      place: `auth.providers.microsoft.${name}`,
      clientId: clientId.toLowerCase(),
      redirectUri: textOf(callbackUrl) ?? own,
      ...(typeof clientSecret === 'string' && { begins: (hint: string) => clientSecret.startsWith(hint) }),
    };
  });
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
