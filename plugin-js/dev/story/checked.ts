import type { Client } from './client';

const WITHIN_MS = 90_000;

/** Waits until the backend has made its checks for the first time; @returns `checks` of its status */
export async function untilChecked(client: Client, adminToken: string): Promise<Record<string, any>> {
  const deadline = Date.now() + WITHIN_MS;
  for (;;) {
    const { status, body } = await client.call('/api/entra-access/v1/status', adminToken);
    if (status !== 200) throw new Error(`status answered ${status}`);
    if (body.checks.ranAt !== null) return body.checks;
    if (Date.now() > deadline) throw new Error('the checks were not made');
    await new Promise(resolve => setTimeout(resolve, 250));
  }
}
