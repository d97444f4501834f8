import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { RootConfigService } from '@backstage/backend-plugin-api';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { ConfigurationError, type LocationRefs } from '../core';
import { configFiles } from './configFiles';
import { staticLocations } from './staticLocations';

const ROOT = 'entraAccess';
const EXAMPLE = 'see app-config.example.yaml of backstage-plugin-entra-access-backend';

/** What the core is told at the start */
export interface Configuration {
  /** The section `entraAccess` as JSON text; the core is its strict reader */
  json: string;
  policy: { json: string; place: string };
  /** What the operator named in `catalog.locations` */
  staticLocations?: Array<Required<LocationRefs>>;
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
      hint: EXAMPLE,
    });
  }
  if (typeof section !== 'object' || Array.isArray(section)) {
    throw new ConfigurationError({ path: ROOT, message: 'the section must be a mapping', hint: EXAMPLE });
  }
  return {
    json: JSON.stringify(section),
    policy: readPolicy(section, argv),
    staticLocations: staticLocations(config),
  };
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
  const folders = [...new Set(policyFolders(argv, process.cwd()))];
  const found = folders.map(folder => resolve(folder, file)).find(candidate => existsSync(candidate));
  if (!found) {
    throw new ConfigurationError({
      path,
      message: `there is no file ${file}`,
      hint: `looked in ${folders.join(', ')}`,
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
function policyFolders(argv: readonly string[], cwd: string): string[] {
  return [...configFiles(argv).map(file => dirname(resolve(cwd, file))), cwd, ...defaultConfigFolder(cwd)];
}

/** Where Backstage finds its configuration without `--config`: yarn starts a backend in packages/backend, below it */
function defaultConfigFolder(folder: string): string[] {
  if (existsSync(join(folder, 'app-config.yaml'))) return [folder];
  const parent = dirname(folder);
  return parent === folder ? [] : defaultConfigFolder(parent);
}
