import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { RootConfigService } from '@backstage/backend-plugin-api';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { ConfigurationError } from '../core';

const ROOT = 'entraAccess';

/** What the core is told at the start */
export interface Configuration {
  /** The section `entraAccess` as JSON text; the core is its strict reader */
  json: string;
  policy: { json: string; place: string };
}

const policySchema = z.union([
  z.strictObject({ file: z.string().min(1) }),
  z.strictObject({ rules: z.array(z.unknown()) }),
]);

/**
 * Reads the section `entraAccess` and the policy file that it names.
 * @throws ConfigurationError with the place and the fix
 */
export function readConfiguration(config: RootConfigService, argv: readonly string[] = process.argv): Configuration {
  const section = config.getOptional(ROOT);
  if (section === undefined || section === null) {
    throw new ConfigurationError({
      path: ROOT,
      message: 'the section is missing',
      hint: 'see app-config.example.yaml of backstage-plugin-entra-access-backend',
    });
  }
  return { json: JSON.stringify(section), policy: readPolicy(section, argv) };
}

function readPolicy(section: unknown, argv: readonly string[]): Configuration['policy'] {
  const place = `${ROOT}.policy`;
  const policy = (section as { policy?: unknown }).policy;
  if (policy === undefined) {
    throw new ConfigurationError({
      path: place,
      message: 'the policy is missing',
      hint: 'name a `file`, or write `rules` inline; without a policy nobody is allowed anything',
    });
  }
  const parsed = policySchema.safeParse(policy);
  if (!parsed.success) {
    throw new ConfigurationError({ path: place, message: 'either `file: <path>` or `rules: [...]`, and nothing else' });
  }
  if ('rules' in parsed.data) return { json: JSON.stringify(parsed.data), place };
  return readPolicyFile(parsed.data.file, `${place}.file`, argv);
}

function readPolicyFile(file: string, path: string, argv: readonly string[]): Configuration['policy'] {
  const folders = [...configFolders(argv), process.cwd()];
  const found = folders.map(folder => resolve(folder, file)).find(candidate => existsSync(candidate));
  if (!found) {
    throw new ConfigurationError({
      path,
      message: `there is no file ${file}`,
      hint: `looked in ${[...new Set(folders)].join(', ')}`,
    });
  }
  const text = attempt(path, () => readFileSync(found, 'utf8'), `${found} could not be read: `);
  const document = parseDocument(text, { uniqueKeys: true, strict: true });
  const [mistake] = document.errors;
  if (mistake) throw new ConfigurationError({ path: found, message: firstLine(mistake) });
  // Aliases are followed only here.
  const policy: unknown = attempt(found, () => document.toJS());
  return { json: JSON.stringify(policy ?? null), place: found };
}

function attempt<T>(path: string, read: () => T, prefix = ''): T {
  try {
    return read();
  } catch (error) {
    throw new ConfigurationError({ path, message: prefix + firstLine(error) });
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message.split('\n', 1)[0] : undefined) || 'not YAML';
}

/** Paths are relative to the configuration file that names them, as with Backstage's own `$file` */
function configFolders(argv: readonly string[]): string[] {
  return argv.flatMap((word, at) => {
    const file = word === '--config' ? argv[at + 1] : /^--config=(.+)$/.exec(word)?.[1];
    return file === undefined ? [] : [dirname(resolve(file))];
  });
}
