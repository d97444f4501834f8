/** What the CI services serve: discovery documents and keys, to everybody. */
import { json, type Route } from '../tenant/routes';
import { issuerDefinitions, issuerKeys, type CiIssuer, type CiType, type IssuerKey } from './issuers';
import { mintRoutes } from './mintEndpoint';
import { runnerRoutes } from './runner';

export const ciRoutes: readonly Route[] = [...issuerKeys.flatMap(documentRoutes), ...mintRoutes, ...runnerRoutes];

function documentRoutes(key: IssuerKey): Route[] {
  const { path, keysPath } = issuerDefinitions[key];
  return [
    {
      name: `ci.${key}.discovery`,
      method: 'GET',
      path: `${path}/.well-known/openid-configuration`,
      handle: (_request, { ci, cacheControl }) =>
        json(200, discoveryDocument(ci.issuers[key]), { 'cache-control': cacheControl }),
    },
    {
      name: `ci.${key}.jwks`,
      method: 'GET',
      path: `${path}${keysPath}`,
      async handle(_request, { ci, cacheControl }) {
        const issuer = ci.issuers[key];
        await issuer.keys.warmUp();
        return json(200, { keys: keySet(issuer) }, { 'cache-control': cacheControl });
      },
    },
  ];
}

const CLAIMS_SUPPORTED: Record<CiType, readonly string[]> = {
  // GitLab's document is that of its login: it names no claim of a job.
  gitlab: [
    'iss',
    'sub',
    'aud',
    'exp',
    'iat',
    'sub_legacy',
    'name',
    'nickname',
    'preferred_username',
    'email',
    'groups',
  ],
  bitbucket: [
    ...['sub', 'iss', 'aud', 'exp', 'iat', 'branchName', 'deploymentEnvironmentUuid', 'pipelineUuid'],
    ...['repositoryUuid', 'stepUuid', 'workspaceUuid'],
  ],
  github: [
    ...['sub', 'aud', 'exp', 'iat', 'iss', 'jti', 'nbf', 'ref', 'sha', 'repository', 'repository_id'],
    ...[
      'repository_owner',
      'repository_owner_id',
      'run_id',
      'run_number',
      'run_attempt',
      'actor',
      'actor_id',
      'workflow',
    ],
    ...[
      'workflow_ref',
      'workflow_sha',
      'head_ref',
      'base_ref',
      'event_name',
      'ref_type',
      'ref_protected',
      'environment',
    ],
    ...['job_workflow_ref', 'job_workflow_sha', 'repository_visibility', 'runner_environment', 'check_run_id'],
  ],
};

function discoveryDocument({ type, issuer, keysUrl }: CiIssuer) {
  return {
    issuer,
    jwks_uri: keysUrl,
    // Only GitLab signs people in, too.
    ...(type === 'gitlab' && {
      authorization_endpoint: `${issuer}/oauth/authorize`,
      token_endpoint: `${issuer}/oauth/token`,
      userinfo_endpoint: `${issuer}/oauth/userinfo`,
    }),
    subject_types_supported: type === 'github' ? ['public', 'pairwise'] : ['public'],
    response_types_supported: type === 'gitlab' ? ['code'] : ['id_token'],
    claims_supported: CLAIMS_SUPPORTED[type],
    id_token_signing_alg_values_supported: ['RS256'],
    scopes_supported: type === 'gitlab' ? ['openid', 'profile', 'email', 'read_user', 'api'] : ['openid'],
  };
}

/** Unlike Entra's keys these name their algorithm, and Bitbucket's and GitLab's are no certificates */
function keySet({ type, keys }: CiIssuer) {
  return keys.published.map(({ kid, n, e, certificate }) => ({
    kty: 'RSA',
    kid,
    use: 'sig',
    alg: 'RS256',
    n,
    e,
    ...(type === 'github' && { x5c: [certificate], x5t: kid }),
  }));
}
