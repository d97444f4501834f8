/** The core: the only folder that touches the WebAssembly package. */
export { accountEntries, type AccountInput } from './accountEntries';
export type { Accounts } from './accounts';
export type { AuditFinding, AuditLink, AuditSettings, ChainPlace } from './auditChain';
export { REJECTION_CODES, type RejectionCode } from './codes';
export { EntraCore } from './core';
export { UNKNOWN_PRINCIPAL } from './decisions';
export type { Freshness } from './freshness';
export { isGuid } from './guid';
export type { MakePages, Member, Members, MembersLoading } from './members';
export { ConfigurationError, TokenRejectedError } from './errors';
export { momentSeconds } from './moment';
export { pipelineKey, pipelineRef } from './pipelines';
export { revokedReason } from './standing';
export { turnClock } from './turnClock';
export type * from './types';
