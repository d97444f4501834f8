/** The story as data: who does what, and what must come of it. `npm start` prints it, a test proves it. */
import { workloads } from '../tenant/applications';
import { agents, groups, people, type User } from '../tenant/people';
import { HOME_TENANT_ID } from '../tenant/tenantIds';
import { disabledInEntra, enabledAgain, justMade } from './accountScenes';
import {
  allow,
  attack,
  attempt,
  deny,
  directly,
  jobDirectly,
  jobSignedIn,
  offeredAgain,
  once,
  refused,
  signedIn,
  whenGraphIsBack,
  whileGraphIsDown,
  type Scene,
} from './scene';
import { provesItself, tamperedCopy } from './trailScenes';

const olivia = signedIn(people.olivia);
const dana = signedIn(people.dana);
const oliviasAgent = signedIn(agents.onBehalfOfOlivia);
const scanner = directly(workloads.scanner);
/** She comes while Graph is away, and signs in but once */
const nora: User = {
  ...{ kind: 'user', key: 'nora', name: 'Nora New', tenantId: HOME_TENANT_ID },
  oid: 'c2a6f0b4-83d1-4e57-96a8-f5b0d7e31c29',
  userName: 'nora@contoso.example',
  groups: [groups.paymentsEngineers],
};
const newcomer = once(signedIn(nora));
/** The token of before counts, and no other one */
const leaver = once(signedIn(people.olivia));

const OWNED = /owned by `group:default\/payments`.*is a member/;
const NOT_OWNED = /owned by `group:default\/payments`.*is not a member/;
const NESTED =
  /owned by `group:default\/payments`, which contains `group:default\/checkout`, which contains `group:default\/refunds`.*is a member/;
const NO_RULE = /no rule/;
/** Her token lists the group, but the directory does not know her yet */
const NOT_YET = /^groups_unknown: the directory does not know the account yet/;
/** Both are named, and which of them may not */
const AGENT_ONLY = new RegExp(
  `^agent ${agents.onBehalfOfDana.identity.clientId}: ALLOW, person ${people.dana.oid}: DENY; ` +
    'the person for whom the agent calls is refused: .*owned by `group:default/payments`',
);

/** All scenes, in order */
export const STORY: readonly Scene[] = [
  attempt('Olivia, owner', olivia, 'refresh', allow('owners-manage', OWNED)),
  attempt('Dana, another team', dana, 'refresh', deny('-', NOT_OWNED)),
  attempt('Dana, another team', dana, 'read', allow('everyone-reads', /everyone-reads/)),
  attempt('Rita, reader', signedIn(people.rita), 'read', allow('everyone-reads', /everyone-reads/)),
  // Her token has no groups in it, and the directory knows of none.
  attempt('Rita, reader', signedIn(people.rita), 'refresh', deny('-', NOT_OWNED)),
  attempt('Adam, admin', signedIn(people.adam), 'delete', allow('platform-admins', /platform-admins/)),
  attempt("Olivia's AI agent", oliviasAgent, 'read', allow('everyone-reads', /everyone-reads/)),
  attempt("Olivia's AI agent", oliviasAgent, 'delete', deny('agents-dont-delete', /agents-dont-delete/)),
  attempt("Dana's AI agent", signedIn(agents.onBehalfOfDana), 'refresh', deny('-', AGENT_ONLY)),
  attempt('Otto, 250 groups', signedIn(people.otto), 'refresh', allow('owners-manage', OWNED)),
  attempt('Nina, nested groups', signedIn(people.nina), 'refresh', allow('owners-manage', OWNED)),
  attempt('Chloe, nested teams', signedIn(people.chloe), 'refresh', allow('owners-manage', NESTED)),
  attempt('Scanner, a workload', scanner, 'refresh', allow('owners-manage', OWNED)),
  attempt(
    'Scanner, a workload',
    scanner,
    'refresh',
    deny('-', /owned by `group:default\/search`.*is not a member/),
    'component:default/search-api',
  ),
  attempt('GitLab, staging job', jobSignedIn('gitlab-staging'), 'refresh', allow('staging-pipelines', OWNED)),
  attempt('GitLab, production job', jobSignedIn('gitlab-production'), 'refresh', deny('-', NO_RULE)),
  attempt('Bitbucket, staging step', jobDirectly('bitbucket-staging'), 'refresh', allow('staging-pipelines', OWNED)),
  attempt('GitHub, staging job', jobDirectly('github-staging'), 'refresh', allow('staging-pipelines', OWNED)),
  refused('GitLab, feature branch', 'sign in', 'pipeline_untrusted', ({ ci }) => ci.mint('gitlab-feature')),
  refused('GitLab, merge request of a fork', 'sign in', 'pipeline_untrusted', ({ ci }) => ci.mint('gitlab-fork')),
  offeredAgain('a thief', 'a staging job’s token, used already', 'token_replayed', 'gitlab-staging'),
  whileGraphIsDown(attempt('Maxine, Graph down', signedIn(people.maxine), 'refresh', allow('owners-manage', OWNED))),
  whileGraphIsDown(justMade(nora, attempt('Nora, new, Graph down', newcomer, 'refresh', deny('-', NOT_YET)))),
  whileGraphIsDown(attempt('Nora, new, Graph down', newcomer, 'read', allow('everyone-reads', /everyone-reads/))),
  whenGraphIsBack(attempt('Nora, Graph back', newcomer, 'refresh', allow('owners-manage', OWNED))),
  attempt('Olivia, before she leaves', leaver, 'refresh', allow('owners-manage', OWNED)),
  disabledInEntra('Olivia, disabled in Entra', people.olivia, leaver),
  enabledAgain(
    attempt('Olivia, enabled again', leaver, 'refresh', allow('owners-manage', OWNED)),
    people.olivia,
    leaver,
  ),
  refused('Frank, other tenant', 'sign in', 'tenant_not_allowed', tenant => tenant.mintAccessToken(people.frank)),
  attack('expired', 'yesterday’s token', 'token_expired'),
  attack('tampered', 'changes the groups in a token', 'signature_invalid'),
  attack('other-audience', 'a token for another API', 'audience_mismatch'),
  attack('alg-none', 'says that it needs no signature', 'algorithm_not_allowed'),
  attack('hs256-public-key', 'signs with the public key as a secret', 'algorithm_not_allowed'),
  attack('embedded-jwk', 'brings a key of its own', 'key_unusable'),
  attack('id-token', 'an ID token as access token', 'token_kind_not_allowed'),
  attack('tid-in-two-cases', 'two tenants in one token', 'claim_duplicated'),
  provesItself('Adam, admin', signedIn(people.adam)),
  tamperedCopy('somebody with the export', signedIn(people.adam)),
];
