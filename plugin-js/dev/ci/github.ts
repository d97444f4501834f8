/** The tokens of GitHub Actions (`id-token: write`), claim for claim as in its documentation: all of them strings. */
import { randomUUID } from 'node:crypto';
import type { Claims } from '../tenant/claims';
import { randomId } from './random';

export interface GithubRepository {
  readonly id: string;
  readonly ownerId: string;
  readonly owner: string;
  readonly name: string;
  /** Made or renamed since July 2026: `sub` has the ids in it */
  readonly immutableSubject?: boolean;
}

export const githubRepositories = {
  paymentsApi: { id: '742019863', ownerId: '6512', owner: 'contoso', name: 'payments-api' },
  /** The same repository after its owner was renamed */
  paymentsApiRenamed: {
    id: '742019863',
    ownerId: '6512',
    owner: 'contoso-bank',
    name: 'payments-api',
    immutableSubject: true,
  },
  /** Somebody else, who registered the name that had become free */
  squatter: { id: '990000001', ownerId: '888801', owner: 'contoso', name: 'payments-api', immutableSubject: true },
  ledger: { id: '1104550271', ownerId: '6512', owner: 'contoso', name: 'ledger', immutableSubject: true },
} as const satisfies Record<string, GithubRepository>;

export interface GithubJob {
  readonly repository: GithubRepository;
  readonly branch?: string;
  readonly tag?: string;
  readonly environment?: string;
  readonly event?: 'push' | 'pull_request' | 'pull_request_target' | 'workflow_dispatch';
  /** Number of the pull request */
  readonly pullRequest?: number;
}

export const GITHUB_LIFETIME = 300;
/** `nbf` lies so much before `iat` */
export const GITHUB_BACKDATED = 600;

/** Everything but `iss`, `aud` and the times */
export function githubJobClaims(job: GithubJob): Claims {
  const { repository, environment, event = 'push', pullRequest } = job;
  const fullName = `${repository.owner}/${repository.name}`;
  const branch = job.branch ?? 'main';
  const ref = refOf(job, branch);
  const workflow = `${fullName}/.github/workflows/deploy.yml@${ref}`;
  const sha = 'c3b1d7a09f5e4c268d90a7b6e1f2345678abcdef';
  return {
    jti: randomUUID(),
    sub: subject(job, ref),
    ref,
    sha,
    repository: fullName,
    repository_owner: repository.owner,
    repository_owner_id: repository.ownerId,
    run_id: randomId(),
    run_number: '31',
    run_attempt: '1',
    repository_visibility: 'private',
    repository_id: repository.id,
    actor_id: '10241',
    actor: 'dana',
    workflow: 'deploy',
    // Empty, not absent, outside pull requests.
    head_ref: pullRequest === undefined ? '' : 'feature/refund-limits',
    base_ref: pullRequest === undefined ? '' : 'main',
    event_name: event,
    ref_protected: String(ref === 'refs/heads/main'),
    ref_type: job.tag === undefined ? 'branch' : 'tag',
    workflow_ref: workflow,
    workflow_sha: sha,
    job_workflow_ref: workflow,
    job_workflow_sha: sha,
    runner_environment: 'github-hosted',
    check_run_id: randomId(),
    ...(environment !== undefined && { environment }),
  };
}

/** `aud` where the job names none */
export function githubAudience({ repository }: GithubJob): string {
  return `https://github.com/${repository.owner}`;
}

function refOf({ tag, event, pullRequest }: GithubJob, branch: string): string {
  if (event === 'pull_request') return `refs/pull/${pullRequest}/merge`;
  return tag === undefined ? `refs/heads/${branch}` : `refs/tags/${tag}`;
}

/** An environment wins over a pull request, and that over a ref; a colon inside a value is written `%3A` */
function subject({ repository, environment, event }: GithubJob, ref: string): string {
  const { owner, ownerId, name, id, immutableSubject } = repository;
  const who = immutableSubject ? `${owner}@${ownerId}/${name}@${id}` : `${owner}/${name}`;
  if (environment !== undefined) return `repo:${who}:environment:${environment.replaceAll(':', '%3A')}`;
  // A pull_request_target runs on the base branch. Which subject it has is not documented: this is the one that is harder to
  // tell from a push, because nothing but `event_name` does.
  if (event === 'pull_request') return `repo:${who}:pull_request`;
  return `repo:${who}:ref:${ref}`;
}
