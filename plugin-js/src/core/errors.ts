import { AuthenticationError, InputError } from '@backstage/errors';
import type { Authentication, Mistake } from './types';

/** A refused token; `code` is stable, the message is one fixed sentence for each code and holds nothing of the token */
export class TokenRejectedError extends AuthenticationError {
  override name = 'AuthenticationError' as const;
  readonly code: string;

  constructor(rejection: Extract<Authentication, { ok: false }>) {
    super(`${rejection.code}: ${rejection.advice}`);
    this.code = rejection.code;
  }
}

/** A mistake in configuration or policy, with its place and the fix */
export class ConfigurationError extends InputError {
  override name = 'InputError' as const;
  readonly code = 'config_invalid';
  readonly path: string;
  readonly #mistake: Mistake;

  constructor(mistake: Mistake) {
    const { path, message, line, hint } = mistake;
    const more = [line === undefined ? undefined : `line ${line}`, hint].filter(Boolean).join('; ');
    super(`${path}: ${message}${more && ` (${more})`}`);
    this.path = path;
    this.#mistake = mistake;
  }

  /** The same with the line of the file where it stands */
  at(line: number): ConfigurationError {
    return new ConfigurationError({ ...this.#mistake, line });
  }
}
