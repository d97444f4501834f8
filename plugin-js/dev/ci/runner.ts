/**
 * What a job finds where it runs. GitLab and Bitbucket put the token into its environment, GitHub an address and a secret with
 * which the job asks for one.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { json, type Reply, type Route, type RouteRequest } from '../tenant/routes';
import type { Tenant } from '../tenant/tenant';
import { issuerDefinitions } from './issuers';
import { jobOf, jobs, type Job } from './jobs';

/** Which jobs may ask: only who was given a secret, and each for itself */
const SECRET = randomBytes(32);

export const runnerRoutes: Route[] = [
  { name: 'ci.github.token', method: 'GET', path: '/ci/runner/:job/idtoken', handle: idToken },
];

/** What the job's description says of tokens */
export interface TokenWish {
  /** GitLab: name of the variable for each audience, from `id_tokens:` */
  readonly idTokens?: Readonly<Record<string, string | readonly string[]>>;
  /** Bitbucket: `audiences`; without any the workspace's own */
  readonly audiences?: readonly string[];
}

/** Environment variables that the service gives to a job's script, as far as they are about tokens */
export function runnerEnvironment(
  { ci, authority }: Tenant,
  key: string,
  wish: TokenWish = {},
): Record<string, string> {
  const job = jobOf(key);
  switch (issuerDefinitions[job.issuer].type) {
    case 'gitlab':
      return Object.fromEntries(
        Object.entries(wish.idTokens ?? {}).map(([name, audience]) => [name, ci.mint(job, { audience })]),
      );
    case 'bitbucket': {
      const [first, ...more] = wish.audiences ?? [];
      const audience = first === undefined ? job.defaultAudience : more.length > 0 ? [first, ...more] : first;
      return { BITBUCKET_STEP_OIDC_TOKEN: ci.mint(job, { audience }) };
    }
    case 'github':
      return {
        ACTIONS_ID_TOKEN_REQUEST_URL: `${authority}/ci/runner/${job.key}/idtoken?api-version=2.0`,
        ACTIONS_ID_TOKEN_REQUEST_TOKEN: secretOf(job),
      };
  }
}

function idToken({ params, query, headers }: RouteRequest, { ci }: Tenant): Reply {
  const job = jobs.find(({ key }) => key === params.job);
  if (!job || headers.authorization?.toLowerCase() !== `bearer ${secretOf(job)}`) {
    return json(401, { message: 'the job has no permission `id-token: write`' });
  }
  return json(200, { value: ci.mint(job, { audience: query.get('audience') ?? job.defaultAudience }) });
}

function secretOf({ key }: Job): string {
  return createHmac('sha256', SECRET).update(key).digest('hex');
}
