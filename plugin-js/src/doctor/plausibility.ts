import { isGuid } from '../core';
import { about, error, orOk, warning, type Check, type Verdict } from './finding';
import type { Section, Subject } from './subject';

/** `11111111-2222-...`, as in our examples */
const EXAMPLE = /^(.)\1{7}-(.)\2{3}-(.)\3{3}-(.)\4{3}-(.)\5{11}$/;

/** Tenants in which everybody may have an account, or which are nobody's own */
const SHARED_TENANTS: Readonly<Record<string, string>> = {
  '9188040d-6c67-4c5b-b112-36a304b66dad': 'the tenant of all personal Microsoft accounts: anybody has one',
  'f8cdef31-a31e-4b4a-93e4-5f571e91255a': "Microsoft's own tenant for its services",
};

/**
 * Audiences of others, beside those of Microsoft that the core refuses: a token for one of them was asked for to be shown there,
 * and whoever is shown it could show it here
 */
const FOREIGN_AUDIENCES: ReadonlyArray<readonly [RegExp, string]> = [
  [
    /^https:\/\/management\.(?:azure\.com|core\.windows\.net|usgovcloudapi\.net|chinacloudapi\.cn)/i,
    'Azure Resource Manager',
  ],
  [/^https:\/\/vault\.(?:azure\.net|usgovcloudapi\.net|azure\.cn)/i, 'Azure Key Vault'],
  [/^https:\/\/(?:storage\.azure\.com|database\.windows\.net)/i, 'an Azure service'],
  [/^api:\/\/AzureADTokenExchange/i, "Entra's own exchange of federated tokens"],
  [/^sts\.amazonaws\.com$/i, 'Amazon Web Services'],
  [/^sigstore$/i, 'Sigstore'],
];
/** What GitHub puts into tokens that were asked for without an audience */
const GITHUB_DEFAULT = /^https:\/\/github\.com\/[^/]+\/?$/i;

/** What can be told from the configuration alone */
export function plausibilityChecks({ section }: Subject): Check[] {
  const { tenants, pipelines = [] } = section;
  return [
    ...tenants.map(tenant => ({
      id: 'tenants',
      about: tenant.tenantId,
      make: () => orOk(tenantVerdicts(tenant.tenantId), 'a tenant id as a company has one'),
    })),
    ...tenants.map(tenant => ({
      id: 'audiences',
      about: tenant.tenantId,
      make: () => orOk(audienceVerdicts(tenant), 'nothing in the list belongs to others'),
    })),
    ...pipelines.map(pipeline => ({
      id: 'audiences',
      about: `pipeline:${pipeline.id}`,
      make: () => orOk(pipelineVerdicts(pipeline), 'nothing in the list belongs to others'),
    })),
  ];
}

function tenantVerdicts(tenantId: string): Verdict[] {
  const shared = SHARED_TENANTS[tenantId.toLowerCase()];
  const fix = 'put the id of your tenant (Entra ID: Overview) in its place';
  if (shared) return [error(`this is ${shared}`, fix)];
  if (EXAMPLE.test(tenantId)) return [error('this is the id of an example', fix)];
  return [];
}

function audienceVerdicts({ tenantId, audiences }: Section['tenants'][number]): Verdict[] {
  const found = audiences.flatMap(audience => foreign(audience));
  if (audiences.some(audience => audience.toLowerCase() === tenantId.toLowerCase())) {
    found.push(error('the id of the tenant stands among the audiences', 'name the client id of the app registration'));
  }
  for (const audience of audiences.filter(each => EXAMPLE.test(each))) {
    found.push(about(audience, error('this is the id of an example', 'name the client id of your app registration')));
  }
  if (!audiences.some(isGuid)) {
    const fix = 'add the client id of the app registration to `audiences`';
    found.push(warning('no audience is a client id, and v2.0 tokens name nothing else: they are refused', fix));
  }
  return found;
}

function pipelineVerdicts({ type, audiences }: NonNullable<Section['pipelines']>[number]): Verdict[] {
  const found = audiences.flatMap(audience => foreign(audience));
  if (type === 'github' && audiences.some(audience => GITHUB_DEFAULT.test(audience))) {
    const fix = 'have jobs ask for an audience of your own, such as the address of your Backstage, and list only that';
    found.push(
      warning('the audience is the one of tokens for which no job named any: they are shown to others, too', fix),
    );
  }
  return found;
}

function foreign(audience: string): Verdict[] {
  const who = FOREIGN_AUDIENCES.find(([pattern]) => pattern.test(audience))?.[1];
  if (who === undefined) return [];
  const fix = 'take it out of `audiences`: whoever is shown such a token could show it here';
  return [error(`an audience is that of ${who}`, fix)];
}
