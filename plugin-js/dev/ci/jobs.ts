/** Jobs that run at the CI services, so that tests, policies and the story can name them. */
import type { Claims } from '../tenant/claims';
import {
  bitbucketAudience,
  bitbucketIds,
  bitbucketJobClaims,
  BITBUCKET_LIFETIME,
  type BitbucketJob,
} from './bitbucket';
import {
  githubAudience,
  githubJobClaims,
  githubRepositories,
  GITHUB_BACKDATED,
  GITHUB_LIFETIME,
  type GithubJob,
} from './github';
import {
  gitlabJobClaims,
  gitlabLoginClaims,
  gitlabProjects,
  GITLAB_BACKDATED,
  GITLAB_LIFETIME,
  type GitlabJob,
} from './gitlab';
import type { IssuerKey } from './issuers';

/** What the jobs ask for, where they ask at all */
export const BACKSTAGE_AUDIENCE = 'https://backstage.contoso.example';
/** Client id of an application where people sign in with GitLab */
const LOGIN_CLIENT = '1f0e3dad99908345f7439f8ffabdffc4b0b1a2c3d4e5f60718293a4b5c6d7e8f';

export interface Job {
  /** Short name for `/ci/mint?job=` */
  readonly key: string;
  /** One line for people */
  readonly title: string;
  readonly issuer: IssuerKey;
  readonly audience: string;
  /** Where the job names none; GitLab has no such thing */
  readonly defaultAudience?: string;
  /** Seconds from `iat` to `exp` */
  readonly lifetime: number;
  /** Seconds from `nbf` to `iat`; absent: the service sends no `nbf` */
  readonly backdated?: number;
  /** Fresh ids of job and run with every call */
  readonly claims: () => Claims;
}

const staging = { name: 'staging', tier: 'staging', isProtected: true };
const production = { name: 'production', tier: 'production', isProtected: true };
const { paymentsApi, paymentsApiRenamed, squatter, fork, searchApi } = gitlabProjects;
const FEATURE = 'feature/refund-limits';

