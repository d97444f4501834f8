/**
 * Client of the plugin `entra-access`, for the app and for other backends; it loads nothing of the plugin itself.
 *
 * @packageDocumentation
 */
export {
  EntraAccessClient,
  type AuditQuery,
  type DecisionQuestion,
  type DiscoveryLike,
  type Explanation,
  type FetchLike,
  type Inspection,
  type RequestOptions,
  type TokenQuestion,
  type VerifyQuery,
} from './client';
export type { AuditEntry, AuditPage, AuditVerdict } from '../openapi/audit';
export type { Status } from '../openapi/status';
export type { Whoami } from '../openapi/whoami';
