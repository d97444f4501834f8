/** Plain HTTP over connections that stay open: the least of a client, so that the backends are what is measured. */
import { Agent, request } from 'node:http';

const agent = new Agent({ keepAlive: true, maxSockets: 128 });

export interface Answer {
  status: number;
  body: any;
}

/** `body` makes it a POST. A connection that the backend closes at that very moment, for it was idle too long, is no answer: once more */
export async function call(url: string, token: string, body?: string): Promise<Answer> {
  try {
    return await callOnce(url, token, body);
  } catch (error) {
    if (!(error as { stale?: boolean }).stale) throw error;
    return callOnce(url, token, body);
  }
}

function callOnce(url: string, token: string, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers: Record<string, string | number> = { authorization: `Bearer ${token}` };
    if (body !== undefined) {
      Object.assign(headers, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
    }
    const sent = request(url, { agent, method: body === undefined ? 'GET' : 'POST', headers }, response => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, body: parse(text) });
      });
    });
    sent.on('error', (error: NodeJS.ErrnoException) =>
      reject(Object.assign(error, { stale: sent.reusedSocket && error.code === 'ECONNRESET' })),
    );
    sent.end(body);
  });
}

export const closeConnections = (): void => agent.destroy();

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
