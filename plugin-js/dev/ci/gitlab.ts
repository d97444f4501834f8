/** GitLab's job tokens (`id_tokens:`), claim for claim as in its documentation; all strings but for `runner_id` and lists. */
import { randomUUID } from 'node:crypto';
import type { Claims } from '../tenant/claims';
import { randomId } from './random';

/** A project; the ids stay when the path changes */
export interface GitlabProject {
  readonly id: string;
  readonly path: string;
  readonly namespaceId: string;
}

export const gitlabProjects = {
  paymentsApi: { id: '42', path: 'payments/payments-api', namespaceId: '7' },
  /** The same project after it was moved */
  paymentsApiRenamed: { id: '42', path: 'checkout/payments-api', namespaceId: '11' },
  /** Somebody else, who registered the path that had become free */
  squatter: { id: '977', path: 'payments/payments-api', namespaceId: '513' },
  fork: { id: '913', path: 'mallory/payments-api', namespaceId: '512' },
  searchApi: { id: '43', path: 'search/search-api', namespaceId: '8' },
} as const satisfies Record<string, GitlabProject>;

export interface GitlabJob {
  /** Whose code runs */
  readonly project: GitlabProject;
  /** Where it runs, as newer versions tell; `null`: an older version, which says nothing of it. Default: `project` */
  readonly jobProject?: GitlabProject | null;
  readonly branch?: string;
  readonly tag?: string;
  readonly isProtected: boolean;
  readonly source?: 'push' | 'merge_request_event' | 'web' | 'schedule';
  readonly environment?: { readonly name: string; readonly tier: string; readonly isProtected: boolean };
}

/** A job without a timeout of its own; with one its token lives as long as the job may, which is hours */
export const GITLAB_LIFETIME = 300;
/** `nbf` lies so much before `iat` */
export const GITLAB_BACKDATED = 5;

/** Everything but `iss`, `aud` and the times */
export function gitlabJobClaims(job: GitlabJob): Claims {
  const { project, jobProject = project, environment, isProtected } = job;
  const [refType, ref] = job.tag === undefined ? ['branch', job.branch ?? 'main'] : ['tag', job.tag];
  const refPath = `refs/${refType === 'tag' ? 'tags' : 'heads'}/${ref}`;
  const sha = 'c3b1d7a09f5e4c268d90a7b6e1f2345678abcdef';
  return {
    namespace_id: project.namespaceId,
    namespace_path: namespaceOf(project),
    project_id: project.id,
    project_path: project.path,
    user_id: '1017',
    user_login: 'dana',
    user_email: 'dana@contoso.example',
    user_access_level: 'maintainer',
    user_identities: [{ provider: 'azure_activedirectory_v2', extern_uid: 'dana@contoso.example' }],
    pipeline_id: randomId(),
    pipeline_source: job.source ?? 'push',
    job_id: randomId(),
    ...(jobProject && {
      job_project_id: jobProject.id,
      job_project_path: jobProject.path,
      job_namespace_id: jobProject.namespaceId,
      job_namespace_path: namespaceOf(jobProject),
    }),
    ref,
    ref_type: refType,
    ref_path: refPath,
    ref_protected: String(isProtected),
    ...(environment && {
      environment: environment.name,
      environment_protected: String(environment.isProtected),
      deployment_tier: environment.tier,
      environment_action: 'start',
    }),
    runner_id: 12270831,
    runner_environment: 'gitlab-hosted',
    sha,
    project_visibility: 'private',
    // Known only where the pipeline is defined in the project itself.
    ci_config_ref_uri:
      job.source === 'merge_request_event' ? null : `gitlab.com/${project.path}//.gitlab-ci.yml@${refPath}`,
    ci_config_sha: job.source === 'merge_request_event' ? null : sha,
    jti: randomUUID(),
    sub: `project_path:${project.path}:ref_type:${refType}:ref:${ref}`,
  };
}

/** The ID token of somebody who signs in elsewhere with GitLab: the same issuer and the same key, but no job */
export function gitlabLoginClaims(): Claims {
  return {
    sub: '1017',
    sub_legacy: 'f0e4c2f76c58916ec258f246851bea091d14d4247a2fc3e18694461b1816e13b',
    auth_time: 1_764_000_000,
    name: 'Dana Developer',
    nickname: 'dana',
    preferred_username: 'dana',
    email: 'dana@contoso.example',
    email_verified: true,
    groups_direct: ['payments'],
  };
}

function namespaceOf({ path }: GitlabProject): string {
  return path.slice(0, path.lastIndexOf('/'));
}