export const jobs: readonly Job[] = [
  gitlab('gitlab-staging', 'deploys to staging', { project: paymentsApi, isProtected: true, environment: staging }),
  gitlab('gitlab-production', 'deploys to production', {
    project: paymentsApi,
    isProtected: true,
    environment: production,
  }),
  gitlab('gitlab-feature', 'a feature branch that says it deploys to staging', {
    project: paymentsApi,
    branch: FEATURE,
    isProtected: false,
    environment: staging,
  }),
  gitlab('gitlab-build', 'builds main, without any environment', { project: paymentsApi, isProtected: true }),
  gitlab('gitlab-tag', 'a release, from a protected tag', {
    project: paymentsApi,
    tag: 'v1.2.0',
    isProtected: true,
    environment: production,
  }),
  gitlab('gitlab-merge-request', 'a merge request inside the project', {
    project: paymentsApi,
    branch: FEATURE,
    isProtected: false,
    source: 'merge_request_event',
    environment: staging,
  }),
  gitlab('gitlab-fork', "a fork's merge request, run in the project", {
    project: fork,
    jobProject: paymentsApi,
    branch: FEATURE,
    isProtected: false,
    source: 'merge_request_event',
    environment: staging,
  }),
  // Before GitLab 18.2.2 the fork's code came with the ids of the project that it was offered to.
  gitlab('gitlab-fork-old', "a fork's merge request in an old GitLab, which calls it the project's own", {
    project: paymentsApi,
    jobProject: null,
    branch: 'main',
    isProtected: false,
    source: 'merge_request_event',
    environment: staging,
  }),
  gitlab('gitlab-other-project', 'another project', { project: searchApi, isProtected: true, environment: staging }),
  gitlab('gitlab-renamed', 'the project under its new path', {
    project: paymentsApiRenamed,
    isProtected: true,
    environment: staging,
  }),
  gitlab('gitlab-squatter', 'another project under the old path', {
    project: squatter,
    isProtected: true,
    environment: staging,
  }),
  gitlab(
    'gitlab-self-managed',
    'deploys to staging, on a GitLab of our own',
    { project: paymentsApi, isProtected: true, environment: staging },
    'gitlabSelfManaged',
  ),
  {
    key: 'gitlab-login',
    title: 'no job at all: the ID token of somebody who signed in with GitLab',
    issuer: 'gitlab',
    audience: LOGIN_CLIENT,
    lifetime: 120,
    claims: gitlabLoginClaims,
  },

  bitbucket('bitbucket-staging', 'deploys to staging', { environment: bitbucketIds.staging }),
  bitbucket('bitbucket-production', 'deploys to production', { environment: bitbucketIds.production }),
  bitbucket('bitbucket-branch', 'builds a branch, without any environment', { branch: FEATURE }),
  bitbucket(
    'bitbucket-foreign',
    "a step in somebody else's workspace",
    {
      workspace: bitbucketIds.foreignWorkspace,
      repository: bitbucketIds.foreignRepository,
      environment: bitbucketIds.staging,
    },
    'bitbucketForeign',
  ),

  github('github-staging', 'deploys to staging', {
    repository: githubRepositories.paymentsApi,
    environment: 'staging',
  }),
  github('github-production', 'deploys to production', {
    repository: githubRepositories.paymentsApi,
    environment: 'production',
  }),
  github('github-branch', 'builds a feature branch', { repository: githubRepositories.paymentsApi, branch: FEATURE }),
  github('github-tag', 'a release', { repository: githubRepositories.paymentsApi, tag: 'v1.2.0' }),
  github('github-pull-request', 'a pull request', {
    repository: githubRepositories.paymentsApi,
    event: 'pull_request',
    pullRequest: 17,
  }),
  github(
    'github-pull-request-environment',
    'a pull request that names an environment: the subject shows nothing of it',
    {
      repository: githubRepositories.paymentsApi,
      event: 'pull_request',
      pullRequest: 17,
      environment: 'staging',
    },
  ),
  github('github-pull-request-target', 'a pull request that runs with the rights of the base branch', {
    repository: githubRepositories.paymentsApi,
    event: 'pull_request_target',
    pullRequest: 17,
    environment: 'staging',
  }),
  github('github-colon', 'an environment with a colon in its name', {
    repository: githubRepositories.paymentsApi,
    environment: 'staging:eu',
  }),
  github('github-immutable', 'a newer repository, whose subject has the ids in it', {
    repository: githubRepositories.ledger,
    environment: 'staging',
  }),
  github('github-renamed', 'the repository after its owner was renamed', {
    repository: githubRepositories.paymentsApiRenamed,
    environment: 'staging',
  }),
  github('github-squatter', 'another repository under the old name', {
    repository: githubRepositories.squatter,
    environment: 'staging',
  }),
  github(
    'github-enterprise',
    'deploys to staging, with the enterprise in the issuer',
    { repository: githubRepositories.paymentsApi, environment: 'staging' },
    'githubEnterprise',
  ),
  github(
    'github-server',
    'deploys to staging, on a GitHub Enterprise Server',
    { repository: githubRepositories.paymentsApi, environment: 'staging' },
    'githubServer',
  ),
];

/** @throws Error where there is none */
export function jobOf(key: string): Job {
  const job = jobs.find(candidate => candidate.key === key);
  if (!job) throw new Error(`no job is called ${key}`);
  return job;
}

function gitlab(key: string, title: string, shape: GitlabJob, issuer: IssuerKey = 'gitlab'): Job {
  return {
    key,
    title,
    issuer,
    audience: BACKSTAGE_AUDIENCE,
    lifetime: GITLAB_LIFETIME,
    backdated: GITLAB_BACKDATED,
    claims: () => gitlabJobClaims(shape),
  };
}

function bitbucket(key: string, title: string, shape: BitbucketJob, issuer: IssuerKey = 'bitbucket'): Job {
  return {
    key,
    title,
    issuer,
    audience: BACKSTAGE_AUDIENCE,
    defaultAudience: bitbucketAudience(shape),
    lifetime: BITBUCKET_LIFETIME,
    claims: () => bitbucketJobClaims(shape),
  };
}

function github(key: string, title: string, shape: GithubJob, issuer: IssuerKey = 'github'): Job {
  return {
    key,
    title,
    issuer,
    audience: BACKSTAGE_AUDIENCE,
    defaultAudience: githubAudience(shape),
    lifetime: GITHUB_LIFETIME,
    backdated: GITHUB_BACKDATED,
    claims: () => githubJobClaims(shape),
  };
}
