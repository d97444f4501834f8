import http, { createServer, type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';

const HOST = 'login.microsoftonline.com';

/** What the token endpoint answers beside what every answer has */
export type Grant = { id_token?: string };

/**
 * Stands in for login.microsoftonline.com, whose address is hard-wired in passport-microsoft: requests of this process to
 * it go to a server on the loopback interface, and any other request over https is an error.
 */
export async function interceptMicrosoft(grant: () => Grant) {
  const forms: URLSearchParams[] = [];
  const server = createServer(async (request, response) => {
    const form = new URLSearchParams(await read(request));
    forms.push(form);
    // As Entra does it: whoever asks for scopes without `openid` gets no ID token.
    const { id_token } = grant();
    const asked = form.get('scope')?.split(' ').includes('openid') ?? true;
    const answer = {
      token_type: 'Bearer',
      scope: 'openid email offline_access user.read',
      expires_in: 3599,
      access_token: 'opaque-access-token-for-graph',
      refresh_token: `refresh-token-${forms.length}`,
      ...(asked && { id_token }),
    };
    const found = request.headers.host?.split(':')[0] === HOST && /\/oauth2\/v2\.0\/token$/.test(request.url ?? '');
    response.writeHead(found ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const original = https.request;
  https.request = ((options: http.RequestOptions) => {
    if (options.host !== HOST) throw new Error(`an unexpected request to ${String(options.host)}`);
    return http.request({ ...options, host: '127.0.0.1', port, agent: undefined });
  }) as typeof https.request;
  return {
    /** What the token endpoint was sent */
    forms,
    stop() {
      https.request = original;
      server.close();
    },
  };
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** The redirect flow as a browser goes through it; answers what the pop-up window tells the app */
export async function signInInteractively(backendUrl: string): Promise<{ message: any; cookies: string }> {
  const base = `${backendUrl}/api/auth/microsoft`;
  const start = await fetch(`${base}/start?env=development&scope=openid`, { redirect: 'manual' });
  const authorize = new URL(start.headers.get('location') ?? '');
  if (authorize.hostname !== HOST) throw new Error(`redirected to ${authorize.hostname}`);
  const state = encodeURIComponent(authorize.searchParams.get('state') ?? '');
  const frame = await fetch(`${base}/handler/frame?code=a-code&state=${state}`, {
    headers: { cookie: cookiesOf(start) },
    redirect: 'manual',
  });
  const [, message = '{}'] = /authResponse = decodeURIComponent\('([^']*)'\)/.exec(await frame.text()) ?? [];
  return { message: JSON.parse(decodeURIComponent(message)), cookies: cookiesOf(frame) };
}

/** What an app does when it is opened again, or wants an access token for another resource */
export async function refreshInteractively(backendUrl: string, cookies: string, scope = '') {
  const query = new URLSearchParams({ env: 'development', scope });
  const response = await fetch(`${backendUrl}/api/auth/microsoft/refresh?${query}`, {
    headers: { cookie: cookies, 'x-requested-with': 'XMLHttpRequest' },
  });
  return { status: response.status, body: (await response.json()) as any };
}

/** Those that are set; the flow also deletes old ones */
function cookiesOf(response: Response): string {
  return response.headers
    .getSetCookie()
    .map(cookie => cookie.split(';', 1)[0] ?? '')
    .filter(cookie => !cookie.endsWith('='))
    .join('; ');
}
