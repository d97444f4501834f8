export interface Config {
  auth?: {
    providers?: {
      /** Sign-in with an Entra token sent by a proxy, a CLI or a workload: `/api/auth/entra/refresh` */
      entra?: {
        /** Name of the request header that carries the token. Default: `authorization` */
        header?: string;
        /**
         * What kind of token it is. Default: `access`; `id` for the header `x-ms-token-aad-id-token`, in which Azure's built-in
         * authentication puts the ID token
         */
        token?: 'access' | 'id';
      };
    };
  };
  /** Entra Access. Unknown keys are errors at start-up, each named with its path */
  entraAccess?: {
    /** The tenants whose tokens are accepted, at least one; there is no wildcard */
    tenants: Array<{
      /** Tenant id, a GUID */
      tenantId: string;
      /** `global` (default), `usgov`, `china`, or a name under `clouds` */
      cloud?: string;
      /** Accepted `aud` values, compared exactly: the client id (v2.0 tokens), App ID URIs (v1.0 tokens) */
      audiences: string[];
      /** Client ids of app-only callers that are let in; absent: none */
      clients?: string[];
      /** Whether the users of the catalog come from this tenant. Default: yes with one tenant, no with several */
      catalogUsers?: boolean;
      /** Clock difference tolerated, in seconds: 0 to 300. Default: 300 */
      leeway?: number;
      /** Longest lifetime of a token (`exp` after `iat`), in seconds: 600 to 100800. Default: 100800, the 28 hours of Entra */
      maxLifetime?: number;
    }>;
    /** Further clouds by name: External ID, air-gapped, simulators */
    clouds?: {
      [name: string]: {
        /** Base URL of sign-in; https, or http to this machine */
        authority: string;
        /** Base URL of Microsoft Graph */
        graph?: string;
        /** Accepted signature algorithms. Default: RS256, with which Entra signs */
        algorithms?: Array<'RS256' | 'RS384' | 'RS512' | 'PS256' | 'PS384' | 'PS512' | 'ES256' | 'ES384'>;
      };
    };
    /** CI systems whose jobs may come in; see docs/pipelines.md */
    pipelines?: Array<{
      /** Lower-case letters, digits and single dashes, at most 63; policies and entity refs name it */
      id: string;
      type: 'gitlab' | 'bitbucket' | 'github';
      /** The exact `iss` of the tokens; https, or http to this machine. Bitbucket has one for each workspace */
      issuer: string;
      /** What jobs ask tokens for, at least one; all audiences of a token must be listed */
      audiences: string[];
      /** Clock difference tolerated, in seconds: 0 to 300. Default: 60 */
      leeway?: number;
      /** Longest lifetime of a token, in seconds: 60 to 86400. Default: gitlab 3600, bitbucket 7200, github 900 */
      maxLifetime?: number;
      /** Which jobs are trusted with what, at least one; exactly one must fit a job */
      trust: Array<{
        /** Lower-case letters, digits and single dashes, at most 30 */
        name: string;
        /**
         * Claims with the value they must have, or with several any of which will do; as the issuer types them. `*` in a text stands
         * for one or more letters, never `/` or `:`. At least one id that never changes is needed
         */
        match: { [claim: string]: string | number | Array<string | number> };
        /** Object ids of Entra groups that its jobs are members of; may be empty */
        groups: string[];
        /** Asks `match` for a proof of environment or branch. Default: false */
        production?: boolean;
        /** Whether each token counts once, in all replicas. Default: false */
        singleUse?: boolean;
        /** Whether jobs of merge requests may come in: gitlab and github. Default: false */
        allowMergeRequests?: boolean;
        /** Claims that a policy may select by */
        publish?: string[];
      }>;
    }>;
    groups?: {
      /** Where group membership comes from: the tokens (default), or Entra's directory, which is followed. See docs/directory.md */
      source?: 'token' | 'graph';
      /** What to do with a token that leaves its groups out: go on with unknown groups (default), refuse it, or ask Microsoft Graph */
      overage?: 'unknown' | 'reject' | 'graph';
      /** With `source: graph` or `overage: graph`, and only then: exactly one of the credentials. The permissions: docs/directory.md for `source`, docs/groups.md for `overage` */
      graph?: {
        /** Client id of the app registration, or of the assigned managed identity */
        clientId?: string;
        /** @visibility secret */
        clientSecret?: string;
        /** PEM file with certificate and private key, relative to the configuration file or the working directory */
        certificate?: string;
        /** The identity of the machine, or the one assigned to it with this client id */
        managedIdentity?: boolean | { clientId: string };
        /** With `source: graph`: seconds after which what is known of a tenant no longer counts: 120 to 86400. Default: 900 */
        staleAfter?: number;
        /** With `source: graph`: how the directory is followed */
        directory?: {
          /** Seconds in which a change is in force where Graph tells nobody of it and nothing is being loaded: 10 to 3600. Default: 60 */
          poll?: number;
          /** All groups (default), or those that the policy, the mapping and the catalog name, with the groups in them */
          groups?: 'all' | 'matter';
          /** A full load that lacks a greater share of what is known is held, not taken: 0 to 1. Default: 0.2 */
          maxRemovedShare?: number;
          /** Asks Graph to tell of changes. Absent: it is polled only */
          notifications?: {
            /** Public address of /api/entra-access/v1/notifications; https */
            url: string;
          };
        };
      };
      /**
       * Object ids of your tenants' directory roles. Entra puts those of a person among the groups of a token; listed here, or
       * read by `overage: graph`, they count as no group.
       */
      directoryRoles?: string[];
      /** Groups of applications that call for themselves: Entra lists them in no token. They come before Graph's */
      workloads?: Array<{
        /** Client id, listed under `clients` of its tenant */
        client: string;
        /** Needed where several tenants let the client in */
        tenantId?: string;
        /** Object ids of Entra groups */
        groups: string[];
      }>;
      /** How many levels of nested groups count upwards. Absent: all; 0: none */
      maxDepth?: number;
      /** Entra groups and owners, beside the annotation `graph.microsoft.com/group-id` in the catalog */
      mapping?: Array<{
        /** Object id of the Entra group */
        group: string;
        /** Full entity ref of the owner, such as `group:default/payments` */
        owner: string;
      }>;
    };
    /** With `groups.source: graph`: who is let in while the directory has no word. See docs/groups.md */
    breakGlass?: Array<{
      /** What the audit trail, the log and `status` call it: letters, digits, dots and dashes */
      name: string;
      /** `<tenant id>/<object id>` of a person */
      principal: string;
      /** For whoever reads the audit trail */
      reason?: string;
    }>;
    /** Which entity stands for a principal in Backstage; see docs/identity-and-sessions.md */
    identity?: {
      /**
       * Entity ref for whoever has no User entity; `{oid}` and `{tid}` stand for object id and tenant id. Default:
       * `user:default/{oid}`, with several tenants `user:{tid}/{oid}`
       */
      entityRef?: string;
      /** Whether people are looked up among the users of the catalog by `graph.microsoft.com/user-id`. Default: true */
      catalogUsers?: boolean;
    };
    catalog?: {
      /**
       * Where catalog entities may bind Entra ids, beside the msgraph provider and what stands directly in `catalog.locations`:
       * a location such as `url:https://git.example.com/org/blob/main/org.yaml`, a folder that ends with `/`, or the type of
       * an entity provider such as `ldap:`. Compared with both location annotations.
       */
      trustedLocations?: string[];
    };
    /**
     * Whether any plugin's API takes `Authorization: Bearer <Entra access token>` and answers its caller under the policy.
     * Default: true. What is sent to `/api/auth/entra/refresh` by a proxy is not concerned
     */
    directCalls?: boolean;
    /** The audit trail; see docs/audit.md */
    audit?: {
      /** What becomes of granted reading: nothing is recorded, how often there was, or each. Default: count */
      reads?: 'none' | 'count' | 'all';
      /** What becomes of an answer that has to be recorded and cannot be: 503, or it is given all the same. Default: refuse */
      unavailable?: 'refuse' | 'answer';
      /** Days for which records are kept, 1 to 3660. Absent: for ever */
      retentionDays?: number;
    };
    /** How much one caller may ask of one replica within a minute, 1 to 1000000; beyond it is 429 with `Retry-After` */
    limits?: {
      /** Tokens shown by the inspector. Default: 300 */
      inspect?: number;
      /** Explained decisions. Default: 600 */
      explain?: number;
    };
    /** Exactly one of the two; the language: docs/policy.md */
    policy: {
      /** YAML file, relative to the configuration file or the working directory; followed while the backend runs */
      file?: string;
      rules?: Array<object>;
    };
  };
}
