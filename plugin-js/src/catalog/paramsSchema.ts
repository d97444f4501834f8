/** What the ownership rules are asked with: constant in size. A type, not an interface: Backstage wants an index signature */
export type OwnedByPrincipalParams = {
  /** Entity ref of the signed-in principal */
  principal: string;
  /** The epoch in which the decision was made; an older one than that must not answer */
  epoch: number;
};

const JSON_SCHEMA = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  type: 'object',
  properties: {
    principal: { type: 'string', description: 'Entity ref of the signed-in principal' },
    epoch: { type: 'integer', minimum: 0, description: 'Epoch in which the decision was made' },
  },
  required: ['principal', 'epoch'],
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
      return { issues: [{ message: 'expected { principal: entity ref, epoch: number } and nothing else' }] };
    },
    jsonSchema: { input: () => JSON_SCHEMA, output: () => JSON_SCHEMA },
    types: undefined as unknown as { input: OwnedByPrincipalParams; output: OwnedByPrincipalParams },
  },
};

function isParams(value: unknown): value is OwnedByPrincipalParams {
  if (typeof value !== 'object' || value === null) return false;
  const { principal, epoch } = value as Partial<OwnedByPrincipalParams>;
  if (typeof principal !== 'string' || !Number.isInteger(epoch) || Number(epoch) < 0) return false;
  return Object.keys(value).length === 2;
}
