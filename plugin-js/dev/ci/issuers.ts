/**
 * The CI services as token issuers. Each has keys of its own: what one signs proves nothing at another.
 *
 * All of them live below the authority of the simulated tenant, where the real ones have hosts of their own; the part after
 * `/ci/` names the real one.
 */
import { KeyRing } from '../tenant/keys';

export type CiType = 'gitlab' | 'bitbucket' | 'github';

interface IssuerDefinition {
  readonly type: CiType;
  /** `iss` below the authority; never ends in a slash */
  readonly path: string;
  /** `jwks_uri`, below the issuer */
  readonly keysPath: string;
}

const bitbucket = (workspace: string): IssuerDefinition => ({
  type: 'bitbucket',
  // One issuer for each workspace, named by its slug.
  path: `/ci/api.bitbucket.org/2.0/workspaces/${workspace}/pipelines-config/identity/oidc`,
  keysPath: '/keys.json',
});

const gitlab = (host: string): IssuerDefinition => ({
  type: 'gitlab',
  path: `/ci/${host}`,
  keysPath: '/oauth/discovery/keys',
});

const github = (path: string): IssuerDefinition => ({
  type: 'github',
  path: `/ci/${path}`,
  keysPath: '/.well-known/jwks',
});

export const issuerDefinitions = {
  gitlab: gitlab('gitlab.com'),
  /** Self-managed */
  gitlabSelfManaged: gitlab('gitlab.contoso.example'),
  bitbucket: bitbucket('contoso'),
  /** A workspace that belongs to somebody else */
  bitbucketForeign: bitbucket('fabrikam'),
  github: github('token.actions.githubusercontent.com'),
  /** An enterprise that had its slug put into the issuer */
  githubEnterprise: github('token.actions.githubusercontent.com/contoso'),
  /** GitHub Enterprise Server */
  githubServer: github('github.contoso.example/_services/token'),
} as const satisfies Record<string, IssuerDefinition>;

export type IssuerKey = keyof typeof issuerDefinitions;

export const issuerKeys = Object.keys(issuerDefinitions) as IssuerKey[];

export class CiIssuer {
  readonly keys = new KeyRing();
  readonly type: CiType;
  /** The exact `iss` */
  readonly issuer: string;
  readonly keysUrl: string;

  constructor(authority: string, key: IssuerKey) {
    const { type, path, keysPath } = issuerDefinitions[key];
    this.type = type;
    this.issuer = `${authority}${path}`;
    this.keysUrl = `${this.issuer}${keysPath}`;
  }
}
