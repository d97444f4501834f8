/** `entraAccess.pipelines` of the simulated company: what an operator writes who lets the jobs of `payments-api` in. */
import { groups } from '../tenant/people';
import { bitbucketIds, braced } from './bitbucket';
import type { Ci } from './ci';
import { githubRepositories } from './github';
import { gitlabProjects } from './gitlab';
import type { CiType, IssuerKey } from './issuers';
import { BACKSTAGE_AUDIENCE } from './jobs';

export interface TrustEntry {
  name: string;
  match: Record<string, string | string[]>;
  groups: string[];
  production?: boolean;
  singleUse?: boolean;
  allowMergeRequests?: boolean;
  publish?: string[];
}

export interface PipelineSection {
  id: string;
  type: CiType;
  issuer: string;
  audiences: string[];
  trust: TrustEntry[];
}

const owners = [groups.payments.id];

/** The environments of `payments-api`; both belong to the team, so what production may not is the policy's word */
const entry = (environment: 'staging' | 'production', match: TrustEntry['match'], more: Partial<TrustEntry> = {}) => ({
  name: `payments-${environment}`,
  match,
  groups: owners,
  ...(environment === 'production' && { production: true }),
  ...more,
});

const TRUST: Record<CiType, (environment: 'staging' | 'production') => TrustEntry> = {
  gitlab: environment =>
    entry(
      environment,
      { project_id: gitlabProjects.paymentsApi.id, environment, ref_protected: 'true' },
      // A job's token counts once: stolen from a log it is worth nothing.
      { publish: ['environment', 'deployment_tier'], singleUse: true },
    ),
  bitbucket: environment =>
    entry(environment, {
      repositoryUuid: braced(bitbucketIds.paymentsApi),
      deploymentEnvironmentUuid: braced(bitbucketIds[environment]),
    }),
  github: environment =>
    entry(
      environment,
      { repository_id: githubRepositories.paymentsApi.id, environment, ref: 'refs/heads/main' },
      { publish: ['environment'] },
    ),
};

/** One pipeline, with the entries of these environments */
export function pipelineOf(
  ci: Ci,
  key: IssuerKey,
  id: string,
  environments: Array<'staging' | 'production'>,
): PipelineSection {
  const { type, issuer } = ci.issuers[key];
  return { id, type, issuer, audiences: [BACKSTAGE_AUDIENCE], trust: environments.map(TRUST[type]) };
}

/** GitLab, Bitbucket and GitHub, each with staging and production */
export function pipelinesOf(
  ci: Ci,
  environments: Array<'staging' | 'production'> = ['staging', 'production'],
): PipelineSection[] {
  return (['gitlab', 'bitbucket', 'github'] as const).map(type => pipelineOf(ci, type, type, environments));
}
