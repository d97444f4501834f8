import { createHash, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { notSeen, type Application, type Applications } from './applications';
import { error, ok, skipped, warning, type Check, type Verdict } from './finding';
import type { GraphAccess, SignIn, Subject } from './subject';

/** Before the end of a credential there must be time to get a new one */
const WARNED_MS = 30 * 24 * 3600 * 1000;

/** Whether the secrets and certificates that are in use end soon */
export function credentialChecks({ graph, signIns, now }: Subject, applications: Applications): Check[] {
  const own = graph ? graphChecks(graph, applications, now) : [];
  return [...own, ...signIns.filter(({ begins }) => begins).map(signIn => signInCheck(signIn, applications, now))];
}

function graphChecks(
  { clientId, begins, certificate }: GraphAccess,
  applications: Applications,
  now: () => number,
): Check[] {
  const place = 'entraAccess.groups.graph';
  if (certificate !== undefined && clientId !== undefined) {
    const make = () => certificateVerdict(certificate, clientId, applications, now());
    return [{ id: 'registration.certificate', about: place, make }];
  }
  if (begins && clientId !== undefined) {
    const make = () => secretVerdict(begins, clientId, applications, now(), `${place}.clientSecret`);
    return [{ id: 'registration.secret', about: place, make }];
  }
  return [];
}

function signInCheck(
  { place, clientId, begins = () => false }: SignIn,
  applications: Applications,
  now: () => number,
): Check {
  const make = () => secretVerdict(begins, clientId, applications, now(), `${place}.clientSecret`);
  return { id: 'registration.secret', about: place, make };
}

/** Graph tells the first three characters of each secret: enough to know which one is meant, most times */
async function secretVerdict(
  begins: (hint: string) => boolean,
  clientId: string,
  applications: Applications,
  now: number,
  place: string,
): Promise<Verdict> {
  const lookup = await applications.find(clientId);
  if (lookup.state !== 'here') return notSeen(lookup)!;
  const secrets = lookup.application.passwordCredentials ?? [];
  const fix = `add a new secret to app registration ${clientId} (Certificates & secrets) and put it into \`${place}\``;
  const ours = secrets.filter(({ hint }) => !hint || begins(hint));
  if (ours.length === 0) return error('the configured secret is none of those of the app registration', fix);
  const ends = ours.flatMap(({ endDateTime }) => endOf(endDateTime));
  if (ends.length < ours.length)
    return skipped('when the secret ends is not told', 'look under Certificates & secrets');
  const good = ends.filter(end => end > now);
  if (good.length === 0) return error(`the secret has ended on ${day(Math.max(...ends))}`, fix);
  // Where several begin alike, nobody can tell which of them it is: the one that ends first.
  const end = Math.min(...good);
  if (end - now < WARNED_MS) return warning(`the secret ends on ${day(end)}`, fix);
  return ok(`the secret is good until ${day(end)}`);
}

async function certificateVerdict(
  file: string,
  clientId: string,
  applications: Applications,
  now: number,
): Promise<Verdict | Verdict[]> {
  const fix = `upload a new certificate to app registration ${clientId} (Certificates & secrets) and put it with its key into the file of \`entraAccess.groups.graph.certificate\``;
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(await readFile(file));
  } catch {
    return error('the file of `entraAccess.groups.graph.certificate` holds no certificate', fix);
  }
  return [fileVerdict(certificate, now, fix), await uploadedVerdict(certificate, clientId, applications, now, fix)];
}

function fileVerdict({ validTo, validFrom }: X509Certificate, now: number, fix: string): Verdict {
  const [from, to] = [Date.parse(validFrom), Date.parse(validTo)];
  if (from > now)
    return error(`the certificate in the file is not good before ${day(from)}`, 'see issuer.clock, or wait');
  return endVerdict('the certificate in the file', to, now, fix);
}

async function uploadedVerdict(
  certificate: X509Certificate,
  clientId: string,
  applications: Applications,
  now: number,
  fix: string,
): Promise<Verdict> {
  const lookup = await applications.find(clientId);
  if (lookup.state !== 'here') return notSeen(lookup)!;
  const uploaded = uploadedOf(lookup.application, certificate);
  if (!uploaded) return error('the certificate in the file is none of those of the app registration', fix);
  const [end] = endOf(uploaded.endDateTime);
  if (end === undefined)
    return skipped('when the uploaded certificate ends is not told', 'look under Certificates & secrets');
  return endVerdict('the uploaded certificate', end, now, fix);
}

function endVerdict(what: string, end: number, now: number, fix: string): Verdict {
  if (end <= now) return error(`${what} has ended on ${day(end)}`, fix);
  if (end - now < WARNED_MS) return warning(`${what} ends on ${day(end)}`, fix);
  return ok(`${what} is good until ${day(end)}`);
}

/** By its thumbprint, which tools upload in several forms */
function uploadedOf({ keyCredentials }: Application, { raw }: X509Certificate) {
  const prints = ['sha1', 'sha256'].map(algorithm => createHash(algorithm).update(raw).digest());
  const forms = prints.flatMap(print => [
    print.toString('base64'),
    print.toString('hex').toUpperCase(),
    Buffer.from(print.toString('hex').toUpperCase()).toString('base64'),
  ]);
  return keyCredentials?.find(
    ({ customKeyIdentifier: id }) => id && (forms.includes(id) || forms.includes(id.toUpperCase())),
  );
}

function endOf(dateTime: string | null | undefined): number[] {
  const end = Date.parse(dateTime ?? '');
  return Number.isNaN(end) ? [] : [end];
}

/** The same text all day: a finding that changes is told anew */
function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
