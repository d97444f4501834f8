/** One tenant as a token issuer: its issuer strings, its addresses and its keys. */
import { KeyRing } from './keys';

export type TokenVersion = '1.0' | '2.0';

export class Issuer {
  readonly keys = new KeyRing();

  constructor(
    readonly authority: string,
    readonly tenantId: string,
  ) {}

  /** `iss` of a token: v1.0 ends in a slash, v2.0 doesn't */
  issuer(version: TokenVersion): string {
    return version === '2.0' ? `${this.base}/v2.0` : `${this.base}/`;
  }

  /** Base of every address below this tenant */
  get base(): string {
    return `${this.authority}/${this.tenantId}`;
  }
}
