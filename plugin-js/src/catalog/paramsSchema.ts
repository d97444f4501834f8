/**
 * What the ownership rules are asked with: constant in size, and what the decision hangs on by numbers that mean the same in
 * every process (docs/decisions/0005). A type, not an interface: Backstage wants an index signature
 */
export type OwnedByPrincipalParams = {
  /** Entity ref of the signed-in principal */
  principal: string;
  /** Number of the directory by which the decision was made; an older one must not answer */
  epoch: number;
  /** Number of the sign-in since which the principal is as it was then; an older one must not answer */
  session: number;
};

const FIELDS = ['principal', 'epoch', 'session'];

const JSON_SCHEMA = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  type: 'object',
  properties: {
    principal: { type: 'string', description: 'Entity ref of the signed-in principal' },
    epoch: { type: 'integer', minimum: 0, description: 'Number of the directory by which the decision was made' },
    session: { type: 'integer', minimum: 0, description: 'Number of the sign-in by which the decision was made' },
  },
  required: FIELDS,
  additionalProperties: false,
};

/**
 * A Standard Schema (standardschema.dev) by hand: Backstage validates the params again for every entity, which with zod
 * costs more than the rule itself.
 */
export const paramsSchema = {
  '~standard': {
    version: 1 as const,
    vendor: 'entra-access',
    validate(value: unknown) {
      if (isParams(value)) return { value };
      return {
        issues: [{ message: 'expected { principal: entity ref, epoch: number, session: number } and nothing else' }],
      };
    },
    jsonSchema: { input: () => JSON_SCHEMA, output: () => JSON_SCHEMA },
    types: undefined as unknown as { input: OwnedByPrincipalParams; output: OwnedByPrincipalParams },
  },
};

function isParams(value: unknown): value is OwnedByPrincipalParams {
  if (typeof value !== 'object' || value === null) return false;
  const { principal, epoch, session } = value as Partial<OwnedByPrincipalParams>;
  return (
    typeof principal === 'string' && isNumber(epoch) && isNumber(session) && Object.keys(value).length === FIELDS.length
  );
}

/** Whole numbers only up to what is compared exactly */
function isNumber(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
