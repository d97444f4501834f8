/** Errors in the shape of the real service: OAuth codes with an AADSTS number and ids for Microsoft's support. */
import { randomUUID } from 'node:crypto';
import { json, type Reply } from './routes';

export function aadstsError(status: number, error: string, code: number, message: string): Reply {
  const traceId = randomUUID();
  const correlationId = randomUUID();
  const timestamp = `${new Date().toISOString().slice(0, 19).replace('T', ' ')}Z`;
  return json(status, {
    error,
    error_description:
      `AADSTS${code}: ${message} ` + `Trace ID: ${traceId} Correlation ID: ${correlationId} Timestamp: ${timestamp}`,
    error_codes: [code],
    timestamp,
    trace_id: traceId,
    correlation_id: correlationId,
  });
}

export function tenantNotFound(tenantId: string): Reply {
  return aadstsError(
    400,
    'invalid_tenant',
    90002,
    `Tenant '${tenantId}' not found. Check to make sure you have the correct tenant ID and are signing into the ` +
      'correct cloud.',
  );
}
