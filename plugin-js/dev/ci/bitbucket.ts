/** The step tokens of Bitbucket Pipelines (`oidc: true`): UUIDs in braces, and nothing that tells a protected branch. */
import { randomUUID } from 'node:crypto';
import type { Claims } from '../tenant/claims';

/** UUIDs without braces */
export const bitbucketIds = {
  workspace: '1f6f2d1c-8c1b-4a0e-9d52-6b7a3c5e9f04',
  foreignWorkspace: '9b2c7e55-0d3f-4b86-a1c4-2f8e6d7b5a13',
  paymentsApi: '7a4d5c3e-2b1f-4e69-8d70-c5b4a3f2e1d0',
  foreignRepository: 'e0c1f2a3-b4d5-4697-88a9-bacbdcedfe0f',
  staging: '3c9e8f7a-6b5d-4c4e-9f3a-2b1c0d9e8f7a',
  production: 'd1e2f3a4-b5c6-4d7e-8f90-a1b2c3d4e5f6',
} as const;

export interface BitbucketJob {
  readonly workspace?: string;
  readonly repository?: string;
  readonly branch?: string;
  /** UUID of the deployment environment */
  readonly environment?: string;
}

export const BITBUCKET_LIFETIME = 3600;

/** Everything but `iss`, `aud` and the times. There is no `jti`, and `sub` is another one for each step */
export function bitbucketJobClaims(job: BitbucketJob): Claims {
  const repository = braced(job.repository ?? bitbucketIds.paymentsApi);
  const step = braced(randomUUID());
  const environment = job.environment && braced(job.environment);
  return {
    sub: [repository, environment, step].filter(Boolean).join(':'),
    stepUuid: step,
    repositoryUuid: repository,
    branchName: job.branch ?? 'main',
    pipelineUuid: braced(randomUUID()),
    workspaceUuid: braced(job.workspace ?? bitbucketIds.workspace),
    ...(environment && { deploymentEnvironmentUuid: environment }),
  };
}

/** `aud` where the step names none */
export function bitbucketAudience({ workspace = bitbucketIds.workspace }: BitbucketJob): string {
  return `ari:cloud:bitbucket::workspace/${workspace}`;
}

export function braced(uuid: string): string {
  return `{${uuid}}`;
}
