/** Whom a failure says something about: everybody in the tenant, or the one principal that was asked for */
export type Scope = 'tenant' | 'principal';

interface Options {
  scope: Scope;
  /** Whether the same request may succeed a moment later */
  transient?: boolean;
  status?: number;
  /** Graph's own code, such as `Directory_ResultSizeLimitExceeded` */
  code?: string;
  retryAfterMs?: number;
}

/** Graph's codes for a delta token, or the token of a page, that it no longer takes, in lower case; they come with several statuses */
const TOO_OLD: ReadonlySet<string> = new Set([
  'syncstatenotfound',
  'syncstateinvalid',
  'resyncrequired',
  'directory_expiredpagetoken',
]);

/** Why groups could not be had; the message is for operators and holds nothing of tokens, secrets or answers */
export class GraphError extends Error {
  override name = 'GraphError';
  readonly scope: Scope;
  readonly transient: boolean;
  readonly status?: number;
  readonly code?: string;
  readonly retryAfterMs?: number;

  constructor(message: string, options: Options) {
    super(message);
    this.scope = options.scope;
    this.transient = options.transient ?? false;
    this.status = options.status;
    this.code = options.code;
    this.retryAfterMs = options.retryAfterMs;
  }

  /** Whether Graph no longer knows what has changed since: everything has to be asked for anew */
  get isTooOld(): boolean {
    return this.status === 410 || TOO_OLD.has(this.code?.toLowerCase() ?? '');
  }

  /** Whether Graph does not take the address that was asked, and never will */
  get isRefused(): boolean {
    return this.status === 400 || this.status === 404;
  }
}
